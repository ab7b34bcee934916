"""How a visualization's channels are shown: as a picture, or side by side with their names."""

from collections.abc import Mapping, Sequence
from math import ceil, sqrt
from pathlib import Path
from typing import Any

import matplotlib
import torch
from jaxtyping import Float
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from visioncircuits.networks.channels import shown

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


def preprocessing_of(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the network's preprocessing in the record of a visualization; {} where it has none."""
    found: Mapping[str, Any] = record.get("network", {}).get("preprocessing", {})
    return found


def displayed(
    picture: Float[Tensor, "channels height width"], record: Mapping[str, Any]
) -> Float[Tensor, "shown height width"] | None:
    """Return gray, RGB or RGB with opacity; None for channels of which no composite is stated."""
    if len(picture) == 1:
        return picture
    preprocessing = preprocessing_of(record)
    taken = preprocessing.get("channels", 3)
    if len(picture) not in (taken, taken + 1):
        return None
    found = shown(preprocessing, picture[None, :taken])
    return None if found is None else torch.cat([found[0], picture[taken:]])


def complete(channels: int, record: Mapping[str, Any]) -> bool:
    """Check whether the picture's file holds all channels: gray, or RGB with or without opacity."""
    preprocessing = preprocessing_of(record)
    colors = preprocessing.get("channels", 3) == 3 and not preprocessing.get("to_rgb")
    return channels == 1 or (colors and channels in (3, 4))
