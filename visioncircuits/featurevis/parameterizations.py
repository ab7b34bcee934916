"""Image parameterizations: the parameters that are optimized, and the pictures drawn from them.

Colors are optimized where those of natural pictures are uncorrelated; channels that are no colors
as they are, each independent of the others. Source: Mordvintsev et al., "Differentiable Image
Parameterizations" (2018).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Generator, Tensor
from torch.nn import functional as F

from visioncircuits.featurevis import color
from visioncircuits.numbers import real, whole

Maps = Float[Tensor, "batch channels height width"]


@dataclass(frozen=True)
class ParameterizedPictures:
    """Parameters to be optimized, and the function that draws pictures from them.

    `draw()` returns float32 `(batch, channels, height, width)` in [0, 1].
    """

    parameters: tuple[Tensor, ...]
    draw: Callable[[], Maps]


@runtime_checkable
class Parameterization(Protocol):
    """A parameterization of pictures."""

    def initialize(
        self,
        generators: Sequence[Generator],
        shape: tuple[int, int, int],
        *,
        start: Maps | None = None,
        device: torch.device | str = "cpu",
    ) -> ParameterizedPictures:
        """Return a picture `(channels, height, width)` for each generator."""
        ...


def _check_noise(sd: float) -> None:
    real("sd", sd, least=0)


def noise(generators: Sequence[Generator], shape: Sequence[int]) -> Tensor:
    """Return normal noise, each picture's from its own generator."""
    return torch.stack([torch.randn(tuple(shape), generator=g) for g in generators])


@dataclass(frozen=True, kw_only=True)
class Pixels:
    """The pixel values themselves.

    Attributes
    ----------
    sd
        Standard deviation of the initial noise.
    colors
        Whether three channels are red, green and blue. Networks of other channels set it to False.

    Examples
    --------
    >>> Pixels(sd=0).initialize([Generator()], (3, 8, 8)).draw().unique().tolist()
    [0.5]
    """

    sd: float = 0.01
    colors: bool = True

    def __post_init__(self) -> None:
        _check_noise(self.sd)

    def initialize(
        self,
        generators: Sequence[Generator],
        shape: tuple[int, int, int],
        *,
        start: Maps | None = None,
        device: torch.device | str = "cpu",
    ) -> ParameterizedPictures:
        """Return the initial pictures."""
        if start is None:
            values = noise(generators, shape) * self.sd
        else:
            values = color.from_picture(start, colors=self.colors)
        values = values.to(device).requires_grad_(True)
        return ParameterizedPictures(
            (values,), lambda: color.to_picture(values, colors=self.colors)
        )


def frequencies(height: int, width: int) -> Float[Tensor, "height half"]:
    """Return the spatial frequency of each real Fourier coefficient, in cycles a pixel.

    Examples
    --------
    >>> frequencies(4, 4)[0].tolist()
    [0.0, 0.25, 0.5]
    """
    return torch.hypot(torch.fft.fftfreq(height)[:, None], torch.fft.rfftfreq(width))


def power_law(height: int, width: int, power: float) -> Float[Tensor, "height half"]:
    """Return `1 / f**power` for each real Fourier coefficient."""
    return frequencies(height, width).clamp_min(1 / max(height, width)) ** -power


@dataclass(frozen=True, kw_only=True)
class Fourier:
    """Fourier coefficients, scaled by the energy spectrum of natural pictures.

    Attributes
    ----------
    decay
        The energy of a frequency f falls as `1 / f**decay`; natural pictures have 1.
    sd
        Standard deviation of the initial noise.
    colors
        Whether three channels are red, green and blue. Networks of other channels set it to False.

    Examples
    --------
    The starting noise is smoother with a larger decay:

    >>> rough, smooth = (
    ...     Fourier(decay=decay, sd=1).initialize([Generator().manual_seed(0)], (3, 64, 64)).draw()
    ...     for decay in (0.5, 2)
    ... )
    >>> bool(smooth.diff(dim=2).abs().mean() < rough.diff(dim=2).abs().mean())
    True
    """

    decay: float = 1.0
    sd: float = 0.01
    colors: bool = True

    def __post_init__(self) -> None:
        real("decay", self.decay)
        _check_noise(self.sd)

    def initialize(
        self,
        generators: Sequence[Generator],
        shape: tuple[int, int, int],
        *,
        start: Maps | None = None,
        device: torch.device | str = "cpu",
    ) -> ParameterizedPictures:
        """Return the initial pictures."""
        channels, height, width = shape
        scale = power_law(height, width, self.decay)[..., None] / 4
        if start is None:
            values = noise(generators, (channels, *scale.shape[:2], 2)) * self.sd
        else:
            spectrum = torch.fft.rfft2(
                color.from_picture(start.cpu(), colors=self.colors), norm="ortho"
            )
            values = torch.view_as_real(spectrum) / scale
        values, scale = values.to(device).requires_grad_(True), scale.to(device)

        def draw() -> Maps:
            spectrum = torch.view_as_complex(values * scale)
            maps = torch.fft.irfft2(spectrum, s=(height, width), norm="ortho")
            return color.to_picture(maps, colors=self.colors)

        return ParameterizedPictures((values,), draw)


@dataclass(frozen=True, kw_only=True)
class Laplacian:
    """A Laplacian pyramid: a sum of pictures of decreasing resolution.

    Attributes
    ----------
    levels
        Number of pictures; each has half the resolution of the previous one.
    sd
        Standard deviation of the initial noise.
    colors
        Whether three channels are red, green and blue. Networks of other channels set it to False.

    Examples
    --------
    >>> pyramid = Laplacian(levels=3).initialize([Generator()], (3, 64, 64))
    >>> [tuple(level.shape[2:]) for level in pyramid.parameters]
    [(64, 64), (32, 32), (16, 16)]
    """

    levels: int = 5
    sd: float = 0.01
    colors: bool = True

    def __post_init__(self) -> None:
        whole("levels", self.levels, least=1)
        _check_noise(self.sd)

    def initialize(
        self,
        generators: Sequence[Generator],
        shape: tuple[int, int, int],
        *,
        start: Maps | None = None,
        device: torch.device | str = "cpu",
    ) -> ParameterizedPictures:
        """Return the initial pictures."""
        channels, height, width = shape
        sizes = [(-(-height // 2**k), -(-width // 2**k)) for k in range(self.levels)]
        if start is None:
            levels = [noise(generators, (channels, *size)) * self.sd for size in sizes]
        else:
            rest = color.from_picture(start.cpu(), colors=self.colors)
            levels = []
            for size in reversed(sizes):  # coarsest first, each takes the residual
                level = F.interpolate(rest, size, mode="area")
                rest = rest - self._resized(level, (height, width))
                levels.insert(0, level)
        leaves = tuple(level.to(device).requires_grad_(True) for level in levels)

        def draw() -> Maps:
            resized = [self._resized(level, (height, width)) for level in leaves]
            return color.to_picture(torch.stack(resized).sum(0), colors=self.colors)

        return ParameterizedPictures(leaves, draw)

    @staticmethod
    def _resized(level: Tensor, size: tuple[int, int]) -> Tensor:
        if level.shape[-2:] == size:
            return level
        return F.interpolate(level, size, mode="bilinear", align_corners=False)


def without_colors(parameterization: Any) -> Any:
    """Return a parameterization whose channels are no colors, also where there are three.

    One of another library is returned as it is.

    Examples
    --------
    >>> without_colors(Pixels())
    Pixels(sd=0.01, colors=False)
    """
    if not is_dataclass(parameterization) or isinstance(parameterization, type):
        return parameterization
    made: Any = parameterization
    names = {field.name for field in fields(made)}
    if "colors" in names:
        return replace(made, colors=False)
    return replace(made, base=without_colors(made.base)) if "base" in names else made
