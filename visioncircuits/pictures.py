"""Photographs from disk, whatever their format, size and mode."""

from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor
from torch.nn import functional as F

from visioncircuits.errors import InputError
from visioncircuits.fingerprint import content

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")

MARGIN = 256 / 224
"""A photograph's shorter side over the side of the square that is cut out of its middle."""

_LONGEST = 16
"""Of a picture that is longer than this many times its shorter side the middle is taken."""


def listed(folder: str | Path) -> list[Path]:
    """List the pictures in a folder and the folders in it, by name.

    Raises
    ------
    InputError
        Where there is no such folder, or no picture in it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder}; name one of photographs")
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    if not paths:
        raise InputError(f"{folder} holds no photographs ({', '.join(SUFFIXES)})")
    return paths


def fingerprint(folder: str | Path) -> str:
    """Give the SHA-256 of the names and content of all pictures in a folder.

    Raises
    ------
    InputError
        As `listed`.
    """
    return content(listed(folder), root=Path(folder))


def read(
    path: str | Path | BytesIO, size: int, *, name: str = ""
) -> Float32[Tensor, "3 size size"]:
    """Read the middle square of a picture, upright, as RGB in [0, 1].

    Parameters
    ----------
    path
        Or a file's content. Of any mode: grey, with a palette, CMYK, with 16 or 32 bits, whole
        numbers or floats (see `square`). Of an animation it is the first picture; transparent
        parts are white.
    size
        Of the square, in pixels; of the photograph's shorter side it is 224 parts in 256, as
        ImageNet's networks are evaluated.
    name
        What to call it where it cannot be read; by default its path.

    Raises
    ------
    InputError
        For a file that is no picture, a damaged one, one with values that are not finite, or one
        of so many pixels that Pillow takes it for an attack (`PIL.Image.MAX_IMAGE_PIXELS`).
    """
    try:
        with Image.open(path) as file:
            # as a JPEG, an enormous picture is decoded no larger than needed
            file.draft("RGB", (round(size * MARGIN) * 2,) * 2)
            return square(file, size)
    except UnidentifiedImageError as error:
        raise InputError(f"{name or path} cannot be read as a picture: unknown format") from error
    except Exception as error:  # on damaged files decoders raise whatever comes to them
        raise InputError(f"{name or path} cannot be read as a picture: {error}") from error


def square(image: Image.Image, size: int) -> Float32[Tensor, "3 size size"]:
    """Cut the middle square out of a picture, as `read` does.

    White is the greatest number of its type. But whole numbers of 32 bits of which none needs more
    than 16 are taken for such, and floats are taken to be in [0, 1], or where some are greater,
    in proportion to the greatest.

    Raises
    ------
    InputError
        For values that are not finite.
    """
    tags = getattr(image, "tag_v2", {})  # TIFF's, which transposing loses
    image = _strip(_rgb(_scaled(ImageOps.exif_transpose(image), tags)))
    scale = MARGIN * size / min(image.size)
    width, height = (max(round(side * scale), size) for side in image.size)
    image = image.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=3.0)
    left, top = (width - size) // 2, (height - size) // 2
    cut = np.asarray(image.crop((left, top, left + size, top + size)), np.float32) / 255
    return torch.from_numpy(cut).permute(2, 0, 1)


def resized(
    picture: Float32[Tensor, "channels height width"], size: int
) -> Float32[Tensor, "channels size size"]:
    """Cut the middle square out of pixels in [0, 1], as `read` does; one of that size stays."""
    height, width = picture.shape[1:]
    if height == width == size:
        return picture
    scale = MARGIN * size / min(height, width)
    sides = [max(round(side * scale), size) for side in (height, width)]
    whole = F.interpolate(
        picture[None], sides, mode="bilinear", align_corners=False, antialias=True
    )[0]
    top, left = ((side - size) // 2 for side in sides)
    return whole[:, top : top + size, left : left + size].clamp(0, 1)


def _strip(image: Image.Image) -> Image.Image:
    """Cut the middle out of a picture that is a mere line: enlarged, it would fill the memory."""
    width, height = image.size
    most = _LONGEST * min(image.size)
    left, top = (max(0, side - most) // 2 for side in image.size)
    return image.crop((left, top, width - left, height - top)) if left or top else image


_BITS, _FORMAT, _SIGNED = 258, 339, 2
"""TIFF's tags of how samples are written, and a value of the second."""


def _scaled(image: Image.Image, tags: Mapping[int, Any]) -> Image.Image:
    """Bring a picture of more than 8 bits to 8."""
    if not (image.mode.startswith("I") or image.mode == "F"):
        return image
    values = np.asarray(image)
    signed = tags.get(_FORMAT, (1,))[0] == _SIGNED
    if image.mode == "F":
        if not np.isfinite(values).all():
            raise InputError("it holds values that are not finite")
        white = max(float(values.max()), 1.0)
    else:
        bits = tags.get(_BITS, (16,))[0]
        if bits == 32 and not signed:  # Pillow has no whole numbers of 32 bits without a sign
            values = values.view(np.uint32)
        fits = bits == 32 and values.max() < 2**16
        white = float(2**16 - 1 if fits else 2 ** (bits - signed) - 1)
    return Image.fromarray((values / white * 255).clip(0, 255).round().astype(np.uint8))


def _rgb(image: Image.Image) -> Image.Image:
    if "transparency" in image.info or image.mode in ("RGBA", "LA", "PA"):
        shown = image.convert("RGBA")
        ground = Image.new("RGBA", shown.size, "white")
        return Image.alpha_composite(ground, shown).convert("RGB")
    return image.convert("RGB")


def batches(paths: list[Path], size: int, *, batch: int) -> Iterator[Float32[Tensor, "b 3 h w"]]:
    """Read pictures as batches, in their order.

    Raises
    ------
    InputError
        As `read`.
    """
    for start in range(0, len(paths), batch):
        yield torch.stack([read(path, size) for path in paths[start : start + batch]])
