"""Receptive-field crops of photographs, and masks by activation."""

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor

from visioncircuits.networks import Layer, Network

GROUND = 0.94
"""The gray level beyond the photograph's border."""


def crop(
    layer: Layer,
    picture: Float32[Tensor, "channels height width"],
    position: tuple[int, int],
    *,
    most: int | None = None,
) -> Float32[Tensor, "channels side side"]:
    """Crop a picture to the receptive field of a neuron.

    Parameters
    ----------
    layer
        Of the neuron, from `Network.layers_at` for the picture's size.
    picture
        In [0, 1].
    position
        Row and column of the neuron.
    most
        Largest side of the crop in pixels; by default that of the receptive field. A smaller crop
        is its central part, which matters most: the thread used 60 px for mixed3a and mixed3b.

    Returns
    -------
    Tensor
        Light gray outside the photograph.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> layer = untrained("bvlc_googlenet").layer_at("mixed3a", 96)
    >>> crop(layer, torch.rand(3, 96, 96), (5, 5), most=60).shape
    torch.Size([3, 60, 60])
    """
    height, width = picture.shape[1:]
    side = min(most or max(layer.receptive_field), 2 * max(height, width))
    top, left = (round(middle - (side - 1) / 2) for middle in layer.center(position))
    cut = torch.full((len(picture), side, side), GROUND)
    rows = slice(max(top, 0), min(top + side, height))
    columns = slice(max(left, 0), min(left + side, width))
    cut[:, rows.start - top : rows.stop - top, columns.start - left : columns.stop - left] = (
        picture[:, rows, columns]
    )
    return cut


def seen(
    network: Network, picture: Float32[Tensor, "channels height width"]
) -> Float32[Tensor, "3 height width"]:
    """Return a photograph for display, as the network's preprocessing states; see `shown` there."""
    return network.preprocessing.shown(picture[None])[0]


def masked(
    picture: Float32[Tensor, "3 height width"],
    activations: Float32[Tensor, "rows columns"],
    *,
    strength: float = 0.85,
) -> Float32[Tensor, "3 height width"]:
    """Fade a photograph where a unit does not activate.

    Parameters
    ----------
    picture
        In [0, 1].
    activations
        Of the unit at all positions; negative values count as zero.
    strength
        Of the fading, from 0 to 1.

    Examples
    --------
    >>> active = torch.zeros(4, 4)
    >>> active[:, 3] = 1.0
    >>> faded = masked(torch.zeros(3, 64, 64), active)
    >>> f"{faded[0, 0, 0]:.2f}", f"{faded[0, 0, 63]:.2f}"
    ('0.80', '0.00')
    """
    positive = activations.clamp_min(0)
    weight = torch.nn.functional.interpolate(
        positive[None, None], size=picture.shape[1:], mode="bilinear", align_corners=False
    )[0, 0]
    highest = float(weight.max())
    fading = strength * (1 - weight / highest if highest > 0 else torch.ones_like(weight))
    return picture * (1 - fading) + GROUND * fading


def tile(picture: Float32[Tensor, "3 height width"], side: int) -> np.ndarray:
    """Convert a picture to 8-bit pixels, resized to a square of `side` pixels."""
    from PIL import Image

    pixels = picture.clamp(0, 1).mul(255).round().byte().permute(1, 2, 0).numpy()
    image = Image.fromarray(pixels).resize((side, side), Image.Resampling.LANCZOS)
    return np.asarray(image)
