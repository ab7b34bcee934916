"""Numbers that a user gives: of the right kind and in range, or refused in one sentence."""

import math
import operator
from typing import Any

from visioncircuits.errors import InputError


def whole(name: str, value: Any, *, least: int, most: int | None = None) -> int:
    """Give a whole number, of whatever type of whole numbers it is.

    Raises
    ------
    InputError
        For anything else, and out of range.

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
    """Give a finite number.

    Parameters
    ----------
    open
        Whether the range is without its ends.

    Raises
    ------
    InputError
        For anything else, NaN and infinity too, and out of range.

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
        told = " and ".join(bounds)
        raise InputError(f"{name} must be a finite number{told and ' ' + told}, not {value}")
    return number
