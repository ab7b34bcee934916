"""Whether one block of a dictionary holds the orientation of curves."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
import xarray as xr
from jaxtyping import Float

from visioncircuits.dictionaries import Dictionary
from visioncircuits.dictionaries.untrained import untrained_like
from visioncircuits.figures import Figure
from visioncircuits.thread import Plate, Row, Study, here, part
from visioncircuits.thread.articles.missing_curves.family import curve_responses
from visioncircuits.thread.articles.missing_curves.layer_samples import layer_samples
from visioncircuits.thread.articles.missing_curves.methods import BLOCK, blocks, unconverged
from visioncircuits.thread.articles.missing_curves.reading import (
    NEAR,
    Reading,
    angle,
    circle,
    read_off,
    stimuli,
)
from visioncircuits.thread.claims import OWN, Claim
from visioncircuits.thread.units import numbers
from visioncircuits.tuning.plots import hsl

WHOLE = 0.5
"""The least R² of a block that has what is read off it, and the least share of orientations."""

PLANTED = here(
    "one block of a block-sparse dictionary has a plane that was put in the place of the family",
    OWN,
)
HOLDS = here("one block of a block-sparse dictionary of mixed3b has the orientation of curves", OWN)
COVERS = here(
    "half of the orientations of curves are read off one block of a block-sparse dictionary of "
    "mixed3b",
    OWN,
)
FAMILY = here(
    "one block of a block-sparse dictionary of mixed3b explains the tuning of the family's units",
    OWN,
)


@part(PLANTED, HOLDS, COVERS, FAMILY, stand_ins=())
def rings(study: Study) -> Iterator[Row | Plate]:
    """A block for all orientations.

    Orientation is an angle, which no direction has, but a plane does: by cosine and sine. A
    block-sparse dictionary has blocks of a few atoms that are in use together. From the codes of
    one block, linearly, the orientation of curves is read off, and what the family's units respond
    with. Block and map are chosen on all radii but one, and measured on that. Beside it are a block
    of an untrained dictionary and a single atom, chosen alike. The positive control is a layer in
    which a plane is in the place of the curve detectors: the sums of their activations times cosine
    and sine of their orientation, turned at random in the space that they leave.
    """
    table = study.detectors("curve", "mixed3b")
    samples, measured = layer_samples(study), curve_responses(study)
    change = plane(len(measured), table, study.rng("plane"))
    altered = measured.copy(data=np.tensordot(change, measured.values, 1))
    replaced = blocks(study, samples.mapped(change), study.seed)
    planted = Compared.of(replaced, altered, circle(altered))
    power = planted.whole and not planted.doubt
    yield planted.row(PLANTED, True, also=f", cosine {overlapping(replaced, change):.2f}")
    found = blocks(study, samples, study.seed)
    orientation = Compared.of(found, measured, circle(measured))
    yield orientation.row(HOLDS, power)
    yield orientation.coverage(COVERS, power)
    members = stimuli(measured.sel(unit=table["unit"].tolist()))
    yield Compared.of(found, measured, members).row(FAMILY, power)
    drawn = {"block": orientation.block, **orientation.baselines, "planted plane": planted.block}
    yield Plate(
        "rings",
        ring_plot(drawn),
        "Cosine and sine of curves' orientation as read off, on radii that the block was not "
        "chosen on, in the hue of the true orientation; a circle where nothing is lost.",
    )


@dataclass(frozen=True, eq=False)
class Compared:
    """What is read off one block, beside baselines.

    Attributes
    ----------
    block
        Of the dictionary.
    baselines
        Of an untrained dictionary, and of single atoms.
    doubt
        Whether the dictionary converged; empty if it did.
    """

    block: Reading
    baselines: Mapping[str, Reading]
    doubt: str

    @classmethod
    def of(
        cls, found: Dictionary, responses: xr.DataArray, values: Float[np.ndarray, "stimuli _"]
    ) -> "Compared":
        """Read values off the responses."""
        baselines = {
            "untrained block": read_off(untrained_like(found), responses, values, BLOCK),
            "single atom": read_off(found, responses, values, 1),
        }
        block = read_off(found, responses, values, BLOCK)
        return cls(block, baselines, unconverged(found))

    @property
    def whole(self) -> bool:
        """Whether the block has the values, and more of them than the baselines."""
        return self.block.r2 >= max(WHOLE, *(each.r2 for each in self.baselines.values()))

    def row(self, claim: Claim, power: bool, *, also: str = "") -> Row:
        """State R²."""
        return claim.found(
            f"R² {self.block.r2:.2f}{also}",
            holds=self._judged(self.whole, power),
            interval=", ".join(f"{name} {each.r2:.2f}" for name, each in self.baselines.items()),
            why=f"{self._why(power)}R² on the radii that are left out; holds from {WHOLE} and "
            "beyond both baselines.",
        )

    def coverage(self, claim: Claim, power: bool) -> Row:
        """State the share of orientations that are read off right at half of the radii."""
        share = self.block.covered
        others = [each.covered for each in self.baselines.values()]
        chance = zip(self.baselines, others, strict=True)
        return claim.found(
            f"{share:.0%} of orientations",
            holds=self._judged(share >= WHOLE and share > max(others), power),
            interval=", ".join(f"{name} {each:.0%}" for name, each in chance),
            why=f"{self._why(power)}Orientations that are read off within {NEAR:g}° at half of the "
            "radii or more; holds from half of them, and beyond both baselines.",
        )

    def _judged(self, holds: bool, power: bool) -> bool | None:
        return None if self.doubt or not (holds or power) else holds

    def _why(self, power: bool) -> str:
        return self.doubt + ("" if power else "No block has the plane that was planted. ")


def plane(
    units: int, table: pd.DataFrame, rng: np.random.Generator
) -> Float[np.ndarray, "units units"]:
    """Return the linear map that puts a plane in the place of the family."""
    family, change = numbers(table["unit"]), np.eye(units)
    at = np.radians(table["orientation"].to_numpy(float))
    drawn = rng.standard_normal((len(family), 2))
    axes = np.linalg.qr(drawn)[0]
    change[:, family] = 0
    change[np.ix_(family, family)] = axes @ np.stack([np.cos(at), np.sin(at)])
    return change


def overlapping(found: Dictionary, change: Float[np.ndarray, "units units"]) -> float:
    """Return the cosine of the planted plane with the nearest block, a root mean square."""
    changed = np.flatnonzero(np.diag(change) != 1)
    axes = np.linalg.svd(change[:, changed])[0][:, :2]
    blocks = found.atoms.double().reshape(-1, BLOCK, len(change))
    frames = torch.linalg.qr(blocks.mT).Q
    inside = (frames.mT @ torch.from_numpy(axes)).square().sum((1, 2)) / 2
    return float(inside.max().sqrt())


def ring_plot(readings: Mapping[str, Reading]) -> Figure:
    """Draw orientations as read off."""
    figure = Figure(figsize=(2.1 * len(readings), 2.3), layout="constrained")
    panels = figure.subplots(1, len(readings), squeeze=False)[0]
    for axes, (name, reading) in zip(panels, readings.items(), strict=True):
        colors = [hsl(float(at % 360), 0.75, 0.45) for at in angle(reading.values)]
        axes.scatter(*reading.read.T, c=colors, s=5, lw=0)
        axes.set(xlim=(-1.4, 1.4), ylim=(-1.4, 1.4), aspect="equal", xticks=(), yticks=())
        axes.set_title(f"{name}\nR² {reading.r2:.2f}", fontsize=8)
    return figure
