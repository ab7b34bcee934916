"""Mean, deviation and frequency of activation of a layer's units."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import sqrt
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float32, Float64, Int64
from torch import Tensor

from visioncircuits.examples import exact

_DIGITS = 3
"""Of the sums: a million pictures of 10,000 positions, whose values are above 8, exceed two."""


@dataclass(frozen=True)
class Moments:
    """Moments of each unit's pre-activations over all positions of all pictures.

    Moments of each picture are computed in float32, and added exactly: so the moments of many
    pictures are the same to the byte in whatever order they are joined.

    Attributes
    ----------
    count
        Number of values of each unit.
    sums, squares
        `(digits, units)`: the sums of values and of their squares, see `exact`.
    positive
        Number of values above zero.

    Examples
    --------
    >>> moments = Moments.of([of_each(torch.tensor([[[-1.0]], [[5.0]]]))], positions=1)
    >>> moments.mean, moments.deviation, moments.firing
    (array([2.]), array([3.]), array([0.5]))
    """

    count: int
    sums: exact.Digits
    squares: exact.Digits
    positive: Int64[np.ndarray, " units"]

    def __repr__(self) -> str:
        return f"Moments({len(self.positive)} units, {self.count} values each)"

    @classmethod
    def empty(cls, units: int) -> "Moments":
        """Return the moments of no values."""
        none = exact.zero(_DIGITS, [units])
        return cls(0, none, none, np.zeros(units, np.int64))

    @classmethod
    def of(cls, parts: Sequence["OfEach"], positions: int) -> "Moments":
        """Return the moments of all pictures of which there are moments `of_each`."""
        means, within, positive = (torch.cat(each).double() for each in zip(*parts, strict=True))
        around = positions * means.square()
        return cls(
            len(means) * positions,
            exact.exact((positions * means).cpu().numpy(), _DIGITS),
            exact.exact(torch.cat([within, around]).cpu().numpy(), _DIGITS),
            positive.sum(0).long().cpu().numpy(),
        )

    def joined(self, other: "Moments") -> "Moments":
        """Return the moments of both together."""
        return Moments(
            self.count + other.count,
            exact.add(self.sums, other.sums),
            exact.add(self.squares, other.squares),
            self.positive + other.positive,
        )

    @cached_property
    def mean(self) -> Float64[np.ndarray, " units"]:
        """Means."""
        return exact.value(self.sums) / self.count

    @cached_property
    def deviation(self) -> Float64[np.ndarray, " units"]:
        """Standard deviations."""
        return np.array([
            self._deviation(*digits) for digits in zip(self.sums.T, self.squares.T, strict=True)
        ])  # fmt: skip

    def _deviation(
        self, sums: Float64[np.ndarray, " _digits"], squares: Float64[np.ndarray, " _digits"]
    ) -> float:
        if not (np.isfinite(sums).all() and np.isfinite(squares).all()):
            return np.nan
        variance = exact.fraction(squares) / self.count - (exact.fraction(sums) / self.count) ** 2
        return sqrt(max(float(variance), 0))

    @property
    def firing(self) -> Float64[np.ndarray, " units"]:
        """The fraction of positions at which each unit is positive."""
        return self.positive / self.count


class OfEach(NamedTuple):
    """Each picture's means, sums of squares around these, and numbers of values above zero."""

    means: Float32[Tensor, "pictures units"]
    within: Float32[Tensor, "pictures units"]
    positive: Float32[Tensor, "pictures units"]


def of_each(values: Float32[Tensor, "pictures positions units"]) -> OfEach:
    """Compute the moments of each picture."""
    means = values.mean(1)
    within = (values - means[:, None]).square_().sum(1)
    # sums of floats are the fastest, and exact below 2**24 positions
    positive = torch.gt(values, 0, out=torch.empty_like(values)).sum(1)
    return OfEach(means, within, positive)
