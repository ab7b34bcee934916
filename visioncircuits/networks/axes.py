"""Receptive fields along one axis of the picture, and how operations change them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import floor

Spans = list[tuple[int, int]]
"""For each output position, the first and the last input position that it depends on."""


@dataclass(frozen=True)
class Axis:
    """Along one axis, neuron `i` sees pixels `offset + stride·i` to `… + size − 1`.

    `stride` 0 means that every neuron sees the same pixels, as after global pooling.
    """

    stride: int
    size: int
    offset: int

    def then(self, *, kernel: int, stride: int, padding: int, dilation: int = 1) -> "Axis":
        """Return the axis after a kernel of `kernel` positions, `stride` positions apart."""
        return Axis(
            stride=self.stride * stride,
            size=self.size + self.stride * (kernel - 1) * dilation,
            offset=self.offset - self.stride * padding,
        )

    def joined(self, other: "Axis") -> "Axis":
        """Return the axis of neurons that take inputs from both."""
        if not (self.stride and other.stride):
            return other if self.stride else self
        first = min(self.offset, other.offset)
        last = max(self.offset + self.size, other.offset + other.size)
        return Axis(max(self.stride, other.stride), last - first, first)

    def through(self, spans: Sequence[tuple[int, int]], step: Fraction) -> "Axis | None":
        """Return the axis of neurons that see positions `first` to `last` of this one each.

        None where they are about `step` positions apart and no whole number of pixels.
        """
        stride = self.stride * step
        if stride.denominator > 1 and step < 1:
            return None
        apart = round(stride)
        seen = [(i, span) for i, span in enumerate(spans) if span[0] <= span[1]]
        first = min(self.offset + self.stride * a - apart * i for i, (a, _) in seen)
        last = max(self.offset + self.stride * b + self.size - apart * i for i, (_, b) in seen)
        return Axis(apart, last - first, first)


def adaptive_pool_spans(size: int, positions: int) -> Spans:
    """Return the spans of an adaptive pool from `size` positions to `positions`."""
    return [(i * size // positions, -(-(i + 1) * size // positions) - 1) for i in range(positions)]


def resampling_spans(middle: Fraction, before: int, after: int) -> Callable[[int, int], Spans]:
    """Return the spans of a resampling, as a function of the input's and the output's size.

    Parameters
    ----------
    middle
        Where the middle of a position is: 0 or 1/2.
    before, after
        How many positions are used beside the one at or left of the middle.
    """

    def spans(size: int, positions: int) -> Spans:
        found = []
        for i in range(positions):
            at = (i + middle) * Fraction(size, positions)
            if before == after:  # the nearest
                found.append((floor(at), floor(at)))
            else:
                at -= middle
                exact = at.denominator == 1  # then its neighbors have no weight
                found.append((floor(at) - before * (not exact), floor(at) + after * (not exact)))
        return found

    return spans


def transposed_convolution_spans(
    positions: int, *, kernel: int, stride: int, padding: int, dilation: int
) -> Spans:
    """Return the spans of a transposed convolution to `positions` positions."""
    return [
        (-((dilation * (kernel - 1) - i - padding) // stride), (i + padding) // stride)
        for i in range(positions)
    ]
