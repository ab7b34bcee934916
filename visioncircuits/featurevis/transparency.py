"""Transparent pictures: a fourth channel of opacity, optimized over random backgrounds."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from visioncircuits.featurevis.parameterizations import (
    Fourier,
    Maps,
    Parameterization,
    ParameterizedPictures,
)


@dataclass(frozen=True, kw_only=True)
class Transparent:
    """Pictures with an additional channel of opacity.

    The network receives them over backgrounds of random smooth colors, so that only the parts that
    activate the feature benefit from opacity.

    Attributes
    ----------
    base
        Parameterization of color and opacity.

    Examples
    --------
    >>> Transparent().initialize([Generator()], (3, 64, 64)).draw().shape
    torch.Size([1, 4, 64, 64])
    """

    base: Parameterization = Fourier()

    def initialize(
        self,
        generators: Sequence[Generator],
        shape: tuple[int, int, int],
        *,
        start: Maps | None = None,
        device: torch.device | str = "cpu",
    ) -> ParameterizedPictures:
        """Return the initial pictures, `(batch, channels + 1, height, width)`."""
        _, height, width = shape
        paint = self.base.initialize(generators, shape, start=start, device=device)
        alpha = self.base.initialize(generators, (1, height, width), device=device)
        return ParameterizedPictures(
            paint.parameters + alpha.parameters,
            lambda: torch.cat([paint.draw(), alpha.draw()], dim=1),
        )


def over(
    picture: Maps, background: Float[Tensor, "batch channels-1 height width"]
) -> Float[Tensor, "batch channels-1 height width"]:
    """Blend a picture, whose last channel is its opacity, over a background.

    Examples
    --------
    >>> half = torch.tensor([1.0, 1.0, 1.0, 0.5]).reshape(1, 4, 1, 1)
    >>> over(half, torch.zeros(1, 3, 1, 1)).flatten().tolist()
    [0.5, 0.5, 0.5]
    """
    paint, alpha = picture[:, :-1], picture[:, -1:]
    return paint * alpha + background * (1 - alpha)


def backgrounds(
    generators: Sequence[Generator], like: Maps
) -> Float[Tensor, "batch channels-1 height width"]:
    """Return smooth random colors, each from its own generator."""
    _, channels, height, width = like.shape
    smooth = Fourier(sd=1.0, decay=1.5).initialize(generators, (channels - 1, height, width))
    with torch.no_grad():
        return smooth.draw().to(like.device)
