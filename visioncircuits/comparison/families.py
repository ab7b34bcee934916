"""Which unit of one network does what a unit of another does, by what was measured of both."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from jaxtyping import Float

from visioncircuits.errors import InputError
from visioncircuits.networks import Features, Network, Unit, parse
from visioncircuits.stimuli import named
from visioncircuits.tuning import angular_distance, measure, orientation_tuning

TOLERANCE = 15.0
"""Degrees: a counterpart further off is none."""


@dataclass(frozen=True)
class Family:
    """Units of one layer, each with the orientation that it was measured to prefer.

    Attributes
    ----------
    network
        Theirs.
    units
        In the order of their orientation.
    orientations
        Degrees; see `orientation_tuning`.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> Family(untrained("bvlc_googlenet"), (Unit("mixed3b", 413), Unit("mixed3b", 408)), (30, 75))
    Family(2 of mixed3b in untrained bvlc_googlenet, 30 to 75 degrees)
    """

    network: Network
    units: tuple[Unit, ...]
    orientations: tuple[float, ...]

    def __repr__(self) -> str:
        low, high = min(self.orientations), max(self.orientations)
        return (
            f"Family({len(self)} of {self.layer} in {self.network.name}, {low:.0f} to {high:.0f} "
            "degrees)"
        )

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
        return Family(
            self.network,
            tuple(self.units[place] for place in places),
            tuple(self.orientations[place] for place in places),
        )


def curve_family(network: Network, features: Features) -> Family:
    """Measure which way curve detectors face, on the published curve sheet, and sort them by it.

    Raises
    ------
    InputError
        As `measure`, and for a unit that no curve drives.

    Examples
    --------
    >>> from visioncircuits import handwritten
    >>> family = curve_family(handwritten.load("curves"), ["mixed3b:6", "mixed3b:3"])
    >>> family.names, [round(orientation) for orientation in family.orientations]
    (['mixed3b:3', 'mixed3b:6'], [45, 90])
    """
    tuned = orientation_tuning(measure(network, features, named("curves")))
    faced = tuned["orientation"].values
    if np.isnan(faced).any():
        unit = tuned["unit"].values[np.isnan(faced)][0]
        raise InputError(f"no curve drives {unit} of {network.name}; leave it out of the family")
    order = np.argsort(faced)
    units = [_unit(str(tuned["unit"].values[place])) for place in order]
    return Family(network, tuple(units), tuple(float(faced[place]) for place in order))


def counterparts(family: Family, others: Family) -> Family:
    """Return for each unit of a family the one of `others` that faces most nearly the same way.

    Raises
    ------
    InputError
        Where the nearest is more than 15 degrees off.

    Examples
    --------
    >>> from visioncircuits.handwritten import load
    >>> curves = curve_family(load("curves"), [f"mixed3b:{unit}" for unit in range(0, 24, 4)])
    >>> family = Family(curves.network, (Unit("mixed3b", 1),), (curves.orientations[2] - 9,))
    >>> counterparts(family, curves).units == curves.units[2:3]
    True
    """
    apart = between(family, others)
    nearest = apart.argmin(1)
    for place, unit in enumerate(family.units):
        if apart[place, nearest[place]] > TOLERANCE:
            raise InputError(
                f"nothing in {others.layer} of {others.network.name} faces as {unit} does, "
                f"{family.orientations[place]:.0f} degrees"
            )
    return others.part([int(place) for place in nearest])


def between(family: Family, others: Family) -> Float[np.ndarray, "family others"]:
    """Compute the angles between preferred orientations, from 0 to 180 degrees."""
    first, second = np.array(family.orientations), np.array(others.orientations)
    return np.asarray(angular_distance(first[:, None], second))


def rotated(responses: xr.DataArray, degrees: Float[np.ndarray, " units"]) -> xr.DataArray:
    """Compute the responses of units rotated further clockwise, each by some degrees.

    Between orientations that were shown, responses are interpolated linearly.

    Parameters
    ----------
    responses
        As `measure` gives them, their orientations at equal steps around 360 degrees.
    degrees
        How far each unit is rotated.

    Examples
    --------
    >>> array = xr.DataArray([[1.0, 3.0, 0.0, 0.0]], dims=("unit", "orientation"))
    >>> rotated(array, np.array([45.0])).values.tolist()
    [[0.5, 2.0, 1.5, 0.0]]
    """
    around = responses.transpose("unit", "orientation", ...)
    count = around.sizes["orientation"]
    steps = np.arange(count) - degrees[:, None] * count / 360
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
