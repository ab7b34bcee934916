"""Which unit of one network does what a unit of another does, by what was measured of both."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr
from jaxtyping import Float

from visioncircuits.comparison.equivariance import correlated
from visioncircuits.errors import InputError
from visioncircuits.hypotheses import Hypothesis, find
from visioncircuits.hypotheses.judging import scaled
from visioncircuits.networks import Features, Network, Unit, parse, select
from visioncircuits.tuning import (
    angular_difference,
    angular_distance,
    measure,
    orientation_tuning,
)
from visioncircuits.tuning.orientation import period
from visioncircuits.wording import with_article

TOLERANCE = 15.0
"""Degrees: a counterpart further off is none."""


@dataclass(frozen=True)
class Family:
    """Units of one layer that one hypothesis is about, as `family` measures them.

    Attributes
    ----------
    network
        Theirs.
    units
        In the order of their orientation, where they have one.
    hypothesis
        What they are claimed to detect.
    orientations
        Degrees; see `orientation_tuning`. None where the hypothesis' stimuli have no orientation.

    Examples
    --------
    >>> from visioncircuits.hypotheses import predefined
    >>> from visioncircuits.networks import untrained
    >>> network = untrained("bvlc_googlenet")
    >>> curve = predefined(network, "mixed3b", "curve")
    >>> Family(network, (Unit("mixed3b", 413), Unit("mixed3b", 408)), curve, (30, 75))
    Family(curve: 2 of mixed3b in untrained bvlc_googlenet, 30 to 75 degrees)
    """

    network: Network
    units: tuple[Unit, ...]
    hypothesis: Hypothesis
    orientations: tuple[float, ...] | None

    def __repr__(self) -> str:
        facing = ""
        if self.orientations:
            facing = f", {min(self.orientations):.0f} to {max(self.orientations):.0f} degrees"
        return (
            f"Family({self.hypothesis.name}: {len(self)} of {self.layer} in {self.network.name}"
            f"{facing})"
        )

    @property
    def period(self) -> float:
        """Degrees after which orientations repeat: 360, or 180 as for lines."""
        angles = np.asarray(self.hypothesis.stimuli.axes.get("orientation", (0, 360)), float)
        return 180.0 if np.ptp(angles) < 180 else 360.0

    def __len__(self) -> int:
        return len(self.units)

    @property
    def layer(self) -> str:
        """The layer that they are of."""
        return self.units[0].layer

    @property
    def places(self) -> tuple[int, ...]:
        """The units' numbers in their layer."""
        return tuple(unit.index for unit in self.units)

    @property
    def names(self) -> list[str]:
        """The units, as text."""
        return [str(unit) for unit in self.units]

    def part(self, places: Sequence[int]) -> "Family":
        """Return some of them, in the order given."""
        angles = self.orientations
        return replace(
            self,
            units=tuple(self.units[place] for place in places),
            orientations=None if angles is None else tuple(angles[place] for place in places),
        )


def family(
    network: Network,
    features: Features,
    hypothesis: str | Hypothesis,
    *,
    seed: int = 0,
    progress: bool = False,
) -> Family:
    """Collect the units of a family, each with the orientation that it prefers.

    Parameters
    ----------
    network
        Any network.
    features
        A layer's name: its units that the hypothesis is supported for, see `hypotheses.find`. Or
        units, which are not tested again.
    hypothesis
        One of `hypotheses.PREDEFINED` by name, or your own. Orientations are measured with its
        stimuli, if they have any.
    seed
        As for `find`.
    progress
        Whether to show a bar.

    Raises
    ------
    InputError
        As `find`, where no unit of the layer is supported, and for a unit that no stimulus drives.

    Examples
    --------
    >>> from visioncircuits import handwritten
    >>> found = family(handwritten.load("curves"), ["mixed3b:6", "mixed3b:3"], "curve")
    >>> found.names, [round(orientation) for orientation in found.orientations]
    (['mixed3b:3', 'mixed3b:6'], [45, 90])
    """
    chosen = select(network, features)
    stated = scaled(hypothesis, network, chosen.layer)
    units = [each for each in chosen.features if isinstance(each, Unit)]
    if len(units) < len(chosen.features):
        raise InputError("a family is of units; name units of one layer, not directions")
    if chosen.whole:
        table = find(network, chosen.layer, stated, seed=seed, progress=progress)
        units = [_unit(name) for name in table["unit"]]
        if not units:
            raise InputError(
                f"no unit of {chosen.layer} in {network.name} is supported as "
                f"{with_article(stated.name)} detector; try another layer, or name the units"
            )
    if "orientation" not in stated.stimuli.axes:
        return Family(network, tuple(units), stated, None)
    measured = measure(network, units, stated.stimuli)
    # rounded, so that a unit at 0 degrees does not come last by its last digits
    faced = orientation_tuning(measured)["orientation"].values.round(3) % period(measured)
    if np.isnan(faced).any():
        unit = units[int(np.isnan(faced).argmax())]
        raise InputError(
            f"no {stated.name} stimulus drives {unit} of {network.name}; leave it out of the family"
        )
    order = np.argsort(faced)
    return Family(
        network,
        tuple(units[place] for place in order),
        stated,
        tuple(float(faced[place]) for place in order),
    )


def counterparts(family: Family, others: Family) -> Family:
    """Return for each unit of a family the one of `others` that does most nearly the same.

    It is the one that faces most nearly the same way; where units have no orientation, the one
    whose responses to the hypothesis' stimuli correlate most.

    Raises
    ------
    InputError
        Where the nearest is more than 15 degrees off, or no responses correlate.

    Examples
    --------
    >>> from visioncircuits.comparison import family
    >>> from visioncircuits.handwritten import load
    >>> curves = family(load("curves"), [f"mixed3b:{unit}" for unit in range(0, 24, 4)], "curve")
    >>> one = curves.part([2])
    >>> counterparts(one, curves).units == one.units
    True
    """
    if family.orientations is None or others.orientations is None:
        alike = _alike(family, others)
        for unit, best in zip(family.units, alike.max(1), strict=True):
            if best <= 0:
                raise InputError(
                    f"nothing in {others.layer} of {others.network.name} is tuned as {unit} is"
                )
        return others.part([int(place) for place in alike.argmax(1)])
    apart = between(family, others)
    nearest = apart.argmin(1)
    for place, unit in enumerate(family.units):
        if apart[place, nearest[place]] > TOLERANCE:
            raise InputError(
                f"nothing in {others.layer} of {others.network.name} faces as {unit} does, "
                f"{family.orientations[place]:.0f} degrees"
            )
    return others.part([int(place) for place in nearest])


def _alike(family: Family, others: Family) -> Float[np.ndarray, "family others"]:
    """Correlate the responses of two families to the stimuli of the first one's hypothesis."""
    rows = [
        measure(each.network, each.units, family.hypothesis.stimuli).values.clip(0)
        for each in (family, others)
    ]
    return np.asarray(correlated(*(row.reshape(len(row), -1).astype(np.float64) for row in rows)))


def between(family: Family, others: Family) -> Float[np.ndarray, "family others"]:
    """Compute the angles between preferred orientations, from 0 to half the period.

    They are NaN where one of the families has none.
    """
    if family.orientations is None or others.orientations is None:
        return np.full((len(family), len(others)), np.nan)
    first, second = np.array(family.orientations), np.array(others.orientations)
    return np.asarray(angular_distance(first[:, None], second, period=family.period))


def turns(family: Family, others: Family) -> Float[np.ndarray, " units"]:
    """Compute how much further clockwise each unit of a family faces than its counterpart."""
    if family.orientations is None or others.orientations is None:
        return np.zeros(len(family))
    first, second = np.array(family.orientations), np.array(others.orientations)
    return np.asarray(angular_difference(first, second, period=family.period))


def rotated(responses: xr.DataArray, degrees: Float[np.ndarray, " units"]) -> xr.DataArray:
    """Compute the responses of units rotated further clockwise, each by some degrees.

    Between orientations that were shown, responses are interpolated linearly.

    Parameters
    ----------
    responses
        As `measure` gives them, their orientations at equal steps around 180 or 360 degrees.
    degrees
        How far each unit is rotated.

    Examples
    --------
    >>> angles = {"orientation": [0, 90, 180, 270]}
    >>> array = xr.DataArray([[1.0, 3.0, 0.0, 0.0]], angles, ("unit", "orientation"))
    >>> rotated(array, np.array([45.0])).values.tolist()
    [[0.5, 2.0, 1.5, 0.0]]
    """
    around = responses.transpose("unit", "orientation", ...)
    count = around.sizes["orientation"]
    steps = np.arange(count) - degrees[:, None] * count / period(responses)
    before = np.floor(steps).astype(int)
    part = (steps - before).reshape(*before.shape, *[1] * (around.ndim - 2))
    units = np.arange(len(degrees))[:, None]
    values = around.values
    mixed = (1 - part) * values[units, before % count] + part * values[units, (before + 1) % count]
    return around.copy(data=mixed).transpose(*responses.dims)


def correlations(one: xr.DataArray, other: xr.DataArray) -> Float[np.ndarray, " units"]:
    """Correlate two measurements unit by unit, over everything but the unit, the first dimension.

    Examples
    --------
    >>> array = xr.DataArray([[1.0, 2.0, 4.0]], dims=("unit", "orientation"))
    >>> correlations(array, -array).tolist()
    [-1.0]
    """
    rows = (each.values.reshape(each.sizes["unit"], -1) for each in (one, other))
    first, second = (row - row.mean(1, keepdims=True) for row in rows)
    scale = np.sqrt((first**2).sum(1) * (second**2).sum(1))
    product = (first * second).sum(1)
    return np.asarray(np.divide(product, scale, out=np.zeros_like(product), where=scale > 0))


def _unit(name: str) -> Unit:
    unit = parse(name)
    assert isinstance(unit, Unit)
    return unit
