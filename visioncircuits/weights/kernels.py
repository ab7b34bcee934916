"""Kernels: linear maps between layers that are the same at every position."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from math import gcd

import torch
from jaxtyping import Float
from torch import Tensor

Pair = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Filter:
    """The same filter on every channel, the outer product of `rows` (down) and `columns`."""

    rows: Float[Tensor, " height"]
    columns: Float[Tensor, " width"]


@dataclass(frozen=True)
class Kernel:
    """`target[o, p] = Σ weight[o, i, y, x] · source[i, stride·p + offset + (y, x)]`.

    With stride (0, 0) it is the map to one neuron, and `offset` an absolute position in the source.

    So a kernel is when it is `dense`. While it is composed, its weights are `step` neurons apart,
    and yet to be convolved with `filters`, each with how far apart its own weights are: what is the
    same on every channel can wait until there are few channels.
    """

    weight: Float[Tensor, "out in height width"]
    stride: Pair
    offset: Pair
    step: Pair = (1, 1)
    filters: tuple[tuple[Filter, Pair], ...] = ()

    @property
    def fixed(self) -> bool:
        """Whether it is the map to one neuron."""
        return self.stride == (0, 0)

    @property
    def size(self) -> Pair:
        """Number of weights down and across."""
        return self.weight.shape[2], self.weight.shape[3]

    @property
    def apart(self) -> Pair:
        """How far apart weights are; 0 where there is only one."""
        return self.step[0] * (self.size[0] > 1), self.step[1] * (self.size[1] > 1)

    def times(self, factor: float | Tensor) -> "Kernel":
        """Multiply by a number, or by a tensor that broadcasts to the weight."""
        if isinstance(factor, float) and factor == 1:
            return self
        return replace(self, weight=self.weight * factor)

    def cropped(self, shape: Sequence[int]) -> "Kernel":
        """Remove the positions beyond a map of `shape`, where padding is zero."""
        (top, bottom), (left, right) = (
            (max(-o, 0), min(o + n, limit) - o)
            for o, n, limit in zip(self.offset, self.size, shape or (1, 1), strict=True)
        )
        offset = self.offset[0] + top, self.offset[1] + left
        return replace(self, weight=self.weight[..., top:bottom, left:right], offset=offset)

    def dense(self, step: Pair = (1, 1), waiting: int = 0) -> "Kernel":
        """Apply all filters but the first `waiting`; weights are `step` apart then."""
        if self.step == step and len(self.filters) == waiting:
            return self
        due, one = self.filters[waiting:], self.weight.new_ones(1)
        down = band(one, self.size[0], self.step[0] // step[0])
        across = band(one, self.size[1], self.step[1] // step[1])
        for each, apart in due:
            down = down @ band(each.rows, down.shape[1], 1, apart[0] // step[0])
            across = across @ band(each.columns, across.shape[1], 1, apart[1] // step[1])
        weight = down.T @ self.weight @ across
        return replace(self, weight=weight, step=step, filters=self.filters[:waiting])


def band(taps: Tensor, size: int, step: int, apart: int = 1) -> Float[Tensor, "size wide"]:
    """Build the matrix that repeats `taps`, `apart` from each other, at every `step`."""
    reach = apart * torch.arange(len(taps), device=taps.device)
    places = step * torch.arange(size, device=taps.device)[:, None] + reach
    wide = step * (size - 1) + apart * (len(taps) - 1) + 1
    return taps.new_zeros(size, wide).scatter_(1, places, taps.expand(size, -1))


def union(kernels: Sequence[Kernel]) -> tuple[Pair, Pair]:
    """Return the offset and size of the smallest window that contains `kernels` of one step."""
    top, left = (min(kernel.offset[axis] for kernel in kernels) for axis in (0, 1))
    height, width = (
        max((k.offset[axis] - first) // k.step[axis] + k.size[axis] for k in kernels)
        for axis, first in enumerate((top, left))
    )
    return (top, left), (height, width)


def within(weight: Tensor, offset: Pair, kernel: Kernel) -> Tensor:
    """Return the part of `weight`, a window that begins at `offset`, that `kernel` covers."""
    top, left = (
        (own - begin) // step
        for own, begin, step in zip(kernel.offset, offset, kernel.step, strict=True)
    )
    return weight[..., top : top + kernel.size[0], left : left + kernel.size[1]]


def aligned(kernels: Sequence[Kernel]) -> list[Kernel]:
    """Apply the filters that not all have in common, so that weights of all are on one grid."""
    alike = takewhile(
        lambda each: len(set(each)) == 1, zip(*(k.filters for k in kernels), strict=False)
    )
    waiting, first = len(list(alike)), kernels[0].offset
    down, across = (
        gcd(
            *(kernel.step[axis] for kernel in kernels),
            *(kernel.offset[axis] - first[axis] for kernel in kernels),
            *(apart[axis] for kernel in kernels for _, apart in kernel.filters[waiting:]),
        )
        for axis in (0, 1)
    )
    return [kernel.dense((down, across), waiting) for kernel in kernels]


def total(kernels: Sequence[Kernel]) -> Kernel:
    """Add parallel kernels, each at its own offset."""
    if len(kernels) == 1:
        return kernels[0]
    kernels = aligned(kernels)
    offset, size = union(kernels)
    weight = kernels[0].weight.new_zeros(*kernels[0].weight.shape[:2], *size)
    for kernel in kernels:
        within(weight, offset, kernel).add_(kernel.weight)
    return replace(kernels[0], weight=weight, offset=offset)
