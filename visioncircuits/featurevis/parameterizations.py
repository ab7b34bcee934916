"""How a picture is written down for the optimizer: what it moves, and how that makes a picture.

Source: "Differentiable Image Parameterizations" (2018); MACO from Fel et al., "Unlocking Feature
Visualization for Deeper Networks with MAgnitude Constrained Optimization" (2023).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Generator, Tensor
from torch.nn import functional as F

from visioncircuits.errors import InputError
from visioncircuits.featurevis import color
from visioncircuits.numbers import real, whole

Maps = Float[Tensor, "batch channels height width"]


@dataclass(frozen=True)
class Canvas:
    """Parameters for an optimizer to move, and the pictures that they stand for now.

    `draw()` gives float32 `(batch, channels, height, width)` in [0, 1].
    """

    parameters: tuple[Tensor, ...]
    draw: Callable[[], Maps]


@runtime_checkable
class Parameterization(Protocol):
    """A way to write pictures down."""

    def canvas(
        self,
        generators: Sequence[Generator],
        shape: tuple[int, int, int],
        *,
        start: Maps | None = None,
        device: torch.device | str = "cpu",
    ) -> Canvas:
        """Begin one picture of `(channels, height, width)` a generator, from `start` or noise."""
        ...


def _check_noise(sd: float) -> None:
    real("sd", sd, least=0)


def _noise(generators: Sequence[Generator], shape: Sequence[int]) -> Tensor:
    """Draw normal noise, each picture's from its own generator."""
    return torch.stack([torch.randn(tuple(shape), generator=g) for g in generators])


@dataclass(frozen=True, kw_only=True)
class Pixels:
    """The values of the pixels themselves.

    Attributes
    ----------
    sd
        Standard deviation of the noise to start from.
    """

    sd: float = 0.01

    def __post_init__(self) -> None:
        _check_noise(self.sd)

    def canvas(
        self,
        generators: Sequence[Generator],
        shape: tuple[int, int, int],
        *,
        start: Maps | None = None,
        device: torch.device | str = "cpu",
    ) -> Canvas:
        """Begin the pictures."""
        values = _noise(generators, shape) * self.sd if start is None else color.from_picture(start)
        values = values.to(device).requires_grad_(True)
        return Canvas((values,), lambda: color.to_picture(values))


def frequencies(height: int, width: int) -> Float[Tensor, "height half"]:
    """Give the spatial frequency of each coefficient of a real Fourier transform, cycles a pixel.

    Examples
    --------
    >>> frequencies(4, 4)[0].tolist()
    [0.0, 0.25, 0.5]
    """
    return torch.hypot(torch.fft.fftfreq(height)[:, None], torch.fft.rfftfreq(width))


def _decay(height: int, width: int, power: float) -> Float[Tensor, "height half"]:
    return frequencies(height, width).clamp_min(1 / max(height, width)) ** -power


@dataclass(frozen=True, kw_only=True)
class Fourier:
    """Fourier coefficients, scaled so that all frequencies move with natural pictures' energy.

    Attributes
    ----------
    decay
        The energy of a frequency f falls as `1 / f**decay`; 1 is that of natural pictures.
    sd
        Standard deviation of the noise to start from.
    """

    decay: float = 1.0
    sd: float = 0.01

    def __post_init__(self) -> None:
        real("decay", self.decay)
        _check_noise(self.sd)

    def canvas(
        self,
        generators: Sequence[Generator],
        shape: tuple[int, int, int],
        *,
        start: Maps | None = None,
        device: torch.device | str = "cpu",
    ) -> Canvas:
        """Begin the pictures."""
        channels, height, width = shape
        scale = _decay(height, width, self.decay)[..., None] / 4
        if start is None:
            values = _noise(generators, (channels, *scale.shape[:2], 2)) * self.sd
        else:
            spectrum = torch.fft.rfft2(color.from_picture(start.cpu()), norm="ortho")
            values = torch.view_as_real(spectrum) / scale
        values, scale = values.to(device).requires_grad_(True), scale.to(device)

        def draw() -> Maps:
            spectrum = torch.view_as_complex(values * scale)
            return color.to_picture(torch.fft.irfft2(spectrum, s=(height, width), norm="ortho"))

        return Canvas((values,), draw)


@dataclass(frozen=True, kw_only=True)
class Laplacian:
    """A sum of pictures of ever coarser pixels.

    Attributes
    ----------
    levels
        How many; each has half the resolution of the one before.
    sd
        Standard deviation of the noise to start from.
    """

    levels: int = 5
    sd: float = 0.01

    def __post_init__(self) -> None:
        whole("levels", self.levels, least=1)
        _check_noise(self.sd)

    def canvas(
        self,
        generators: Sequence[Generator],
        shape: tuple[int, int, int],
        *,
        start: Maps | None = None,
        device: torch.device | str = "cpu",
    ) -> Canvas:
        """Begin the pictures."""
        channels, height, width = shape
        sizes = [(-(-height // 2**k), -(-width // 2**k)) for k in range(self.levels)]
        if start is None:
            levels = [_noise(generators, (channels, *size)) * self.sd for size in sizes]
        else:
            rest = color.from_picture(start.cpu())
            levels = []
            for size in reversed(sizes):  # the coarsest takes what it can, the finest what is left
                level = F.interpolate(rest, size, mode="area")
                rest = rest - self._grown(level, (height, width))
                levels.insert(0, level)
        leaves = tuple(level.to(device).requires_grad_(True) for level in levels)

        def draw() -> Maps:
            grown = [self._grown(level, (height, width)) for level in leaves]
            return color.to_picture(torch.stack(grown).sum(0))

        return Canvas(leaves, draw)

    @staticmethod
    def _grown(level: Tensor, size: tuple[int, int]) -> Tensor:
        if level.shape[-2:] == size:
            return level
        return F.interpolate(level, size, mode="bilinear", align_corners=False)


@dataclass(frozen=True, kw_only=True, eq=False)
class Maco:
    """Phases alone: every frequency keeps a natural picture's magnitude.

    Attributes
    ----------
    spectrum
        Magnitudes `(channels, height, width // 2 + 1)`, as `measure_spectrum` gives them;
        `1 / f` in all channels where there are none.
    """

    spectrum: Float[Tensor, "channels height half"] | None = None

    def canvas(
        self,
        generators: Sequence[Generator],
        shape: tuple[int, int, int],
        *,
        start: Maps | None = None,
        device: torch.device | str = "cpu",
    ) -> Canvas:
        """Begin the pictures.

        Raises
        ------
        InputError
            Where the spectrum was measured for another shape.
        """
        channels, height, width = shape
        magnitude = self.spectrum
        if magnitude is None:
            magnitude = _decay(height, width, 1.0).expand(channels, -1, -1)
        if magnitude.shape != (channels, height, width // 2 + 1):
            raise InputError(
                f"the spectrum is of {tuple(magnitude.shape)}, but pictures of {shape} need "
                f"{(channels, height, width // 2 + 1)}; measure it at their size"
            )
        if start is None:
            phase = _noise(generators, magnitude.shape) * torch.pi
        else:
            phase = torch.fft.rfft2(color.from_picture(start.cpu()), norm="ortho").angle()
        phase, magnitude = phase.to(device).requires_grad_(True), magnitude.to(device)

        def draw() -> Maps:
            spectrum = torch.polar(magnitude.expand_as(phase), phase)
            maps = torch.fft.irfft2(spectrum, s=(height, width), norm="ortho")
            if self.spectrum is None:  # 1/f gives a shape, not a contrast
                maps = maps - maps.mean((2, 3), keepdim=True)
                maps = maps / maps.std((1, 2, 3), keepdim=True)
            return color.to_picture(maps)

        return Canvas((phase,), draw)


def measure_spectrum(folder: str | Path, size: int, *, most: int = 500) -> Tensor:
    """Average the magnitude spectrum of a folder's pictures, for `Maco`.

    Parameters
    ----------
    folder
        Holds JPEG, PNG or WebP pictures; others are passed over.
    size
        Each is scaled and cut to so many pixels squared.
    most
        Stop after so many pictures, in order of name.

    Returns
    -------
    Tensor
        Float32 `(3, size, size // 2 + 1)`, of the independent color channels.

    Raises
    ------
    InputError
        Where the folder holds no such picture, or one that cannot be read.
    """
    if size < 1 or most < 1:
        raise InputError(f"size and most must be 1 or more, not {size} and {most}")
    suffixes = {".jpeg", ".jpg", ".png", ".webp"}
    paths = [path for path in sorted(Path(folder).glob("*")) if path.suffix.lower() in suffixes]
    if not paths:
        raise InputError(f"{folder} holds no JPEG, PNG or WebP picture to measure a spectrum of")
    total = torch.zeros(3, size, size // 2 + 1)
    for path in paths[:most]:
        try:
            image = Image.open(path).convert("RGB")
        except (OSError, SyntaxError) as error:  # Pillow's for a damaged PNG
            raise InputError(f"{path} cannot be read as a picture: {error}") from error
        side = min(image.size)
        left, top = (image.width - side) // 2, (image.height - side) // 2
        image = image.resize((size, size), box=(left, top, left + side, top + side))
        picture = torch.tensor(np.asarray(image)).permute(2, 0, 1)[None] / 255
        total += torch.fft.rfft2(color.from_picture(picture), norm="ortho")[0].abs()
    return total / len(paths[:most])


@dataclass(frozen=True, kw_only=True)
class Transparent:
    """A fourth channel that says how opaque each pixel is.

    Shown to the network before backgrounds of random smooth colors, so that only what the
    feature cares about is worth being opaque.

    Attributes
    ----------
    base
        How the four channels are written down.
    """

    base: Parameterization = Fourier()

    def canvas(
        self,
        generators: Sequence[Generator],
        shape: tuple[int, int, int],
        *,
        start: Maps | None = None,
        device: torch.device | str = "cpu",
    ) -> Canvas:
        """Begin the pictures, `(batch, channels + 1, height, width)`."""
        _, height, width = shape
        paint = self.base.canvas(generators, shape, start=start, device=device)
        alpha = self.base.canvas(generators, (1, height, width), device=device)
        return Canvas(
            paint.parameters + alpha.parameters,
            lambda: torch.cat([paint.draw(), alpha.draw()], dim=1),
        )


def over(
    picture: Maps, background: Float[Tensor, "batch channels-1 height width"]
) -> Float[Tensor, "batch channels-1 height width"]:
    """Lay a picture whose last channel is its opacity over a background.

    Examples
    --------
    >>> half = torch.tensor([1.0, 1.0, 1.0, 0.5]).reshape(1, 4, 1, 1)
    >>> over(half, torch.zeros(1, 3, 1, 1)).flatten().tolist()
    [0.5, 0.5, 0.5]
    """
    paint, alpha = picture[:, :-1], picture[:, -1:]
    return paint * alpha + background * (1 - alpha)
