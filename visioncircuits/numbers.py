"""Checks of a user's numbers: of the right kind and in range, or an error of one sentence."""

import math
import operator
from typing import Any

from visioncircuits.errors import InputError


def whole(name: str, value: Any, *, least: int, most: int | None = None) -> int:
    """Return a whole number as an int, whatever its type.

    Raises
    ------
    InputError
        For other values, and numbers out of range.

    Examples
    --------
    >>> whole("size", 24.5, least=1, most=8192)
    Traceback (most recent call last):
    visioncircuits.errors.InputError: size must be a whole number from 1 to 8192, not 24.5
    """
    try:
        number = operator.index(value)
    except TypeError:
        number = least - 1
    if number < least or (most is not None and number > most):
        span = f"of {least} or more" if most is None else f"from {least} to {most}"
        raise InputError(f"{name} must be a whole number {span}, not {value}")
    return number


def real(
    name: str, value: Any, *, least: float = -math.inf, most: float = math.inf, open: bool = False
) -> float:
    """Return a finite number as a float.

    Parameters
    ----------
    open
        Whether the range excludes its ends.

    Raises
    ------
    InputError
        For other values, NaN and infinity, and numbers out of range.

    Examples
    --------
    >>> real("rate", float("nan"), least=0, open=True)
    Traceback (most recent call last):
    visioncircuits.errors.InputError: rate must be a finite number above 0, not nan
    """
    try:
        number = math.nan if isinstance(value, str) else float(value)
    except (TypeError, ValueError):
        number = math.nan
    inside = least < number < most if open else least <= number <= most
    if not math.isfinite(number) or not inside:
        bounds = [f"{'above' if open else 'at least'} {least:g}"] * math.isfinite(least)
        bounds += [f"{'below' if open else 'at most'} {most:g}"] * math.isfinite(most)
        span = " and ".join(bounds)
        raise InputError(f"{name} must be a finite number{span and ' ' + span}, not {value}")
    return number
