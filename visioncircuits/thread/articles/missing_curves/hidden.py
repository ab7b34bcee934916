"""Curve detectors hidden in the layer, which a method must find: the positive controls.

Each control is a layer that is computed linearly from the network's own, so that activations on
photographs and responses to stimuli change alike.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
import torch
import xarray as xr
from jaxtyping import Float

from visioncircuits.dictionaries.first_gates import first_gates
from visioncircuits.hypotheses import find
from visioncircuits.networks import Direction
from visioncircuits.thread import Study
from visioncircuits.thread.articles.missing_curves.curve_stimuli import (
    curve_hypothesis,
    hypothesis_responses,
    mapped,
)
from visioncircuits.thread.articles.missing_curves.family import (
    HALF,
    Coverage,
    along,
    curve_responses,
)
from visioncircuits.thread.articles.missing_curves.layer_samples import LayerSamples
from visioncircuits.thread.articles.missing_curves.methods import Fit, unconverged
from visioncircuits.thread.claims import Status, Unavailable

SAME = 0.9
"""The cosine with a hidden direction from which on an atom is it."""

SIBLINGS, APART = 3, 0.8
"""Units with which a detector is rotated; the largest cosine with a unit that it has then."""

PARTS = 4
"""Units to which a superposed detector's activation is added."""

Change = Float[np.ndarray, "units units"]


@dataclass(frozen=True, eq=False)
class Hidden:
    """Detectors that are directions and no units.

    Attributes
    ----------
    change
        The layer that hides them is this matrix times the network's own.
    directions
        One a detector, of length 1.
    ways
        By which each is hidden: "rotated" or "superposed".
    orientations
        That each prefers, in degrees.
    """

    change: Change
    directions: Float[np.ndarray, "hidden units"]
    ways: tuple[str, ...]
    orientations: tuple[float, ...]


def hide(
    units: int, detectors: Mapping[int, float], ways: Sequence[str], rng: np.random.Generator
) -> Hidden:
    """Hide every other detector, by these ways in turn.

    "rotated" turns a detector at random together with units that are none: nothing is lost, and
    directions do not overlap. "superposed" ablates it and adds its activation to four other units
    in equal parts: at 60° from each of them, and mixed with what they do.

    Parameters
    ----------
    units
        Of the layer.
    detectors
        Numbers of units, and the orientation that each prefers.
    ways
        Of the two.
    rng
        For siblings and rotations.

    Raises
    ------
    Unavailable
        Where there are too few units that are no detectors.
    """
    change, chosen = np.eye(units), sorted(detectors, key=detectors.__getitem__)[::2]
    free = rng.permutation(np.setdiff1d(np.arange(units), [*detectors])).tolist()
    if len(free) < PARTS * len(chosen):
        raise Unavailable(
            f"{len(free)} units are no curve detectors; {PARTS * len(chosen)} are needed to hide "
            f"{len(chosen)} among them"
        )
    others = iter(free)
    used = tuple(ways[place % len(ways)] for place in range(len(chosen)))
    for detector, way in zip(chosen, used, strict=True):
        if way == "rotated":
            group = [detector, *islice(others, SIBLINGS)]
            change[np.ix_(group, group)] = turn(len(group), rng)
        else:
            change[:, detector] = 0
            change[[*islice(others, PARTS)], detector] = PARTS**-0.5
    orientations = tuple(detectors[detector] for detector in chosen)
    return Hidden(change, change[:, chosen].T, used, orientations)


def turn(size: int, rng: np.random.Generator) -> Float[np.ndarray, "size size"]:
    """Draw a rotation that brings the first unit near to no unit."""
    while True:
        drawn = np.linalg.qr(rng.standard_normal((size, size)))[0]
        if np.abs(drawn[:, 0]).max() < APART:
            return np.asarray(drawn)


@dataclass(frozen=True)
class Sought:
    """What became of a hidden detector.

    Attributes
    ----------
    way
        By which it is hidden.
    passes
        Whether the hypothesis is supported for the hidden direction itself.
    cosine
        Of the nearest atom.
    found
        Whether an atom that is the direction passes the gates.
    filled
        Whether such an atom responds at the orientation at half its height or more.
    """

    way: str
    passes: bool
    cosine: float
    found: bool
    filled: bool


@dataclass(frozen=True)
class Recovery:
    """What a method found of the hidden detectors, and which dictionaries did not converge."""

    sought: tuple[Sought, ...]
    doubt: str

    def by(self, way: str) -> "Recovery":
        """Return those that are hidden one way."""
        return replace(self, sought=tuple(each for each in self.sought if each.way == way))

    def count(self, what: str) -> int:
        """Count those that pass, are found, or are filled."""
        return sum(getattr(each, what) for each in self.sought)

    @property
    def powerful(self) -> bool:
        """Whether at least half of those that can be found are, by dictionaries that converged."""
        return self.status == "holds"

    @property
    def status(self) -> Status:
        """Whether detectors are found: the verdict of a row that claims it."""
        if self.doubt or not self.count("passes"):
            return "cannot be tested"
        return "holds" if 2 * self.count("found") >= self.count("passes") else "does not hold"


def recovered(study: Study, hidden: Hidden, fit: Fit, drawn: LayerSamples) -> Recovery:
    """Look for hidden detectors by the first three gates, as for others."""
    altered = drawn.mapped(hidden.change)
    one, other = (fit(study, altered, study.seed + more) for more in (0, 1))
    responses = mapped(hypothesis_responses(study), hidden.change)
    hypothesis, network = curve_hypothesis(study), study.network
    gates = first_gates(one, network, hypothesis, responses, second=other, seed=study.seed)
    itself = [
        Direction(one.layer, tuple(row.tolist()), name=f"hidden {place}")
        for place, row in enumerate(hidden.directions)
    ]
    ideal = find(network, itself, hypothesis, responses=responses, seed=study.seed)
    planted = torch.nn.functional.normalize(torch.from_numpy(hidden.directions).float(), dim=1)
    cosines = (planted @ one.atoms.T).numpy()
    passing = np.isin(np.arange(len(one.atoms)), gates.passing)
    measured = curve_responses(study)
    curves = measured.copy(data=np.tensordot(hidden.change, measured.values, 1))
    sought = []
    for place, verdict in enumerate(ideal.verdicts):
        same = np.flatnonzero((cosines[place] >= SAME) & passing)
        atoms = [one.features[atom] for atom in same]
        sought.append(
            Sought(
                hidden.ways[place],
                verdict.status == "supported",
                float(cosines[place].max()),
                bool(atoms),
                bool(atoms) and responds(along(curves, atoms), hidden.orientations[place]),
            )
        )
    return Recovery(tuple(sought), unconverged(one, other))


def responds(responses: xr.DataArray, orientation: float) -> bool:
    """Whether any of some features responds at an orientation at half its height or more."""
    covered = Coverage.of(responses)
    nearest = np.abs((covered.angles - orientation + 180) % 360 - 180).argmin()
    return bool(covered.best[nearest] >= HALF)
