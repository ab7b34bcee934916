"""Sums of float64 values that are the same in whatever order and groups the values are added.

A sum is a row of digits in base 2**44: multiples of 2**-60, of 2**-16, of 2**28, each a float64.
All digits but the last are whole numbers of their units below 2**44, so that adding rows and
carrying rounds nothing, and equal sums have equal digits. What a value has below 2**-60 is dropped
(histograms call zero what is below 2**-20). Values that are not finite make their sum NaN.
"""

from collections.abc import MutableMapping, Sequence
from fractions import Fraction
from functools import reduce

import numpy as np
from jaxtyping import Float64

_UNITS = tuple(2.0 ** (44 * place - 60) for place in range(3))
_AT_ONCE = 256
"""Digits below 2**44, of which the sum is below 2**53."""

Digits = Float64[np.ndarray, "_digits *shape"]
"""The lowest digit first. Two hold sums up to 2**37, three up to 2**81."""


def zero(digits: int, shape: Sequence[int]) -> Digits:
    """Return the sum of no values."""
    return np.zeros((digits, *shape))


def exact(values: Float64[np.ndarray, "values *shape"], digits: int) -> Digits:
    """Add values along the first axis.

    Examples
    --------
    >>> float(value(exact(np.array([1e6, 2.0**-60, -1e6]), 2))) == 2.0**-60
    True
    """
    rest = np.array(values, np.float64)
    found = np.empty((digits, *rest.shape))
    with np.errstate(invalid="ignore"):
        for place in reversed(range(digits)):
            found[place] = np.trunc(rest / _UNITS[place]) * _UNITS[place]
            rest -= found[place]
    groups = (found[:, cut : cut + _AT_ONCE].sum(1) for cut in range(0, len(rest), _AT_ONCE))
    return reduce(add, groups, zero(digits, rest.shape[1:]))


def add_to(sums: MutableMapping[int, Digits], key: int, other: Digits) -> None:
    """Add to the sum of a key, which begins with the first that is added.

    Examples
    --------
    >>> sums = {}
    >>> for _ in range(2):
    ...     add_to(sums, 7, exact(np.array([1.0]), 2))
    >>> float(value(sums[7]))
    2.0
    """
    known = sums.get(key)
    sums[key] = other if known is None else add(known, other)


def add(one: Digits, other: Digits) -> Digits:
    """Add two sums.

    Examples
    --------
    >>> tenth = exact(np.array([0.1]), 2)
    >>> sums = add(add(tenth, tenth), tenth), add(tenth, add(tenth, tenth))
    >>> bool((sums[0] == sums[1]).all())
    True
    """
    sums: np.ndarray = one + other
    with np.errstate(invalid="ignore"):
        for place, unit in enumerate(_UNITS[1 : len(sums)]):
            carry = np.floor(sums[place] / unit) * unit
            sums[place] -= carry
            sums[place + 1] += carry
    return sums


def value(sums: Digits) -> Float64[np.ndarray, "*shape"]:
    """Return sums as they are rounded to float64."""
    return np.asarray(sums[::-1].sum(0), np.float64)


def fraction(sums: Float64[np.ndarray, " _digits"]) -> Fraction:
    """Return one sum as a fraction."""
    return sum(map(Fraction, sums.tolist()), Fraction(0))
