"""The linear operations of a network, and how each composes with a kernel.

Operations in sequence compose to a kernel, parallel ones are added or concatenated, so the
linearized network between any two layers is one kernel. Composing two convolutions is itself a
(transposed) convolution, in either order. There is a class for each kind of operation, so the
module has some 320 lines.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import gcd

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn import functional as F

from visioncircuits.weights.kernels import Filter, Kernel, Pair, aligned, total, union, within


class Operation(ABC):
    """A linear map between values of a network."""

    @abstractmethod
    def back(self, kernel: Kernel) -> tuple[Kernel, ...]:
        """Return the kernels from each input to the target, given that from the output to it."""

    @abstractmethod
    def forth(self, kernels: Sequence[Kernel | None]) -> Kernel:
        """Return the kernel from the source to the output, given those from it to each input.

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
        """Compose: this operation, then `kernel`."""

    def after(self, kernel: Kernel) -> Kernel:
        """Compose: `kernel`, then this operation. Not for operations that select one neuron."""
        raise NotImplementedError


@dataclass(frozen=True)
class Identity(Unary):
    """No operation."""

    def before(self, kernel: Kernel) -> Kernel:
        return kernel

    after = before


@dataclass(frozen=True)
class Chain(Unary):
    """Operations one after another; none is the identity."""

    parts: tuple[Unary, ...]

    def before(self, kernel: Kernel) -> Kernel:
        for part in reversed(self.parts):
            kernel = part.before(kernel)
        return kernel

    def after(self, kernel: Kernel) -> Kernel:
        for part in self.parts:
            kernel = part.after(kernel)
        return kernel


@dataclass(frozen=True)
class Convolution(Unary):
    """A convolution, with `weight` as in torch: `(out, in / groups, height, width)`."""

    weight: Float[Tensor, "out in height width"]
    stride: Pair = (1, 1)
    padding: Pair = (0, 0)
    dilation: Pair = (1, 1)
    groups: int = 1

    def before(self, kernel: Kernel) -> Kernel:
        stride, dilation, step = _grid(_product(kernel.apart, self.stride), self._apart)
        weight = F.conv_transpose2d(
            kernel.weight, self.weight, stride=stride, dilation=dilation, groups=self.groups
        )
        return _before(replace(kernel, weight=weight), self, step)

    def after(self, kernel: Kernel) -> Kernel:
        stride, dilation, step = _grid(kernel.apart, _product(kernel.stride, self._apart))
        transposed = (
            self.weight.reshape(self.groups, -1, *self.weight.shape[1:])
            .transpose(1, 2)
            .flatten(0, 1)
        )
        weight = F.conv_transpose2d(
            kernel.weight.transpose(0, 1),
            transposed,
            stride=stride,
            dilation=dilation,
            groups=self.groups,
        )
        return _after(replace(kernel, weight=weight.transpose(0, 1)), self, step)

    @property
    def _apart(self) -> Pair:
        """How far apart weights are; 0 where there is only one."""
        height, width = self.weight.shape[2:]
        return self.dilation[0] * (height > 1), self.dilation[1] * (width > 1)


@dataclass(frozen=True, eq=False)
class SeparableFilter(Filter, Unary):
    """The same separable filter on every channel: average pools, padding."""

    stride: Pair = (1, 1)
    padding: Pair = (0, 0)

    def before(self, kernel: Kernel) -> Kernel:
        return _before(kernel, self, _product(kernel.step, self.stride), (self, (1, 1)))

    def after(self, kernel: Kernel) -> Kernel:
        return _after(kernel, self, kernel.step, (self, kernel.stride))


def _product(one: Pair, other: Pair) -> Pair:
    return one[0] * other[0], one[1] * other[1]


def _grid(one: Pair, other: Pair) -> tuple[Pair, Pair, Pair]:
    """Divide how far apart weights of two kernels are by the step of their composition.

    Returns
    -------
    tuple
        The stride and the dilation with which they are composed, and the step.
    """
    down, across = (gcd(*apart) or 1 for apart in zip(one, other, strict=True))
    stride, dilation = (
        (max(apart[0] // down, 1), max(apart[1] // across, 1)) for apart in (one, other)
    )
    return stride, dilation, (down, across)


def _before(
    kernel: Kernel, operation: Convolution | SeparableFilter, step: Pair, *own: tuple[Filter, Pair]
) -> Kernel:
    """Return the composition of an operation and then `kernel`, which has its weights."""
    (oy, ox), (py, px) = _product(kernel.offset, operation.stride), operation.padding
    filters = tuple((each, _product(apart, operation.stride)) for each, apart in kernel.filters)
    stride = _product(kernel.stride, operation.stride)
    found = Kernel(kernel.weight, stride, (oy - py, ox - px), step, filters + own)
    return found.dense() if found.fixed else found


def _after(
    kernel: Kernel, operation: Convolution | SeparableFilter, step: Pair, *own: tuple[Filter, Pair]
) -> Kernel:
    """Return the composition of `kernel`, which has its weights, and then an operation."""
    (oy, ox), (py, px) = kernel.offset, _product(kernel.stride, operation.padding)
    stride = _product(kernel.stride, operation.stride)
    return Kernel(kernel.weight, stride, (oy - py, ox - px), step, kernel.filters + own)


@dataclass(frozen=True)
class Gain(Unary):
    """Multiplication by a number for each channel, or for each channel and position."""

    values: Float[Tensor, "channels height width"]

    def before(self, kernel: Kernel) -> Kernel:
        if self.values.shape[1:] == (1, 1):
            return kernel.times(self.values)
        (top, left), (height, width) = kernel.offset, kernel.size
        return kernel.times(self.values[:, top : top + height, left : left + width])

    def after(self, kernel: Kernel) -> Kernel:
        return kernel.times(self.values[:, None])


@dataclass(frozen=True)
class Resampling(Unary):
    """A separable linear map on positions that is not the same at each: to one neuron only.

    Attributes
    ----------
    rows, columns
        What each row, or column, of the output takes of those of the input.
    """

    rows: Float[Tensor, "out_height height"]
    columns: Float[Tensor, "out_width width"]

    def before(self, kernel: Kernel) -> Kernel:
        assert kernel.fixed
        (top, left), (height, width) = kernel.offset, kernel.size
        rows, columns = self.rows[top : top + height], self.columns[left : left + width]
        (first, last), (begin, end) = map(_reach, (rows, columns))
        weight = rows[:, first:last].T @ (kernel.weight @ columns[:, begin:end])
        return Kernel(weight, (0, 0), (first, begin))


def _reach(matrix: Tensor) -> Pair:
    """Return the first column that is not zero, and the one after the last."""
    used = matrix.any(0).nonzero()
    return int(used[0]), int(used[-1]) + 1


@dataclass(frozen=True)
class Routing(Unary):
    """A max pool that selects the inputs that were the maxima on one picture.

    Attributes
    ----------
    selected
        The index in the flattened input map of the input selected for each output.
    shape
        Of the input map.
    """

    selected: Int64[Tensor, "channels height width"]
    shape: Pair

    def before(self, kernel: Kernel) -> Kernel:
        (top, left), (height, width) = kernel.offset, kernel.size
        selected = self.selected[:, top : top + height, left : left + width].flatten(1)
        out, channels = kernel.weight.shape[:2]
        weight = kernel.weight.new_zeros(out, channels, self.shape[0] * self.shape[1])
        weight.scatter_add_(2, selected.expand(out, -1, -1), kernel.weight.flatten(2))
        rows, columns = selected // self.shape[1], selected % self.shape[1]
        offset = int(rows.min()), int(columns.min())
        return Kernel(
            weight.reshape(*weight.shape[:2], *self.shape)[
                ..., offset[0] : int(rows.max()) + 1, offset[1] : int(columns.max()) + 1
            ],
            (0, 0),
            offset,
        )


@dataclass(frozen=True)
class Flattening(Unary):
    """Channels and positions flattened to one axis, as before a fully connected layer."""

    shape: tuple[int, int, int]

    def before(self, kernel: Kernel) -> Kernel:
        weight = kernel.weight.reshape(len(kernel.weight), *self.shape)
        return Kernel(weight, (0, 0), (0, 0))


@dataclass(frozen=True)
class Concatenation(Operation):
    """A concatenation along channels; `widths` are the numbers of channels of the inputs."""

    widths: tuple[int, ...]

    def back(self, kernel: Kernel) -> tuple[Kernel, ...]:
        return tuple(
            replace(kernel, weight=part)
            for part in torch.split(kernel.weight, list(self.widths), 1)
        )

    def forth(self, kernels: Sequence[Kernel | None]) -> Kernel:
        reached = aligned([kernel for kernel in kernels if kernel is not None])
        offset, size = union(reached)
        width = reached[0].weight.shape[1]
        weight = reached[0].weight.new_zeros(sum(self.widths), width, *size)
        parts = torch.split(weight, list(self.widths))
        filled = (part for part, given in zip(parts, kernels, strict=True) if given is not None)
        for kernel, part in zip(reached, filled, strict=True):
            within(part, offset, kernel).copy_(kernel.weight)
        return replace(reached[0], weight=weight, offset=offset)


@dataclass(frozen=True)
class Addition(Operation):
    """A sum of values, each multiplied by a number.

    Attributes
    ----------
    factors
        The numbers.
    widths
        The values' numbers of channels: that of the sum, or 1 for what is added to every channel.
    """

    factors: tuple[float, ...]
    widths: tuple[int, ...]

    def back(self, kernel: Kernel) -> tuple[Kernel, ...]:
        return tuple(
            self._narrowed(kernel, width).times(factor)
            for factor, width in zip(self.factors, self.widths, strict=True)
        )

    def _narrowed(self, kernel: Kernel, width: int) -> Kernel:
        if width == max(self.widths):
            return kernel
        return replace(kernel, weight=kernel.weight.sum(1, keepdim=True))

    def forth(self, kernels: Sequence[Kernel | None]) -> Kernel:
        found = []
        for kernel, factor in zip(kernels, self.factors, strict=True):
            if kernel is not None:
                wide = kernel.weight.expand(max(self.widths), -1, -1, -1)
                found.append(replace(kernel, weight=wide).times(factor))
        return total(found)
