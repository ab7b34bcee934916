"""An axis of a stimulus set: distinct numbers or colors, selected by value."""

import math
from collections.abc import Iterable
from numbers import Real

from visioncircuits.errors import InputError, unknown
from visioncircuits.stimuli.color import rgb

Value = float | int | str
"""One value on an axis: a number, or a color's name."""


def axis_values(name: str, values: Iterable[Value]) -> tuple[Value, ...]:
    """An axis' values as floats or as colors' names."""
    if isinstance(values, str):
        raise InputError(f"{name} must have several values, got the one string {values!r}")
    listed = list(values)
    if not listed:
        raise InputError(f"{name} has no values; an axis needs one or more")
    axis: tuple[Value, ...]
    if any(isinstance(value, str) for value in listed):
        if not all(isinstance(value, str) for value in listed):
            raise InputError(f"{name} mixes numbers and colors; an axis has the ones or the others")
        for value in listed:
            rgb(str(value))
        axis = tuple(map(str, listed))
    else:
        try:
            axis = tuple(map(float, listed))
        except (TypeError, ValueError):
            raise InputError(
                f"{name} must have numbers or colors' names, got {listed[0]!r}"
            ) from None
        if any(math.isnan(value) for value in map(float, axis)):
            raise InputError(f"{name} has a value that is not a number")
    if len(set(axis)) < len(axis):
        twice = next(value for place, value in enumerate(axis) if value in axis[:place])
        raise InputError(f"{name} has the value {twice} twice; each is drawn once")
    return axis


def positions(
    name: str, values: tuple[Value, ...], wanted: Real | str | slice | Iterable[Real | str]
) -> int | list[int]:
    """Where on an axis the wanted values are."""
    if isinstance(wanted, slice):
        low = -math.inf if wanted.start is None else wanted.start
        high = math.inf if wanted.stop is None else wanted.stop
        if wanted.step is not None or isinstance(values[0], str):
            raise InputError(f"{name}: only numbers have a range, and no step; use isel for places")
        inside = [place for place, value in enumerate(values) if low <= float(value) <= high]
        if not inside:
            raise InputError(f"{name} has no value from {low} to {high}")
        return inside
    if isinstance(wanted, Real | str):
        return _position(name, values, wanted)
    return [_position(name, values, value) for value in wanted]


def _position(name: str, values: tuple[Value, ...], wanted: Real | str) -> int:
    if wanted in values:
        return values.index(wanted)
    numbers = [value for value in values if not isinstance(value, str)]
    if isinstance(wanted, str) or not numbers:
        raise unknown(f"value of {name}", str(wanted), map(str, values))
    nearest = min(numbers, key=lambda value: abs(value - float(wanted)))
    raise InputError(f"{name} has no value {wanted:g}; the nearest is {nearest:g}")
