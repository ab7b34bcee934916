"""MACO: pictures with a fixed magnitude spectrum, of which only the phases are optimized.

Source: Fel et al., "Unlocking Feature Visualization for Deeper Networks with MAgnitude Constrained
Optimization" (2023).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from visioncircuits import datasets
from visioncircuits.datasets import Source
from visioncircuits.errors import InputError
from visioncircuits.featurevis import color
from visioncircuits.featurevis.parameterizations import (
    Maps,
    ParameterizedPictures,
    noise,
    power_law,
)
from visioncircuits.numbers import whole
from visioncircuits.progress import bar
from visioncircuits.records import brief


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Maco:
    """Fourier phases; the magnitudes are those of natural pictures.

    Attributes
    ----------
    spectrum
        Magnitudes `(channels, height, width // 2 + 1)`, as `measure_spectrum` returns them; by
        default `1 / f` in all channels.
    colors
        As for `Fourier`; a spectrum is measured with the same.

    Examples
    --------
    >>> Maco(spectrum=measure_spectrum(torch.rand(4, 3, 64, 64), 64))
    Maco(spectrum=tensor(3, 64, 33))
    """

    spectrum: Float[Tensor, "channels height half"] | None = None
    colors: bool = True

    __repr__ = brief

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
            maps = color.from_picture(start.cpu(), colors=self.colors)
            phase = torch.fft.rfft2(maps, norm="ortho").angle()
        phase, magnitude = phase.to(device).requires_grad_(True), magnitude.to(device)

        def draw() -> Maps:
            spectrum = torch.polar(magnitude.expand_as(phase), phase)
            maps = torch.fft.irfft2(spectrum, s=(height, width), norm="ortho")
            if self.spectrum is None:  # 1/f determines a shape, not a contrast
                maps = maps - maps.mean((2, 3), keepdim=True)
                maps = maps / maps.std((1, 2, 3), keepdim=True)
            return color.to_picture(maps, colors=self.colors)

        return ParameterizedPictures((phase,), draw)


def measure_spectrum(
    photographs: Source,
    size: int,
    *,
    most: int = 500,
    colors: bool = True,
    progress: bool = False,
) -> Float[Tensor, "channels size half"]:
    """Measure the mean magnitude spectrum of photographs, for `Maco`.

    Parameters
    ----------
    photographs
        A folder, a tar file, a dataset, a tensor: see `visioncircuits.datasets.photographs`.
    size
        Side of the central square that is measured, in pixels.
    most
        Largest number of photographs that are read, the first ones.
    colors
        Whether three channels are red, green and blue, and measured decorrelated.
    progress
        Whether to show a bar.

    Returns
    -------
    Tensor
        Float32 `(channels, size, size // 2 + 1)`, of the decorrelated colors.

    Raises
    ------
    InputError
        If there are no photographs, or one cannot be read.

    Examples
    --------
    >>> measure_spectrum(torch.rand(4, 3, 64, 64), 32).shape
    torch.Size([3, 32, 17])
    """
    whole("size", size, least=1)
    found = datasets.photographs(photographs, labels="none")
    found = found.part(range(min(len(found), whole("most", most, least=1))))
    total = torch.zeros(())
    with bar("photographs", len(found), visible=progress) as advance:
        for pictures in found.batches(size, 16):
            maps = color.from_picture(pictures, colors=colors)
            total = total + torch.fft.rfft2(maps, norm="ortho").abs().sum(0)
            advance(len(pictures))
    return total / len(found)
