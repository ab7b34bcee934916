"""Kernels: linear maps between layers that are the same at every position."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from jaxtyping import Float
from torch import Tensor

Pair = tuple[int, int]


@dataclass(frozen=True)
class Kernel:
    """`target[o, p] = Σ weight[o, i, y, x] · source[i, stride·p + offset + (y, x)]`.

    With stride (0, 0) it is the map to one neuron, and `offset` an absolute position in the source.
    """

    weight: Float[Tensor, "out in height width"]
    stride: Pair
    offset: Pair

    @property
    def fixed(self) -> bool:
        """Whether it is the map to one neuron."""
        return self.stride == (0, 0)

    @property
    def size(self) -> Pair:
        """Height and width."""
        return self.weight.shape[2], self.weight.shape[3]

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


def union(kernels: Sequence[Kernel]) -> tuple[Pair, Pair]:
    """Return the offset and size of the smallest window that contains all `kernels`."""
    top, left = (min(kernel.offset[axis] for kernel in kernels) for axis in (0, 1))
    bottom, right = (max(k.offset[axis] + k.size[axis] for k in kernels) for axis in (0, 1))
    return (top, left), (bottom - top, right - left)


def within(weight: Tensor, offset: Pair, kernel: Kernel) -> Tensor:
    """Return the part of `weight`, a window that begins at `offset`, that `kernel` covers."""
    top, left = kernel.offset[0] - offset[0], kernel.offset[1] - offset[1]
    return weight[..., top : top + kernel.size[0], left : left + kernel.size[1]]


def total(kernels: Sequence[Kernel]) -> Kernel:
    """Add parallel kernels, each at its own offset."""
    if len(kernels) == 1:
        return kernels[0]
    offset, size = union(kernels)
    weight = kernels[0].weight.new_zeros(*kernels[0].weight.shape[:2], *size)
    for kernel in kernels:
        within(weight, offset, kernel).add_(kernel.weight)
    return Kernel(weight, kernels[0].stride, offset)
