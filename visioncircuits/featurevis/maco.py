"""MACO: pictures with a fixed magnitude spectrum, of which only the phases are optimized.

Source: Fel et al., "Unlocking Feature Visualization for Deeper Networks with MAgnitude Constrained
Optimization" (2023).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Generator, Tensor

from visioncircuits.errors import InputError
from visioncircuits.featurevis import color
from visioncircuits.featurevis.parameterizations import (
    Maps,
    ParameterizedPictures,
    noise,
    power_law,
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Maco:
    """Fourier phases; the magnitudes are those of natural pictures.

    Attributes
    ----------
    spectrum
        Magnitudes `(channels, height, width // 2 + 1)`, as `measure_spectrum` returns them; by
        default `1 / f` in all channels.
    """

    spectrum: Float[Tensor, "channels height half"] | None = None

    def initialize(
        self,
        generators: Sequence[Generator],
        shape: tuple[int, int, int],
        *,
        start: Maps | None = None,
        device: torch.device | str = "cpu",
    ) -> ParameterizedPictures:
        """Return the initial pictures.

        Raises
        ------
        InputError
            If the spectrum has another shape than the pictures need.
        """
        channels, height, width = shape
        magnitude = self.spectrum
        if magnitude is None:
            magnitude = power_law(height, width, 1.0).expand(channels, -1, -1)
        if magnitude.shape != (channels, height, width // 2 + 1):
            raise InputError(
                f"the spectrum has shape {tuple(magnitude.shape)}, but pictures of {shape} need "
                f"{(channels, height, width // 2 + 1)}; measure it at their size"
            )
        if start is None:
            phase = noise(generators, magnitude.shape) * torch.pi
        else:
            phase = torch.fft.rfft2(color.from_picture(start.cpu()), norm="ortho").angle()
        phase, magnitude = phase.to(device).requires_grad_(True), magnitude.to(device)

        def draw() -> Maps:
            spectrum = torch.polar(magnitude.expand_as(phase), phase)
            maps = torch.fft.irfft2(spectrum, s=(height, width), norm="ortho")
            if self.spectrum is None:  # 1/f determines a shape, not a contrast
                maps = maps - maps.mean((2, 3), keepdim=True)
                maps = maps / maps.std((1, 2, 3), keepdim=True)
            return color.to_picture(maps)

        return ParameterizedPictures((phase,), draw)


def measure_spectrum(folder: str | Path, size: int, *, most: int = 500) -> Tensor:
    """Measure the mean magnitude spectrum of the pictures in a folder, for `Maco`.

    Parameters
    ----------
    folder
        With JPEG, PNG or WebP pictures; other files are skipped.
    size
        Side in pixels to which each is scaled and cropped.
    most
        Largest number of pictures that are read, in order of name.

    Returns
    -------
    Tensor
        Float32 `(3, size, size // 2 + 1)`, of the decorrelated color channels.

    Raises
    ------
    InputError
        If the folder has no such picture, or one that cannot be read.
    """
    if size < 1 or most < 1:
        raise InputError(f"size and most must be 1 or more, not {size} and {most}")
    suffixes = {".jpeg", ".jpg", ".png", ".webp"}
    paths = [path for path in sorted(Path(folder).glob("*")) if path.suffix.lower() in suffixes]
    if not paths:
        raise InputError(f"{folder} has no JPEG, PNG or WebP picture to measure a spectrum of")
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
