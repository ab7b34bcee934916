"""Coverage: how much of a layer is explained, and by what.

A unit is explained where a hypothesis about it is supported by stimuli, where a taxonomy puts it
into a family, or where it follows from the theory of an earlier layer (`induct`). That is no proof
that all that it does is understood: a verdict states that a unit responds to what was claimed and
to nothing else that was presented. What hypotheses explain by accident is measured on the same
network with its weights shuffled (`networks.shuffled`).

The record, the three ways to it and its panel are here together, which makes some 370 lines.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from jaxtyping import Bool
from matplotlib.transforms import ScaledTranslation

from visioncircuits.comparison.induction import Induction
from visioncircuits.errors import InputError
from visioncircuits.figures import INK, RULE, Drawn, axes_or_new
from visioncircuits.hypotheses import Hypothesis, find_each
from visioncircuits.networks import Network
from visioncircuits.tuning.plots import hsl
from visioncircuits.weights import storage

_KIND = "coverage"

UNNAMED = ("Other Units",)
"""Families of a taxonomy that mean that a unit is not understood."""


@dataclass(frozen=True, eq=False)
class Coverage:
    """Which units of a layer each explanation holds for.

    A notebook shows the `coverage_panel`.

    Attributes
    ----------
    layer
        Its name.
    explanations
        Names of hypotheses and families, in the order of `holds`.
    holds
        `(explanations, units)`.

    Examples
    --------
    >>> Coverage("a", ("curve", "line"), np.array([[True, False], [True, False]]))
    Coverage(a, 50% of 2 units explained by curve, line)
    """

    layer: str
    explanations: tuple[str, ...]
    holds: Bool[np.ndarray, "explanations units"]

    def __repr__(self) -> str:
        by = ", ".join(self.explanations) or "nothing"
        total = self.holds.shape[1]
        return f"Coverage({self.layer}, {self.explained:.0%} of {total} units explained by {by})"

    def _repr_png_(self) -> bytes:
        return coverage_panel(self)._repr_png_()

    def save(self, path: str | Path) -> Path:
        """Save as .npz or .nc (netCDF).

        Raises
        ------
        InputError
            For another suffix, or if the file cannot be written.
        """
        holds = ("explanation", "unit"), self.holds
        names = {"explanation": np.array(self.explanations, dtype=str)}
        return storage.write(
            xr.Dataset({"holds": holds}, names, {"kind": _KIND, "layer": self.layer}), path
        )

    @classmethod
    def load(cls, path: str | Path) -> "Coverage":
        """Load what was saved.

        Raises
        ------
        InputError
            If the file is missing, damaged, or has other content.
        """
        dataset = storage.read(path, _KIND)
        names = tuple(map(str, dataset["explanation"].values))
        return cls(dataset.attrs["layer"], names, dataset["holds"].values.astype(bool))

    @property
    def explained(self) -> float:
        """The share of units that have an explanation.

        Examples
        --------
        >>> Coverage("a", ("curve", "line"), np.array([[True, False], [True, False]])).explained
        0.5
        """
        return float(self.holds.any(0).mean()) if self.holds.shape[1] else 0.0

    def table(self) -> pd.DataFrame:
        """Count units by explanation.

        Returns
        -------
        pandas.DataFrame
            A row for every explanation, the commonest first: `explanation`, `units` (for how many
            it holds), `alone` (how many of them have no other) and `share` (of the layer).
        """
        once = self.holds.sum(0) == 1
        rows = pd.DataFrame(
            {
                "explanation": self.explanations,
                "units": self.holds.sum(1),
                "alone": (self.holds & once).sum(1),
                "share": self.holds.mean(1),
            }
        )
        return rows.sort_values("units", ascending=False, kind="stable", ignore_index=True)

    def overlaps(self) -> pd.DataFrame:
        """Count the units that two explanations share, by both.

        Examples
        --------
        >>> found = Coverage("a", ("curve", "line"), np.array([[True, True], [True, False]]))
        >>> found.overlaps().values.tolist()
        [[2, 1], [1, 1]]
        """
        counts = self.holds.astype(int) @ self.holds.T.astype(int)
        return pd.DataFrame(counts, self.explanations, self.explanations)

    def units(self) -> pd.DataFrame:
        """List the units with what explains them.

        Examples
        --------
        >>> found = Coverage("a", ("curve", "line"), np.array([[True, False], [True, False]]))
        >>> found.units().values.tolist()
        [['a:0', 'curve; line'], ['a:1', '']]
        """
        listed = [
            "; ".join(np.array(self.explanations)[column].tolist()) for column in self.holds.T
        ]
        names = [f"{self.layer}:{unit}" for unit in range(len(listed))]
        return pd.DataFrame({"unit": names, "explanations": listed})

    def unexplained(self) -> list[str]:
        """Name the units that nothing explains.

        Examples
        --------
        >>> Coverage("a", ("curve",), np.array([[True, False]])).unexplained()
        ['a:1']
        """
        return [f"{self.layer}:{unit}" for unit in np.flatnonzero(~self.holds.any(0))]

    def joined(self, other: "Coverage") -> "Coverage":
        """Combine explanations, such as those by stimuli and those by a taxonomy."""
        return Coverage(
            self.layer,
            self.explanations + other.explanations,
            np.concatenate([self.holds, other.holds]),
        )


def covered_by_stimuli(
    network: Network,
    layer: str,
    hypotheses: Sequence[Hypothesis],
    *,
    seed: int = 0,
    progress: bool = False,
) -> Coverage:
    """Test hypotheses on every unit of a layer; each explains those it is supported for.

    Parameters
    ----------
    network, layer
        What is to be explained.
    hypotheses
        Such as `hypotheses.applicable` gives.
    seed
        Of the verdicts' intervals and nulls.
    progress
        Whether to show a bar for each.

    Raises
    ------
    InputError
        As `hypotheses.find`, and without a hypothesis.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> network = untrained("bvlc_googlenet")
    >>> from visioncircuits.hypotheses import applicable
    >>> lines = applicable(network, "conv2d0")[0]
    >>> covered_by_stimuli(network, "conv2d0", [lines]).explanations
    ('line',)
    """
    if not hypotheses:
        raise InputError(
            "coverage needs a hypothesis; `hypotheses.applicable` gives those that are ready"
        )
    found = find_each(network, layer, hypotheses, seed=seed, progress=progress)
    named = {name: [_number(unit) for unit in table["unit"]] for name, table in found.items()}
    return _coverage(network, layer, named)


def covered_by_families(
    network: Network, layer: str, families: Mapping[str, Sequence[int]]
) -> Coverage:
    """Take a taxonomy's families as explanations, except those named "other".

    Parameters
    ----------
    families
        Units by family: a taxonomy's `layers[layer]`, of this very network.

    Raises
    ------
    InputError
        For units that the layer does not have, and where no family is left.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> families = {"Curves": [0, 1], "Other Units": [2]}
    >>> covered_by_families(untrained("bvlc_googlenet"), "mixed3a", families).explanations
    ('Curves',)
    """
    named = {name: units for name, units in families.items() if name not in UNNAMED}
    if not named:
        raise InputError(f"the taxonomy has no family of {layer} that explains units")
    return _coverage(network, layer, named)


def covered_by_induction(found: Induction) -> Coverage:
    """Take it as an explanation that a unit follows from the theory of an earlier layer.

    Parameters
    ----------
    found
        From `induct`: units that follow count, by family; those that follow partly do not.

    Examples
    --------
    >>> from visioncircuits.comparison import induct, theory_by_design
    >>> from visioncircuits.handwritten import load
    >>> network = load("high-low")
    >>> early, late = (theory_by_design(network, layer) for layer in ("conv2d1", "mixed3a"))
    >>> covered_by_induction(induct(network, "mixed3a", early, later=late, draws=20))
    Coverage(mixed3a, 100% of 16 units explained by high-low from conv2d1)
    """
    named: dict[str, list[int]] = {
        f"{step.family} from {found.source}": [] for step in found.tested
    }
    for step in found.following:
        named[f"{step.family} from {found.source}"].append(_number(step.unit))
    return _held(found.layer, found.units, named)


def _coverage(network: Network, layer: str, named: Mapping[str, Sequence[int]]) -> Coverage:
    total = network.layer(layer).units
    for name, units in named.items():
        if not set(units) <= set(range(total)):
            raise InputError(
                f"the family {name} has unit {max(units)}, and {layer} of {network.name} units 0 "
                f"to {total - 1}: a taxonomy is of one network"
            )
    return _held(layer, total, named)


def _held(layer: str, total: int, named: Mapping[str, Sequence[int]]) -> Coverage:
    holds = np.zeros((len(named), total), bool)
    for row, units in zip(holds, named.values(), strict=True):
        row[list(units)] = True
    return Coverage(layer, tuple(named), holds)


def _number(unit: str) -> int:
    return int(unit.rpartition(":")[2])


def coverage_panel(found: Coverage, *, ax: Drawn | None = None) -> Drawn:
    """Draw a layer as one bar: what each explanation alone, several, and nothing accounts for.

    Parameters
    ----------
    found
        From `covered_by_families` or `covered_by_stimuli`.
    ax
        Axes to draw into; by default those of a new `Figure`. The legend is drawn below them.

    Returns
    -------
    Axes or Figure
        `ax`, or the figure; `.save(path)` writes it.

    Examples
    --------
    >>> found = Coverage("a", ("curve", "line"), np.array([[True, False], [True, False]]))
    >>> coverage_panel(found).axes[0].get_title()
    'a: 50% of 2 units explained'
    """
    total = found.holds.shape[1]
    table = found.table()
    alone = [(str(row["explanation"]), int(row["alone"])) for row in table.to_dict("records")]
    several = int((found.holds.sum(0) > 1).sum())
    parts = [(name, count) for name, count in alone if count]
    colors = [hsl(210 + 290 * place / max(len(parts), 1), 0.5, 0.58) for place in range(len(parts))]
    if several:
        parts.append(("several of them", several))
        colors.append(hsl(0, 0, 0.35))
    parts.append(("unexplained", total - sum(count for _, count in parts)))
    colors.append(hsl(0, 0, 0.9))
    lines = -(-len(parts) // 4)
    axes, drawn = axes_or_new(ax, (7.2, 1.15 + 0.2 * lines))
    start = 0
    for (name, count), color in zip(parts, colors, strict=True):
        axes.barh(0, count, left=start, color=color, edgecolor="white", linewidth=0.6,
                  label=f"{name} {count}")  # fmt: skip
        start += count
    axes.set_title(
        f"{found.layer}: {found.explained:.0%} of {total} units explained", fontsize=9, color=INK
    )
    axes.set_xlim(0, total)
    axes.set_yticks([])
    axes.spines[:].set_color(RULE)
    axes.tick_params(labelsize=7)
    axes.set_xlabel("units", fontsize=7)
    wide = axes.get_window_extent().width / axes.figure.dpi
    below = ScaledTranslation(0, -0.34, axes.figure.dpi_scale_trans)
    axes.legend(
        loc="upper center", bbox_to_anchor=(0.5, 0), bbox_transform=axes.transAxes + below,
        borderaxespad=0, ncols=max(int(wide / 1.25), 1), frameon=False, fontsize=7,
    )  # fmt: skip
    return drawn
