"""Convolutions with a fixed kernel, and what follows them, in one call.

On CPUs oneDNN adds, rectifies and stores a convolution's result at once. Gradients reach the
input alone.
"""

from collections.abc import Hashable
from functools import cache, cached_property
from math import ceil
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

Maps = Float[Tensor, "batch _ _ _"]
Pair = tuple[int, int]

_CHANNELS_LAST = torch.channels_last
_LARGEST_INPUT = 4
"""Up to this number of input channels oneDNN's gradient of a strided convolution is slow."""


_PACKED = 4
"""Number of input shapes for which a kernel keeps its weights prepared: whole and last batches."""


class NotFusible(Exception):
    """The values of a pass rule out convolutions that take in what follows them.

    A parameter or an input is NaN, which oneDNN's rectifier makes zero and torch's does not; or
    what is added has another dtype or other axes, as edits can make it.
    """


def convolution(
    x: Maps, kernel: "Kernel", other: Tensor | None, rectified: bool, checked: bool
) -> Maps:
    """Convolve, add the other value if there is one, and rectify if asked to.

    While torch's functions are intercepted the rectifier is a call of its own, so that its gradient
    can be replaced. Within `torch.autocast` all is computed in its dtype.

    Raises
    ------
    NotFusible
        Where parameters are not finite, or inputs that are to be `checked`, and for two values that
        differ in more than their size.
    """
    x, other = _rounded(x), None if other is None else _rounded(other)
    if other is not None and not _alike(x, other):
        raise NotFusible
    if not kernel.fast(x):
        stride, padding, dilation = kernel.how
        value = F.conv2d(x, kernel.weight, kernel.bias, stride, padding, dilation, kernel.groups)
        value = value if other is None else value.add_(other)
        return torch.relu_(value) if rectified else value
    if not kernel.finite or (checked and not _finite(x, other)):
        raise NotFusible
    apart = rectified and torch._C._len_torch_function_stack() > 0
    value = _Convolution.apply(x, other, kernel, rectified and not apart)
    return torch.relu_(value) if apart else value


def _rounded(value: Tensor) -> Tensor:
    """Round a value as `torch.autocast` does for a convolution, if it is on."""
    device = value.device.type
    rounding = torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device)
    if not rounding or value.dtype != torch.float32:
        return value
    return value.to(torch.get_autocast_dtype(device))


def _finite(*values: Tensor | None) -> bool:
    """Check values by their sums, which is quick; sums that overflow are not finite either."""
    return all(bool(value.detach().sum().isfinite()) for value in values if value is not None)


def _alike(x: Tensor, other: Tensor) -> bool:
    """Check whether the sum of a convolution of `x` and another value is like the former."""
    return (x.dtype, x.ndim, len(x)) == (other.dtype, other.ndim, len(other))


@cache
def _one_dnn(dtype: torch.dtype) -> bool:
    """Check whether this build of torch has oneDNN, and this CPU instructions for the dtype."""
    if not torch._C._has_mkldnn:
        return False
    if dtype == torch.bfloat16:
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    return dtype == torch.float32


class Kernel:
    """A convolution's parameters, with the batch norm that follows it.

    What forward and backward passes need of them is prepared when it is first needed.

    Parameters
    ----------
    weight, bias
        Of the convolution.
    norm
        Mean, variance, weight and bias of the batch norm, and its epsilon, if there is one.
    stride, padding, dilation, groups
        Of the convolution.
    """

    def __init__(
        self,
        weight: Tensor,
        bias: Tensor | None,
        norm: tuple[Tensor, Tensor, Tensor | None, Tensor | None, float] | None,
        stride: Pair,
        padding: Pair,
        dilation: Pair,
        groups: int,
    ) -> None:
        self.weight, self.bias = weight, bias
        self.how = (list(stride), list(padding), list(dilation))
        self.groups = groups
        if norm is not None:
            mean, variance, gain, shift, epsilon = norm
            scale = (variance.double() + epsilon).rsqrt()
            scale = scale if gain is None else scale * gain.double()
            offset = -mean.double() if bias is None else bias.double() - mean.double()
            offset = offset * scale if shift is None else offset * scale + shift.double()
            scaled = weight * scale[:, None, None, None]
            self.weight, self.bias = scaled.to(weight), offset.to(weight)
        self.weight = self.weight.contiguous(memory_format=_CHANNELS_LAST)
        self._packed: dict[Hashable, Tensor] = {}

    @cached_property
    def finite(self) -> bool:
        """Whether no parameter is NaN or infinite."""
        return _finite(self.weight, self.bias)

    def packed(self, x: Maps) -> Tensor:
        """Return the weights in the order in which oneDNN reads them for such an input."""
        like = x.shape, x.dtype
        if like not in self._packed:
            if len(self._packed) == _PACKED:
                del self._packed[next(iter(self._packed))]
            stride, padding, dilation = self.how
            self._packed[like] = torch.ops.mkldnn._reorder_convolution_weight(
                self.weight.to(x.dtype), padding, stride, dilation, self.groups, list(x.shape)
            )
        return self._packed[like]

    def fast(self, x: Maps) -> bool:
        """Check whether oneDNN's fused convolution applies."""
        on_cpu = x.device.type == self.weight.device.type == "cpu"
        single = self.weight.dtype == torch.float32
        return on_cpu and single and bool(torch.backends.mkldnn.enabled) and _one_dnn(x.dtype)

    def forward(self, x: Maps, other: Maps | None, *, rectified: bool) -> Maps:
        """Convolve, add the other value and rectify, without a gradient."""
        stride, padding, dilation = self.how
        x = x.contiguous(memory_format=_CHANNELS_LAST)
        weight, how = self.packed(x), (padding, stride, dilation, self.groups)
        bias = None if self.bias is None else self.bias.to(x.dtype)
        fused = torch.ops.mkldnn._convolution_pointwise
        if other is None:
            found: Tensor = fused(x, weight, bias, *how, "relu" if rectified else "none", [], "")
            return found
        other = other.contiguous(memory_format=_CHANNELS_LAST)
        act = "relu" if rectified else None
        found = fused.binary(x, other, weight, bias, *how, "add", 1.0, act, [], "")
        return found

    def gradient(self, grad: Maps, shape: torch.Size) -> Maps:
        """Return the gradient of the input of this shape."""
        stride, padding, dilation = self.how
        if not torch.is_grad_enabled() and self.groups == 1:
            grad = grad.contiguous(memory_format=_CHANNELS_LAST)
            if self._turned is not None:
                return self._turned.forward(grad, None, rectified=False)
            if self._phases is not None:
                return self._phases.gradient(grad, shape)
        like = torch.empty(
            shape, dtype=grad.dtype, device=grad.device, memory_format=_CHANNELS_LAST
        )
        found: Tensor = torch.ops.aten.convolution_backward(
            grad, like, self.weight.to(grad.dtype), None, stride, padding, dilation, False, [0, 0],
            self.groups, [True, False, False],
        )[0]  # fmt: skip
        return found

    @cached_property
    def _turned(self) -> "Kernel | None":
        """The convolution that is the gradient of one of stride 1."""
        stride, padding, dilation = self.how
        spans = [d * (k - 1) for k, d in zip(self.weight.shape[2:], dilation, strict=True)]
        over = [span - p for span, p in zip(spans, padding, strict=True)]
        if stride != [1, 1] or min(over) < 0:
            return None
        turned = self.weight.flip(2, 3).transpose(0, 1)
        return Kernel(turned, None, None, (1, 1), (over[0], over[1]), (dilation[0], dilation[1]), 1)

    @cached_property
    def _phases(self) -> "_Phases | None":
        """The same of a strided one with few input channels, such as a network's first."""
        stride, padding, dilation = self.how
        square = stride[0] == stride[1] and padding[0] == padding[1] and dilation == [1, 1]
        if not square or self.weight.shape[1] > _LARGEST_INPUT:
            return None
        return _Phases(self.weight, stride[0], padding[0])


class _Phases:
    """The gradient of a strided convolution, as one of stride 1.

    Pixels whose row and column have the same remainders, divided by the stride, are reached
    through the same part of the kernel; so these are channels of a convolution's result, which are
    then put in their places. oneDNN's own gradient takes two to three times as long where the input
    has few channels.
    """

    def __init__(self, weight: Tensor, stride: int, padding: int) -> None:
        units, channels, *sides = weight.shape
        # A pixel at stride · q + r gets weight r + padding - stride · d from the neuron at q + d.
        self.stride, self.first = stride, ceil((padding + 1 - max(sides)) / stride)
        self.last = (stride - 1 + padding) // stride
        offsets = range(self.first, self.last + 1)
        turned = weight.new_zeros(channels, stride, stride, units, len(offsets), len(offsets))
        taps = [
            (rest, number, rest + padding - stride * offset)
            for rest in range(stride)
            for number, offset in enumerate(offsets)
        ]
        for row, down, y in taps:
            for column, right, x in taps:
                if 0 <= y < sides[0] and 0 <= x < sides[1]:
                    turned[:, row, column, :, down, right] = weight[:, :, y, x].T
        self.weight = turned.flatten(0, 2)
        self.kernels: dict[int, Kernel] = {}

    def gradient(self, grad: Maps, shape: torch.Size) -> Maps:
        """Return the gradient of the input of this shape."""
        sides = [ceil(side / self.stride) for side in shape[2:]]
        missing = [side + self.last - own for side, own in zip(sides, grad.shape[2:], strict=True)]
        padding = max(-self.first, *missing, 0)
        if padding not in self.kernels:
            how = (1, 1), (padding, padding), (1, 1), 1
            self.kernels[padding] = Kernel(self.weight, None, None, *how)
        rows, columns = (slice(self.first + padding, self.first + padding + n) for n in sides)
        found = self.kernels[padding].forward(grad, None, rectified=False)
        placed = F.pixel_shuffle(found[:, :, rows, columns], self.stride)
        return placed[:, :, : shape[2], : shape[3]]


class _Convolution(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, other: Tensor | None, kernel: Kernel, rectified: bool) -> Any:
        value = kernel.forward(x, other, rectified=rectified)
        ctx.kernel, ctx.shape = kernel, x.shape
        ctx.rectified = rectified
        if rectified:
            ctx.save_for_backward(value)
        return value

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        (grad,) = grads
        if ctx.rectified:
            (value,) = ctx.saved_tensors
            grad = torch.ops.aten.threshold_backward(grad, value, 0)
        wanted = ctx.needs_input_grad[0]
        found = ctx.kernel.gradient(grad, ctx.shape) if wanted else None
        return found, grad if ctx.needs_input_grad[1] else None, None, None
