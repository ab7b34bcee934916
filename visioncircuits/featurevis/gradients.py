"""Other gradients for rectifiers and max pools, for as long as a context lasts.

They work on any network, whether it writes `nn.ReLU()`, `F.relu(x)` or `x.relu_()`, because they
stand between torch's functions and their callers.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

_RELU: set[Any] = {
    F.relu,
    torch.relu,
    torch.relu_,
    torch.Tensor.relu,
    torch.Tensor.relu_,
    torch.ops.aten.relu,
}
_MAX_POOL: set[Any] = {torch.max_pool2d, F.max_pool2d, F._max_pool2d}


class _RedirectedReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x.clamp_min(0)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        (grad,) = grads
        (x,) = ctx.saved_tensors
        plain = torch.where(x > 0, grad, 0)
        blocked = (plain == 0).flatten(1).all(1).reshape(-1, *[1] * (x.ndim - 1))
        # What would push an inactive neuron further down stays blocked.
        redirected = torch.where((x < 0) & (grad > 0), 0, grad)
        return torch.where(blocked, redirected, plain)


class RedirectedReLU(TorchFunctionMode):
    """Let gradients through rectifiers where otherwise none would pass.

    A unit that does not answer to the starting noise has no gradient. Per sample, and only where
    the rectifier blocks all of that sample's gradient, what would raise an inactive neuron is let
    through. Source: lucid's `redirected_relu_grad`. The gradient is that of a loss to be lowered.

    Examples
    --------
    >>> x = torch.tensor([[-1.0]], requires_grad=True)
    >>> with RedirectedReLU():
    ...     loss = -torch.relu(x).sum()
    >>> torch.autograd.grad(loss, x)[0].item()
    -1.0
    """

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        if func in _RELU:
            return _RedirectedReLU.apply(args[0] if args else (kwargs or {})["input"])
        return func(*args, **(kwargs or {}))


class AveragedMaxPool(TorchFunctionMode):
    """Give max pools the gradient of average pools: every position in a window gets its share.

    It spares pictures the checkerboard that follows the winners. Source: "Feature Visualization"
    (2017), on high-frequency patterns from strided operations.

    Examples
    --------
    >>> x = torch.arange(4.0).reshape(1, 1, 2, 2).requires_grad_()
    >>> with AveragedMaxPool():
    ...     largest = F.max_pool2d(x, 2)
    >>> largest.item(), torch.autograd.grad(largest, x)[0].flatten().tolist()
    (3.0, [0.25, 0.25, 0.25, 0.25])
    """

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        if func in _MAX_POOL:
            return _averaged(*args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))


def _averaged(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Tensor:
    with torch.no_grad():
        largest = F.max_pool2d(input, kernel_size, stride, padding, dilation, ceil_mode)
    average = F.avg_pool2d(input, kernel_size, stride, padding, ceil_mode, count_include_pad=False)
    return average + (largest - average.detach())
