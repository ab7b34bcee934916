"""An axis of a stimulus set: distinct numbers or colors, selected by value."""

import math
from collections.abc import Iterable
from itertools import pairwise
from numbers import Real

from visioncircuits.errors import InputError, unknown
from visioncircuits.stimuli.color import rgb

Value = float | int | str
"""One value on an axis: a number, or a color's name."""


def axis_values(name: str, values: Iterable[Value]) -> tuple[Value, ...]:
    """Return the values of an axis as floats or as names of colors."""
    if isinstance(values, str):
        raise InputError(f"{name} must have several values, got the one string {values!r}")
    listed = list(values)
    if not listed:
        raise InputError(f"{name} has no values; an axis needs one or more")
    axis: tuple[Value, ...]
    if any(isinstance(value, str) for value in listed):
        if not all(isinstance(value, str) for value in listed):
            raise InputError(f"{name} mixes numbers and colors; an axis has one or the other")
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
        twice = next(value for index, value in enumerate(axis) if value in axis[:index])
        raise InputError(f"{name} has the value {twice} twice; each is drawn once")
    return axis


def positions(
    name: str, values: tuple[Value, ...], selected: Real | str | slice | Iterable[Real | str]
) -> int | list[int]:
    """Return the positions of the selected values on an axis."""
    if isinstance(selected, slice):
        low = -math.inf if selected.start is None else selected.start
        high = math.inf if selected.stop is None else selected.stop
        if selected.step is not None or isinstance(values[0], str):
            raise InputError(
                f"{name}: only numbers have a range, and no step; use isel for positions"
            )
        inside = [index for index, value in enumerate(values) if low <= float(value) <= high]
        if not inside:
            raise InputError(f"{name} has no value from {low} to {high}")
        return inside
    if isinstance(selected, Real | str):
        return _position(name, values, selected)
    return [_position(name, values, value) for value in selected]


def beyond(name: str, values: tuple[Value, ...]) -> float:
    """Return the number that continues an axis after its last value.

    Three numbers or more at equal steps continue by that step; others that are all positive by the
    ratio of the last two, and the rest by their difference.

    Raises
    ------
    InputError
        For colors, fewer than two numbers, and an axis that ends with infinity.

    Examples
    --------
    >>> beyond("ratio", (1.0, 2.0, 4.0, 8.0)), beyond("seed", (2.0, 1.0, 0.0))
    (16.0, -1.0)
    """
    numbers = [value for value in values if not isinstance(value, str)]
    if len(numbers) < 2:
        raise InputError(f"{name} cannot be extended; an axis of two numbers or more can")
    before, last = numbers[-2:]
    if not math.isfinite(last) or not math.isfinite(before):
        raise InputError(f"{name} cannot be extended beyond {last:g} after {before:g}")
    steps = [second - first for first, second in pairwise(numbers)]
    equal = len(steps) > 1 and all(math.isclose(step, steps[0]) for step in steps)
    if equal or min(numbers) <= 0:
        return last + (last - before)
    return last * (last / before)


def _position(name: str, values: tuple[Value, ...], selected: Real | str) -> int:
    if selected in values:
        return values.index(selected)
    numbers = [value for value in values if not isinstance(value, str)]
    if isinstance(selected, str) or not numbers:
        raise unknown(f"value of {name}", str(selected), map(str, values))
    nearest = min(numbers, key=lambda value: abs(value - float(selected)))
    raise InputError(f"{name} has no value {selected:g}; the nearest is {nearest:g}")
