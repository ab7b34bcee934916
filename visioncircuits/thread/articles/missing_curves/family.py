"""The orientations that a family covers, and those that it leaves out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from jaxtyping import Float

from visioncircuits.figures import Figure
from visioncircuits.networks import Direction
from visioncircuits.stimuli import named
from visioncircuits.thread import Plate, Row, Study, here, paper, part
from visioncircuits.thread.claims import NEGATIVE, OWN, Claim
from visioncircuits.thread.intervals import middle
from visioncircuits.tuning import measure, radial_tuning
from visioncircuits.tuning.plots import hsl

HALF = 0.5
"""Of its peak: an orientation at which no unit responds as much is missing."""


@dataclass(frozen=True)
class Coverage:
    """A family's responses to each orientation, each unit over its peak.

    Attributes
    ----------
    angles
        At equal steps around the circle.
    tuned
        `(units, angles)`.
    """

    angles: Float[np.ndarray, " angles"]
    tuned: Float[np.ndarray, "units angles"]

    @classmethod
    def of(cls, responses: xr.DataArray) -> "Coverage":
        """Compute it from responses over orientation."""
        found = radial_tuning(responses)
        top = found.max("orientation")
        return cls(
            found["orientation"].values.astype(np.float64),
            (found / top.where(top > 0)).fillna(0).values.astype(np.float64),
        )

    @property
    def best(self) -> Float[np.ndarray, " angles"]:
        """The strongest response to each orientation."""
        found: np.ndarray = self.tuned.max(0) if len(self.tuned) else np.zeros(len(self.angles))
        return found

    @property
    def missing(self) -> np.ndarray:
        """The orientations at which no unit reaches half its height."""
        return np.asarray(self.best < HALF)

    def degrees(self, which: np.ndarray) -> float:
        """Return the extent of some of the orientations in degrees."""
        return float(which.sum() * 360 / len(self.angles))

    def stretches(self) -> list[tuple[float, float]]:
        """List the stretches that are missing, from and to, the longest first."""
        gone = self.missing
        if gone.all() or not gone.any():
            return []
        first = int(np.flatnonzero(~gone)[0])
        around = np.roll(gone, -first).astype(int)
        starts = np.flatnonzero(np.diff(around, prepend=0) == 1)
        ends = np.flatnonzero(np.diff(around, append=0) == -1)
        step = 360 / len(self.angles)
        found = [
            (float((start + first - 0.5) * step % 360), float((end + 1 - start) * step))
            for start, end in zip(starts, ends, strict=True)
        ]
        return sorted(found, key=lambda stretch: -stretch[1])

    def turned(self, rng: np.random.Generator) -> "Coverage":
        """Turn every unit by an angle of its own."""
        shifts = rng.integers(0, len(self.angles), len(self.tuned))
        rolled = [np.roll(row, shift) for row, shift in zip(self.tuned, shifts, strict=True)]
        return Coverage(self.angles, np.array(rolled))


GAPS_THERE = paper(
    "the published family leaves orientations out: none of the ten units reaches half of its "
    "height there",
    "gaps of 62°, 68°, 44°",
)
EVENLY = paper(
    "the ten are spread more evenly than by chance, so that less is left out",
    OWN,
)


@part(GAPS_THERE, EVENLY)
def published_family(study: Study) -> Iterator[Row | Plate]:
    """The published family.

    Each of the ten curve detectors of mixed3b responds to a few dozen degrees. The orientations
    between them are missing, or are in directions that are no unit's.
    """
    with np.load(study.published("curve_radial_tuning.npz")) as stored:
        curves = stored["mixed3b_resp"].astype(np.float64)
    family = Coverage(np.arange(720) / 2, curves / curves.max(1, keepdims=True))
    yield from left_out(GAPS_THERE, EVENLY, family, study, "published")


GAPS = here(
    "the family leaves orientations out: none of its units reaches half of its height there",
    "gaps of 62°, 68°, 44°",
)
EVENLY_HERE = here(
    "the family's units are spread more evenly than by chance, so that less is left out",
    OWN,
    stand_ins=(*NEGATIVE, "handwritten curves"),
)


@part(GAPS, EVENLY_HERE)
def family_here(study: Study) -> Iterator[Row | Plate]:
    """The family of this network."""
    units = study.detectors("curve", "mixed3b")["unit"].tolist()
    family = Coverage.of(curve_responses(study).sel(unit=units))
    yield from left_out(GAPS, EVENLY_HERE, family, study, "units")


def left_out(
    gaps: Claim, evenly: Claim, family: Coverage, study: Study, name: str
) -> Iterator[Row | Plate]:
    """Measure what a family leaves out, and draw it."""
    yield Plate(
        f"{name}-coverage",
        coverage_plot([("units", family)], family.stretches()),
        "Each detector's tuning to orientation over its peak, in the hue of its peak; where "
        "none of them reaches half of its height is shaded.",
    )
    gone, stretches = family.degrees(family.missing), family.stretches()
    listed = ", ".join(
        f"{start:.0f}° to {(start + length) % 360:.0f}°" for start, length in stretches[:4]
    )
    yield gaps.found(
        f"{gone:.0f}° of 360°" + (f": {listed}" if listed else ""),
        holds=bool(stretches) and stretches[0][1] >= 5,
        why="Radial tuning curves; holds where a stretch of 5° or more is left out.",
    )
    rng = study.rng(f"{name} turned")
    by_chance = np.array([
        chance.degrees(chance.missing) for chance in (family.turned(rng) for _ in range(1000))
    ])  # fmt: skip
    low, high = middle(by_chance)
    yield evenly.found(
        f"{gone:.0f}° left out",
        holds=gone < low,
        interval=f"units turned at random leave out {low:.0f}° to {high:.0f}°",
        why=f"{(by_chance <= gone).mean():.1%} of 1,000 draws leave out as little.",
    )


def curve_responses(study: Study) -> xr.DataArray:
    """Measure all units of the layer on the published curves."""
    stimuli = named("curves").vary(orientation=range(0, 360, 5))
    return measure(study.network, study.layer("mixed3b"), stimuli)


def along(responses: xr.DataArray, directions: Sequence[Direction]) -> xr.DataArray:
    """Compute the responses of directions, which are sums over units."""
    vectors = np.stack([direction.vector(len(responses)).numpy() for direction in directions])
    return xr.DataArray(
        np.tensordot(vectors, responses.values, 1),
        dims=responses.dims,
        coords={**responses.coords, "unit": [str(direction) for direction in directions]},
    )


def coverage_plot(
    groups: Sequence[tuple[str, Coverage]], missing: Sequence[tuple[float, float]]
) -> Figure:
    """Draw tuning over orientation, and shade what is missing."""
    figure = Figure(figsize=(7.4, 0.6 + 1.35 * len(groups)), layout="constrained")
    rows = figure.subplots(len(groups), sharex=True, squeeze=False)[:, 0]
    for axes, (name, family) in zip(rows, groups, strict=True):
        angles = np.append(family.angles, 360.0)
        around = np.append(np.arange(len(family.angles)), 0)
        for start, length in missing:
            for turn in (0, 360):
                axes.axvspan(start - turn, start + length - turn, color="#f3d6d0", lw=0)
        for row in family.tuned:
            color = hsl(float(family.angles[row.argmax()]), 0.75, 0.45)
            axes.plot(angles, row[around], color=color, lw=1)
        axes.axhline(HALF, color="#9a9ea5", lw=0.7, ls=(0, (3, 3)))
        axes.set(
            xlim=(0, 360), ylim=(0, 1.02), yticks=(0, 0.5, 1), ylabel=name.replace(" ", "\n", 1)
        )
        axes.spines[["top", "right"]].set_visible(False)
    rows[-1].set_xticks(range(0, 361, 45), [f"{angle}°" for angle in range(0, 361, 45)])
    return figure
