"""What a neuron saw of a photograph, and where in it."""

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor

from visioncircuits.networks import Layer

GROUND = 0.94
"""What lies beyond the photograph's border."""


def crop(
    layer: Layer,
    picture: Float32[Tensor, "3 height width"],
    position: tuple[int, int],
    *,
    most: int | None = None,
) -> Float32[Tensor, "3 side side"]:
    """Cut out what a neuron sees.

    Parameters
    ----------
    layer
        Of the neuron: as `Network.layers_at` describes it for the picture's size.
    picture
        In [0, 1].
    position
        Row and column of the neuron.
    most
        The side of the crop in pixels; by default the receptive field's. A smaller one is its
        middle, which counts most: the thread cut 60 px for mixed3a and mixed3b.

    Returns
    -------
    Tensor
        What lies outside the photograph is light grey.
    """
    height, width = picture.shape[1:]
    side = min(most or max(layer.receptive_field), 2 * max(height, width))
    top, left = (round(middle - (side - 1) / 2) for middle in layer.center(position))
    cut = torch.full((3, side, side), GROUND)
    rows = slice(max(top, 0), min(top + side, height))
    columns = slice(max(left, 0), min(left + side, width))
    cut[:, rows.start - top : rows.stop - top, columns.start - left : columns.stop - left] = (
        picture[:, rows, columns]
    )
    return cut


def masked(
    picture: Float32[Tensor, "3 height width"],
    activations: Float32[Tensor, "rows columns"],
    *,
    strength: float = 0.85,
) -> Float32[Tensor, "3 height width"]:
    """Show a photograph where a unit fires, and veil it where not.

    Parameters
    ----------
    picture
        In [0, 1].
    activations
        Of the unit at all positions; what is below zero counts as zero.
    strength
        Of the veil, from 0 to 1.
    """
    positive = activations.clamp_min(0)
    shown = torch.nn.functional.interpolate(
        positive[None, None], size=picture.shape[1:], mode="bilinear", align_corners=False
    )[0, 0]
    highest = float(shown.max())
    veil = strength * (1 - shown / highest if highest > 0 else torch.ones_like(shown))
    return picture * (1 - veil) + GROUND * veil


def tile(picture: Float32[Tensor, "3 height width"], side: int) -> np.ndarray:
    """Give a picture as 8-bit pixels, enlarged or shrunk to a side."""
    from PIL import Image

    pixels = picture.clamp(0, 1).mul(255).round().byte().permute(1, 2, 0).numpy()
    image = Image.fromarray(pixels).resize((side, side), Image.Resampling.LANCZOS)
    return np.asarray(image)
