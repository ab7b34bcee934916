"""The algebra of linear maps between layers: kernels, and what composes them.

A linear map that does the same at every position is a kernel with a stride and an offset. Maps
one after another compose to a kernel, maps side by side add up or stand beside one another, and
so the linearised network between any two layers is one kernel. Composing two convolutions is
itself a convolution (a transposed one), whichever of them is at hand first.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn import functional as F

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
        """Whether it belongs to one neuron."""
        return self.stride == (0, 0)

    @property
    def size(self) -> Pair:
        """Height and width."""
        return self.weight.shape[2], self.weight.shape[3]

    def times(self, factor: float | Tensor) -> "Kernel":
        """Give the kernel times a number, or times what broadcasts to its weight."""
        if isinstance(factor, float) and factor == 1:
            return self
        return replace(self, weight=self.weight * factor)

    def cropped(self, shape: Sequence[int]) -> "Kernel":
        """Leave out what a neuron would read from beyond a map of `shape`: padding is zero."""
        (top, bottom), (left, right) = (
            (max(-o, 0), min(o + n, limit) - o)
            for o, n, limit in zip(self.offset, self.size, shape or (1, 1), strict=True)
        )
        offset = self.offset[0] + top, self.offset[1] + left
        return replace(self, weight=self.weight[..., top:bottom, left:right], offset=offset)


def union(kernels: Sequence[Kernel]) -> tuple[Pair, Pair]:
    """Give the offset and size of the smallest window that holds all `kernels`."""
    top, left = (min(kernel.offset[axis] for kernel in kernels) for axis in (0, 1))
    bottom, right = (max(k.offset[axis] + k.size[axis] for k in kernels) for axis in (0, 1))
    return (top, left), (bottom - top, right - left)


def within(weight: Tensor, offset: Pair, kernel: Kernel) -> Tensor:
    """Give the part of `weight`, a window that begins at `offset`, that `kernel` covers."""
    top, left = kernel.offset[0] - offset[0], kernel.offset[1] - offset[1]
    return weight[..., top : top + kernel.size[0], left : left + kernel.size[1]]


def total(kernels: Sequence[Kernel]) -> Kernel:
    """Add kernels that stand side by side, each at its own offset."""
    if len(kernels) == 1:
        return kernels[0]
    offset, size = union(kernels)
    weight = kernels[0].weight.new_zeros(*kernels[0].weight.shape[:2], *size)
    for kernel in kernels:
        within(weight, offset, kernel).add_(kernel.weight)
    return Kernel(weight, kernels[0].stride, offset)


class Operation(ABC):
    """What a network does between values, as a linear map."""

    @abstractmethod
    def back(self, kernel: Kernel) -> tuple[Kernel, ...]:
        """From the kernel between the output and the target, give those between inputs and it."""

    @abstractmethod
    def forth(self, kernels: Sequence[Kernel | None]) -> Kernel:
        """From the kernels between the source and the inputs, give that between it and the output.

        None stands for an input that the source does not reach.
        """


class Unary(Operation):
    """An operation on one value."""

    def back(self, kernel: Kernel) -> tuple[Kernel]:
        return (self.before(kernel),)

    def forth(self, kernels: Sequence[Kernel | None]) -> Kernel:
        (kernel,) = kernels
        assert kernel is not None
        return self.after(kernel)

    @abstractmethod
    def before(self, kernel: Kernel) -> Kernel:
        """Compose: this, then `kernel`."""

    def after(self, kernel: Kernel) -> Kernel:
        """Compose: `kernel`, then this. Not for what fixes a neuron."""
        raise NotImplementedError


@dataclass(frozen=True)
class Identity(Unary):
    """Nothing is done."""

    def before(self, kernel: Kernel) -> Kernel:
        return kernel

    after = before


@dataclass(frozen=True)
class Convolution(Unary):
    """A convolution, `weight` as torch has it: `(out, in / groups, height, width)`."""

    weight: Float[Tensor, "out in height width"]
    stride: Pair = (1, 1)
    padding: Pair = (0, 0)
    dilation: Pair = (1, 1)
    groups: int = 1

    def before(self, kernel: Kernel) -> Kernel:
        weight = F.conv_transpose2d(
            kernel.weight,
            self.weight,
            stride=self.stride,
            dilation=self.dilation,
            groups=self.groups,
        )
        return _before(kernel, weight, self.stride, self.padding)

    def after(self, kernel: Kernel) -> Kernel:
        apart = self.dilation[0] * kernel.stride[0], self.dilation[1] * kernel.stride[1]
        transposed = self.weight.unflatten(0, (self.groups, -1)).transpose(1, 2).flatten(0, 1)
        weight = F.conv_transpose2d(
            kernel.weight.transpose(0, 1), transposed, dilation=apart, groups=self.groups
        )
        return _after(kernel, weight.transpose(0, 1), self.stride, self.padding)


@dataclass(frozen=True)
class Window(Unary):
    """The same separable window over every channel: average pools, padding.

    Attributes
    ----------
    rows, columns
        The window's weights down and across; it is their product.
    """

    rows: Float[Tensor, " height"]
    columns: Float[Tensor, " width"]
    stride: Pair = (1, 1)
    padding: Pair = (0, 0)

    def before(self, kernel: Kernel) -> Kernel:
        weight = self._spread(kernel, self.stride, (1, 1))
        return _before(kernel, weight, self.stride, self.padding)

    def after(self, kernel: Kernel) -> Kernel:
        weight = self._spread(kernel, (1, 1), kernel.stride)
        return _after(kernel, weight, self.stride, self.padding)

    def _spread(self, kernel: Kernel, step: Pair, apart: Pair) -> Tensor:
        down = _band(self.rows, kernel.size[0], step[0], apart[0])
        across = _band(self.columns, kernel.size[1], step[1], apart[1])
        return down.T @ (kernel.weight @ across)


def _band(taps: Tensor, size: int, step: int, apart: int) -> Float[Tensor, "size wide"]:
    """Build the matrix that puts `taps`, `apart` from one another, at every `step`."""
    reach = apart * torch.arange(len(taps), device=taps.device)
    places = step * torch.arange(size, device=taps.device)[:, None] + reach
    wide = step * (size - 1) + apart * (len(taps) - 1) + 1
    return taps.new_zeros(size, wide).scatter_(1, places, taps.expand(size, -1))


def _before(kernel: Kernel, weight: Tensor, stride: Pair, padding: Pair) -> Kernel:
    """Say where the composition lies of a window and then `kernel`."""
    (sy, sx), (oy, ox) = kernel.stride, kernel.offset
    return Kernel(
        weight,
        (sy * stride[0], sx * stride[1]),
        (oy * stride[0] - padding[0], ox * stride[1] - padding[1]),
    )


def _after(kernel: Kernel, weight: Tensor, stride: Pair, padding: Pair) -> Kernel:
    """Say where the composition lies of `kernel` and then a window."""
    (sy, sx), (oy, ox) = kernel.stride, kernel.offset
    return Kernel(
        weight,
        (sy * stride[0], sx * stride[1]),
        (oy - sy * padding[0], ox - sx * padding[1]),
    )


@dataclass(frozen=True)
class Gain(Unary):
    """Each value times a number: of its channel, or of its channel and position."""

    values: Float[Tensor, "channels height width"]

    def before(self, kernel: Kernel) -> Kernel:
        if self.values.shape[1:] == (1, 1):
            return kernel.times(self.values)
        (top, left), (height, width) = kernel.offset, kernel.size
        return kernel.times(self.values[:, top : top + height, left : left + width])

    def after(self, kernel: Kernel) -> Kernel:
        return kernel.times(self.values[:, None])


@dataclass(frozen=True)
class Routing(Unary):
    """A max pool that takes the values that it took on one picture.

    Attributes
    ----------
    taken
        Where in the flattened input map each output came from.
    shape
        The input map's.
    """

    taken: Int64[Tensor, "channels height width"]
    shape: Pair

    def before(self, kernel: Kernel) -> Kernel:
        (top, left), (height, width) = kernel.offset, kernel.size
        taken = self.taken[:, top : top + height, left : left + width].flatten(1)
        out, channels = kernel.weight.shape[:2]
        weight = kernel.weight.new_zeros(out, channels, self.shape[0] * self.shape[1])
        weight.scatter_add_(2, taken.expand(out, -1, -1), kernel.weight.flatten(2))
        rows, columns = taken // self.shape[1], taken % self.shape[1]
        offset = int(rows.min()), int(columns.min())
        return Kernel(
            weight.unflatten(2, self.shape)[
                ..., offset[0] : int(rows.max()) + 1, offset[1] : int(columns.max()) + 1
            ],
            (0, 0),
            offset,
        )


@dataclass(frozen=True)
class Flattening(Unary):
    """Channels and positions made one axis, as before a fully connected layer."""

    shape: tuple[int, int, int]

    def before(self, kernel: Kernel) -> Kernel:
        weight = kernel.weight.reshape(len(kernel.weight), *self.shape)
        return Kernel(weight, (0, 0), (0, 0))


@dataclass(frozen=True)
class Concatenation(Operation):
    """Values side by side, as channels; `widths` says how many each has."""

    widths: tuple[int, ...]

    def back(self, kernel: Kernel) -> tuple[Kernel, ...]:
        return tuple(
            replace(kernel, weight=part) for part in kernel.weight.split(self.widths, dim=1)
        )

    def forth(self, kernels: Sequence[Kernel | None]) -> Kernel:
        reached = [kernel for kernel in kernels if kernel is not None]
        offset, size = union(reached)
        width = reached[0].weight.shape[1]
        weight = reached[0].weight.new_zeros(sum(self.widths), width, *size)
        for kernel, part in zip(kernels, weight.split(self.widths), strict=True):
            if kernel is not None:
                within(part, offset, kernel).copy_(kernel.weight)
        return Kernel(weight, reached[0].stride, offset)


@dataclass(frozen=True)
class Addition(Operation):
    """A sum of values, each times a number."""

    factors: tuple[float, ...]

    def back(self, kernel: Kernel) -> tuple[Kernel, ...]:
        return tuple(kernel.times(factor) for factor in self.factors)

    def forth(self, kernels: Sequence[Kernel | None]) -> Kernel:
        pairs = zip(kernels, self.factors, strict=True)
        return total([kernel.times(factor) for kernel, factor in pairs if kernel is not None])
