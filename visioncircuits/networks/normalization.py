"""Local response normalization that costs less than the convolutions around it."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F
from torch.overrides import handle_torch_function, has_torch_function_unary

from visioncircuits.errors import InputError


def _power(scale: Tensor, beta: float) -> Tensor:
    """`scale ** -beta`, by square roots where possible: `pow` takes ten times as long."""
    if beta == 0.5:
        return scale.rsqrt()
    if beta == 0.75:
        root = scale.rsqrt()
        return root.sqrt().mul_(root)
    return scale.pow(-beta)


class _Normalize(torch.autograd.Function):
    """`x · (k + band ∗ x²)^−beta`, with a gradient that stores no tensor twice."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, band: Tensor, bias: Tensor, beta: float) -> Tensor:
        squares = x * x
        scale = F.conv2d(squares, band, bias)
        gain = _power(scale, beta)
        ctx.save_for_backward(x, band, scale, gain)
        ctx.beta = beta
        return torch.mul(x, gain, out=squares)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> Any:
        (grad,) = grads
        x, band, scale, gain = ctx.saved_tensors
        through = grad * gain
        energy = (through * x).div_(scale)
        pooled = F.conv2d(energy, band)  # the band is its own transpose
        return through.addcmul_(x, pooled, value=-2 * ctx.beta), None, None, None


def normalized(
    x: Float[Tensor, "batch channels height width"],
    band: Float[Tensor, "channels channels 1 1"],
    bias: Float[Tensor, " channels"],
    beta: float,
) -> Float[Tensor, "batch channels height width"]:
    """Normalize: `x · (bias + band ∗ x²)^−beta`; one torch function to a tracer."""
    if has_torch_function_unary(x):
        return handle_torch_function(normalized, (x,), x, band, bias, beta)
    with torch.autocast(x.device.type, enabled=False):  # squares overflow in half precision
        divided: Tensor = _Normalize.apply(x.to(band.dtype), band, bias, beta)
        return divided


class LocalResponseNorm(nn.Module):
    """Divide each unit by the energy of its neighbors: `x · (k + alpha/size · Σ x²)^−beta`.

    The sum over `size` neighboring channels is a 1x1 convolution with a banded matrix on the
    squares. Parameters are those of `torch.nn.LocalResponseNorm`, and so is the value, to float
    rounding. It can be differentiated once.

    Source: Krizhevsky, Sutskever and Hinton, "ImageNet Classification with Deep Convolutional
    Neural Networks" (2012), section 3.3.

    Raises
    ------
    InputError
        For an even `size`, which has no center.

    Examples
    --------
    >>> x = torch.rand(1, 8, 4, 4)
    >>> ours = LocalResponseNorm(8, size=5, alpha=1e-4, beta=0.75, k=1.0)(x)
    >>> torch.allclose(ours, nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=1.0)(x))
    True
    """

    band: Tensor
    bias: Tensor

    def __init__(self, channels: int, *, size: int, alpha: float, beta: float, k: float) -> None:
        super().__init__()
        if size % 2 == 0:
            raise InputError(f"the size of a local response norm must be odd, not {size}")
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k
        index = torch.arange(channels)
        near = (index[:, None] - index).abs() <= size // 2
        self.register_buffer("band", near.float()[..., None, None] * (alpha / size), False)
        self.register_buffer("bias", torch.full((channels,), k), False)

    def forward(
        self, x: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch channels height width"]:
        """Normalize."""
        return normalized(x, self.band, self.bias, self.beta)

    def extra_repr(self) -> str:
        """Show the four parameters."""
        return f"size={self.size}, alpha={self.alpha:g}, beta={self.beta}, k={self.k}"
