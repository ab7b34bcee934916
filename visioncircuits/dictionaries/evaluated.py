"""The result of an evaluation: a dictionary's numbers beside those of simpler descriptions."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from visioncircuits import files
from visioncircuits.errors import InputError, damaged
from visioncircuits.wording import counted

Interval = tuple[float, float, float]
"""A value, and its 95 % interval."""

_KIND = "evaluation of a dictionary"

DEFINITIONS = {
    "explained variance": "1 − Σ(x − x̂)² / Σ(x − x̄)², both sums over all samples and units; x̄ is "
    "each unit's mean over the samples",
    "L0": "mean number of codes that are not 0",
    "recovered": "of what ablating the layer adds to the cross-entropy, the share that is not "
    "added where the reconstruction replaces it at all positions: (ablated − reconstructed) / "
    "(ablated − original), against zero or mean ablation",
    "shrinkage": "mean of ‖x̂‖ / ‖x‖",
    "dead, dense": "share of atoms whose code is not 0 at fewer, or more, samples than a threshold",
    "agreement": "mean over atoms of the largest cosine with an atom of the second seed",
    "nearest unit": "mean over atoms of the largest cosine with a unit of the layer",
}
"""What each column is; libraries differ."""


@dataclass(frozen=True)
class Measured:
    """What one way to describe the activations achieves.

    Attributes
    ----------
    name
        Of the dictionary, or of the baseline.
    explained
        The explained variance.
    l0
        Mean number of codes that are not 0.
    cross_entropy
        In nats, with the layer replaced by the reconstruction; None without classes.
    recovered_zero, recovered_mean
        Cross-entropy recovered, against zero and mean ablation.
    shrinkage
        Mean ratio of the norms of reconstruction and activations.
    dead, dense, nearest_unit, agreement
        See `DEFINITIONS`; None for what has no such atoms, and without a second seed.
    beaten
        Whether the dictionary explains more variance and, where there are classes, leaves less
        cross-entropy than this baseline, both clear of chance: intervals of the paired differences
        over photographs are above 0. None for the dictionary itself.
    """

    name: str
    explained: Interval
    l0: float
    cross_entropy: float | None
    recovered_zero: Interval | None
    recovered_mean: Interval | None
    shrinkage: float
    dead: float | None = None
    dense: float | None = None
    nearest_unit: float | None = None
    agreement: float | None = None
    beaten: bool | None = None


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A dictionary on held-out photographs, beside baselines; made by `evaluate`.

    The first line that it shows states whether the dictionary beats them.

    Attributes
    ----------
    layer, method
        The dictionary's.
    measured
        Of the dictionary first, then of the baselines.
    original, zero, mean
        Cross-entropy of the network as it is, and with the layer ablated; None without classes.
    atoms
        By atom: `firing`, the share of samples at which its code is not 0; `unit_cosine`, the
        largest with a unit; and, with a second seed, `recurrence`, the largest cosine with an atom
        of that.
    photographs, samples
        How many it was measured on.
    thresholds
        Below which share of the samples an atom is `dead`, and above which it is `dense`.
    record
        How it was made.

    Examples
    --------
    >>> import torch
    >>> from visioncircuits.dictionaries import evaluate, pca
    >>> from visioncircuits.networks import untrained
    >>> network, pictures = untrained("bvlc_googlenet"), torch.rand(4, 3, 64, 64)
    >>> maps = network.activations(pictures[:2], ["conv2d1"])["conv2d1"]
    >>> found = pca(maps.flatten(2).transpose(1, 2).flatten(0, 1), "conv2d1", atoms=4)
    >>> evaluation = evaluate(found, network, pictures[2:])
    >>> evaluation.table()["L0"].tolist()
    [4.0, 4.0, 4.0, 4.0]
    """

    layer: str
    method: str
    measured: tuple[Measured, ...]
    original: float | None
    zero: float | None
    mean: float | None
    atoms: pd.DataFrame
    photographs: int
    samples: int
    thresholds: Mapping[str, float]
    record: Mapping[str, Any]

    @property
    def verdict(self) -> str:
        """One sentence: which baselines the dictionary beats, and which not."""
        own, *others = self.measured
        what = f"{self.method} of {counted(len(self.atoms), 'atom')} in {self.layer}"
        on = f"on {counted(self.photographs, 'held-out photograph')}"
        if not self.record["dictionary"].get("convergence", {}).get("converged", True):
            on += "; it HAS NOT CONVERGED"
        unbeaten = [other for other in others if not other.beaten]
        if not unbeaten:
            names = ", ".join(other.name for other in others)
            return f"{what} beats {names} ({on})"
        listed = "; ".join(f"{other.name}: {_against(own, other)}" for other in unbeaten)
        return f"{what} DOES NOT BEAT {listed} ({on})"

    def table(self) -> pd.DataFrame:
        """Return a row for the dictionary and one for each baseline; see `DEFINITIONS`."""
        rows = [
            {
                "description": each.name,
                "explained variance": each.explained[0],
                "L0": each.l0,
                "cross-entropy": each.cross_entropy,
                "recovered (zero)": each.recovered_zero and each.recovered_zero[0],
                "recovered (mean)": each.recovered_mean and each.recovered_mean[0],
                "shrinkage": each.shrinkage,
                "dead": each.dead,
                "dense": each.dense,
                "nearest unit": each.nearest_unit,
                "agreement": each.agreement,
                "beaten": {True: "yes", False: "no", None: ""}[each.beaten],
            }
            for each in self.measured
        ]
        table = pd.DataFrame(rows).set_index("description")
        numbers = [column for column in table if column != "beaten"]
        table[numbers] = table[numbers].astype(float)
        return table.dropna(axis="columns", how="all")

    def _notes(self) -> list[str]:
        shown = {
            "recovered": self.original is not None,
            "agreement": self.measured[0].agreement is not None,
        }
        notes = [
            f"{name}: {definition}"
            for name, definition in DEFINITIONS.items()
            if shown.get(name, True)
        ]
        notes.append(
            f"{self.samples} samples, all positions of {self.photographs} photographs; dead below "
            f"{self.thresholds['dead']:g} of them, dense above {self.thresholds['dense']:g}"
        )
        if self.original is not None:
            notes.append(
                f"cross-entropy in nats: original {self.original:.3f}, {self.layer} zero-ablated "
                f"{self.zero:.3f}, mean-ablated {self.mean:.3f}"
            )
        return notes

    def __str__(self) -> str:
        table = self.table().to_string(float_format="{:.3f}".format, na_rep="")
        return "\n".join([self.verdict, "", table, "", *self._notes()])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        table = self.table().to_html(border=0, float_format="{:.3f}".format, na_rep="")
        notes = "".join(f"<li>{note}</li>" for note in self._notes())
        return (
            f"<p><b>{self.verdict}</b></p>{table}<details><summary>What was measured</summary>"
            f"<ul>{notes}</ul></details>"
        )

    def save(self, path: str | Path) -> Path:
        """Write as JSON.

        Raises
        ------
        InputError
            For a name that does not end in `.json`, or a file that cannot be written.
        """
        content = {name: getattr(self, name) for name in self.__dataclass_fields__}
        content |= {
            "kind": _KIND,
            "definitions": DEFINITIONS,
            "verdict": self.verdict,
            "measured": [asdict(each) for each in self.measured],
            "atoms": self.atoms.to_dict("list"),
        }
        return files.write_json(path, content, indent=1)

    @classmethod
    def load(cls, path: str | Path) -> "Evaluation":
        """Read what `save` wrote.

        Raises
        ------
        InputError
            Where there is no such file, or it holds something else.
        """
        path = Path(path)
        try:
            content = json.loads(path.read_text("utf-8"))
            if content.pop("kind") != _KIND:
                raise KeyError(_KIND)
            rows: list[dict[str, Any]] = [
                {name: tuple(v) if isinstance(v, list) else v for name, v in row.items()}
                for row in content.pop("measured")
            ]
            kept = {name: content[name] for name in cls.__dataclass_fields__ if name in content}
            kept |= {
                "measured": tuple(Measured(**row) for row in rows),
                "atoms": pd.DataFrame(content["atoms"]),
            }
            return cls(**kept)
        except FileNotFoundError:
            raise InputError(f"there is no file {path}; `.save(path)` writes {_KIND}") from None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise damaged(path, error) from error


def _against(own: Measured, other: Measured) -> str:
    compared = [f"explains {own.explained[0]:.3f} against {other.explained[0]:.3f}"]
    if own.recovered_zero and other.recovered_zero:
        compared.append(
            f"recovers {own.recovered_zero[0]:.3f} of the cross-entropy against "
            f"{other.recovered_zero[0]:.3f}"
        )
    return ", ".join(compared)
