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


class _NormalizeByWindows(torch.autograd.Function):
    """The same on a CPU: sums over windows of units cost less there than a product with the band.

    Pictures are computed one by one, so that what one needs stays in the processor's cache.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, alpha: float, k: float, beta: float, size: int) -> Tensor:
        found = torch.empty_like(x)
        part = x.new_full((), k / size)
        padded, inside = _padded(x, size, k / size)
        scales, gains = [], []
        for one, value in zip(_pictures(x), _pictures(found), strict=True):
            torch.addcmul(part, one, one, value=alpha, out=inside)
            scales.append(_window_sums(padded, size))
            gains.append(_power(scales[-1], beta))
            torch.mul(one, gains[-1], out=value)
        ctx.save_for_backward(x, *scales, *gains)
        ctx.constants = alpha, beta, size
        return found

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> Any:
        (grad,) = grads
        x, *kept = ctx.saved_tensors
        scales, gains = kept[: len(x)], kept[len(x) :]
        alpha, beta, size = ctx.constants
        found = torch.empty_like(x)
        padded, inside = _padded(x, size, 0.0)
        parts = _pictures(x), _pictures(grad), _pictures(found)
        for one, given, through, scale, gain in zip(*parts, scales, gains, strict=True):
            torch.mul(given, gain, out=through)
            torch.mul(through, one, out=inside).div_(scale)
            through.addcmul_(one, _window_sums(padded, size), value=-2 * beta * alpha)
        return found, None, None, None, None


def _pictures(maps: Tensor) -> tuple[Tensor, ...]:
    """Return each picture of a batch as a batch of one, without a copy."""
    return maps.unsqueeze(1).unbind()


def _padded(x: Tensor, size: int, value: float) -> tuple[Tensor, Tensor]:
    """Return memory for one picture, in which a value surrounds the units, and these inside it."""
    _, units, *sides = x.shape
    padded = torch.empty(
        (1, units + size - 1, *sides),
        dtype=x.dtype,
        device=x.device,
        memory_format=torch.channels_last,
    ).fill_(value)
    return padded, padded.narrow(1, size // 2, units)


def _window_sums(padded: Tensor, size: int) -> Tensor:
    """Sum over windows of neighboring units, each sum of 2, 4, 8, … made of two smaller ones."""
    units = padded.shape[1] - size + 1
    sums, width, first = padded, 1, 0  # of windows of this width
    total = None
    while width <= size:
        if size & width:
            part = sums.narrow(1, first, units)
            total = part if total is None else total + part
            first += width
        if 2 * width <= size:
            left = sums.shape[1] - width
            sums = sums.narrow(1, 0, left) + sums.narrow(1, width, left)
        width *= 2
    assert total is not None
    return total.clone() if total.data_ptr() == padded.data_ptr() else total


def normalized(
    x: Float[Tensor, "batch channels height width"],
    band: Float[Tensor, "channels channels 1 1"],
    bias: Float[Tensor, " channels"],
    beta: float,
    size: int,
) -> Float[Tensor, "batch channels height width"]:
    """Normalize: `x · (bias + band ∗ x²)^−beta`; one torch function to a tracer.

    The band sums over `size` units.
    """
    if has_torch_function_unary(x):
        return handle_torch_function(normalized, (x,), x, band, bias, beta, size)
    with torch.autocast(x.device.type, enabled=False):  # squares overflow in half precision
        x = x.to(band.dtype)
        if x.device.type == "cpu":
            constants = float(band[0, 0]), float(bias[0]), beta, size
            divided: Tensor = _NormalizeByWindows.apply(x, *constants)
        else:
            divided = _Normalize.apply(x, band, bias, beta)
        return divided


class LocalResponseNorm(nn.Module):
    """Divide each unit by the energy of its neighbors: `x · (k + alpha/size · Σ x²)^−beta`.

    On a GPU the sum over `size` neighboring channels is a 1x1 convolution with a banded matrix on
    the squares. Parameters are those of `torch.nn.LocalResponseNorm`, and so is the value, to float
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
        return normalized(x, self.band, self.bias, self.beta, self.size)

    def extra_repr(self) -> str:
        """Show the four parameters."""
        return f"size={self.size}, alpha={self.alpha:g}, beta={self.beta}, k={self.k}"
