"""Replaced gradients of rectifiers and max pools, within a context.

They work on any network, whether it uses `nn.ReLU()`, `F.relu(x)` or `x.relu_()`, since the
contexts intercept the calls of torch's functions.
"""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Bool
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from visioncircuits.errors import InputError

_RELU: set[Any] = {F.relu, torch.relu, torch.Tensor.relu, torch.ops.aten.relu}
_RELU_IN_PLACE: set[Any] = {torch.relu_, torch.Tensor.relu_}
_MAX_POOL: set[Any] = {F.max_pool2d, torch.max_pool2d}
_MAX_POOL_WITH_INDICES: set[Any] = {F.max_pool2d_with_indices}


class _RedirectedReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, inplace: bool, samples: Tensor | None) -> Tensor:
        if inplace:
            ctx.mark_dirty(x)
        rectified = x.clamp_min_(0) if inplace else x.clamp_min(0)
        ctx.save_for_backward(rectified)
        ctx.samples = samples
        return rectified

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        (grad,) = grads
        (rectified,) = ctx.saved_tensors
        plain = torch.ops.aten.threshold_backward(grad, rectified, 0)
        selects = ctx.samples is not None and len(ctx.samples) == len(grad)
        chosen = ctx.samples if selects else slice(None)
        passed, rest = plain[chosen], tuple(range(1, grad.ndim))
        blocked = torch.linalg.vector_norm(passed, torch.inf, dim=rest, keepdim=True) == 0
        if blocked.any():
            # Of a blocked gradient, only the negative part, which raises a neuron, is passed.
            plain[chosen] = torch.where(blocked, grad[chosen].clamp_max(0), passed)
        return plain, None, None


class RedirectedReLU(TorchFunctionMode):
    """Redirected ReLU: pass gradients through rectifiers that block all of a sample's gradient.

    A unit that the initial noise does not activate has no gradient. For each sample of which the
    rectifier blocks the whole gradient, the part that raises inactive neurons is passed. Source:
    lucid's `redirected_relu_grad`. The gradient is that of a loss to be minimized.

    Parameters
    ----------
    samples
        The samples to which it applies, bool `(batch,)`. By default all; also all in a rectifier
        whose input has another first dimension.

    Examples
    --------
    >>> x = torch.tensor([[-1.0]], requires_grad=True)
    >>> from visioncircuits.featurevis import gradients
    >>> with gradients.RedirectedReLU():
    ...     loss = -torch.relu(x).sum()
    >>> torch.autograd.grad(loss, x)[0].item()
    -1.0
    """

    def __init__(self, samples: Bool[Tensor, " batch"] | None = None) -> None:
        super().__init__()
        self._samples = samples

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        if func in _RELU:
            return self._redirected(*args, **(kwargs or {}))
        if func in _RELU_IN_PLACE:
            return self._redirected(args[0], inplace=True)
        return func(*args, **(kwargs or {}))

    def _redirected(self, input: Tensor, inplace: bool = False) -> Tensor:
        rectified: Tensor = _RedirectedReLU.apply(input, inplace, self._samples)
        return rectified


class _AveragedMaxPool(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, kernel: Any, stride: Any, padding: Any, ceil: bool) -> Tensor:
        return F.max_pool2d(x, kernel, stride, padding, ceil_mode=ceil)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        x, kernel, stride, padding, ceil = inputs
        ctx.save_for_backward(x)
        ctx.save_for_forward(x)
        ctx.pool = (kernel, kernel if stride is None else stride, padding, ceil)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None, None, None]:
        (x,) = ctx.saved_tensors
        averaged = torch.ops.aten.avg_pool2d_backward(grads[0], x, *ctx.pool, False, None)
        return averaged, None, None, None, None

    @staticmethod
    def jvp(ctx: Any, *changes: Any) -> Tensor:
        return _averaged(ctx, changes[0])


class AveragedMaxPool(TorchFunctionMode):
    """Give max pools the gradient of average pools, divided equally among a window's positions.

    It avoids the checkerboard patterns that the gradient of the largest value causes. Source:
    "Feature Visualization" (2017), on high-frequency patterns from strided operations.

    Examples
    --------
    >>> x = torch.arange(4.0).reshape(1, 1, 2, 2).requires_grad_()
    >>> with AveragedMaxPool():
    ...     largest = F.max_pool2d(x, 2)
    >>> largest.item(), torch.autograd.grad(largest, x)[0].flatten().tolist()
    (3.0, [0.25, 0.25, 0.25, 0.25])
    """

    _pool: type[torch.autograd.Function] = _AveragedMaxPool

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        if func in _MAX_POOL:
            return _pooled(self._pool, *args, **(kwargs or {}))
        if func in _MAX_POOL_WITH_INDICES:
            raise InputError("a max pool that returns indices cannot be averaged; switch one off")
        return func(*args, **(kwargs or {}))


class _RelaxedMaxPool(_AveragedMaxPool):
    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None, None, None]:
        (x,) = ctx.saved_tensors
        with torch.enable_grad():
            leaf = torch.where(x.isfinite(), x, 0).requires_grad_()  # padding may be -inf
            square, mean = (_averaged(ctx, each) for each in (leaf.square(), leaf.abs()))
            (relaxed,) = torch.autograd.grad(square / (_RELAXED + mean), leaf, grads[0])
        return relaxed, None, None, None, None

    @staticmethod
    def jvp(ctx: Any, *changes: Any) -> Tensor:
        (x,) = ctx.saved_tensors
        x = torch.where(x.isfinite(), x, 0)
        square, mean = _averaged(ctx, x.square()), _RELAXED + _averaged(ctx, x.abs())
        along = _averaged(ctx, x * changes[0])
        return (2 * along - square / mean * _averaged(ctx, x.sign() * changes[0])) / mean


def _averaged(ctx: Any, values: Tensor) -> Tensor:
    kernel, stride, padding, ceil = ctx.pool
    return F.avg_pool2d(values, kernel, stride, padding, ceil, count_include_pad=False)


_RELAXED = 1e-2
"""Lucid's, where a window is empty."""


class RelaxedMaxPool(AveragedMaxPool):
    """Give max pools the gradient of a smooth maximum: the mean square over the mean.

    Which position of a window is largest changes by chance, and all of its gradient with it. The
    relaxed gradient is divided among the positions, more to larger values. Source: the
    attribution of "The Building Blocks of Interpretability" (2018), as in lucid.

    Examples
    --------
    >>> x = torch.tensor([[[[1.0, 3.0], [3.0, 1.0]]]]).requires_grad_()
    >>> with RelaxedMaxPool():
    ...     largest = F.max_pool2d(x, 2)
    >>> [round(share, 2) for share in torch.autograd.grad(largest, x)[0].flatten().tolist()]
    [-0.06, 0.44, 0.44, -0.06]
    """

    _pool = _RelaxedMaxPool


def _pooled(
    pool: Any,
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,  # F.max_pool2d passes it even if False
) -> Tensor:
    if dilation not in (1, (1, 1), [1, 1]):
        raise InputError(f"max pools dilated by {dilation} cannot be averaged; only 1 can")
    largest: Tensor = pool.apply(input, kernel_size, stride, padding, ceil_mode)
    return largest
