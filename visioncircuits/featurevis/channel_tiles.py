"""Channels side by side: a gray tile for each, with its name."""

from collections.abc import Sequence
from math import ceil, sqrt
from pathlib import Path

import matplotlib
import torch
from jaxtyping import Float
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

_GAP, _LINE, _TYPE, _LEAST = 4, 15, 11, 64
"""Pixels: between tiles, a line of text, its size, and the least width of a tile."""


def channel_tiles(
    picture: Float[Tensor, "channels height width"], names: Sequence[str]
) -> Image.Image:
    """Draw each channel in gray, 0 black and 1 white, in rows; small ones in larger pixels.

    Examples
    --------
    >>> channel_tiles(torch.rand(13, 64, 64), [f"B{place}" for place in range(13)]).size
    (276, 336)
    """
    height, width = picture.shape[1:]
    zoom = ceil(_LEAST / width)
    across = ceil(sqrt(len(picture)))
    step_x, step_y = zoom * width + _GAP, zoom * height + _LINE + _GAP
    size = across * step_x + _GAP, ceil(len(picture) / across) * step_y + _GAP
    sheet = Image.new("L", size, 255)
    pen = ImageDraw.Draw(sheet)
    font = ImageFont.truetype(Path(matplotlib.get_data_path()) / "fonts/ttf/DejaVuSans.ttf", _TYPE)
    pixels = (picture.clamp(0, 1) * 255).round().to(torch.uint8).numpy()
    for place, (channel, name) in enumerate(zip(pixels, names, strict=True)):
        left, top = _GAP + place % across * step_x, _GAP + place // across * step_y
        tile = Image.fromarray(channel.repeat(zoom, 0).repeat(zoom, 1))
        pen.text((left, top), name, 60, font)
        sheet.paste(tile, (left, top + _LINE))
    return sheet
