"""Reading photographs from disk, of any format, size and mode."""

from collections.abc import Mapping
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

ARRAY = ".npy"

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ARRAY, ".png", ".tif", ".tiff", ".webp")

MARGIN = 256 / 224
"""A photograph's shorter side over the side of the square that is cut out of its center."""

_LONGEST = 16
"""Pictures longer than this many times their shorter side are cut to their center."""


def png(*images: Image.Image) -> bytes:
    """Return images side by side as a PNG.

    Examples
    --------
    >>> png(Image.new("RGB", (4, 4)), Image.new("RGB", (4, 4)))[1:4]
    b'PNG'
    """
    gap = 8 * (len(images) > 1)
    width = sum(image.width for image in images) + gap * (len(images) - 1)
    sheet = Image.new("RGB", (width, max(image.height for image in images)), "white")
    left = 0
    for image in images:
        sheet.paste(image, (left, 0))
        left += image.width + gap
    buffer = BytesIO()
    sheet.save(buffer, "PNG")
    return buffer.getvalue()


def listed(folder: str | Path) -> list[Path]:
    """List the pictures in a folder and its subfolders, by name.

    Raises
    ------
    InputError
        Where there is no such folder, or it contains no pictures.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder}; name a folder of photographs")
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    if not paths:
        raise InputError(f"{folder} holds no photographs ({', '.join(SUFFIXES)})")
    return paths


def fingerprint(folder: str | Path) -> str:
    """Return the SHA-256 of the names and content of all pictures in a folder.

    Raises
    ------
    InputError
        As `listed`.
    """
    return content(listed(folder), root=Path(folder))


def read(
    path: str | Path | BytesIO, size: int, *, name: str = ""
) -> Float32[Tensor, "3 size size"]:
    """Read the central square of a picture, upright, as RGB in [0, 1].

    Parameters
    ----------
    path
        Or a file's content. Of any mode: gray, with a palette, CMYK, with 16 or 32 bits, whole
        numbers or floats (see `square`). Of an animation the first picture is read; transparent
        parts become white.
    size
        Of the square, in pixels; it is 224/256 of the photograph's shorter side, as in the
        evaluation of ImageNet's networks.
    name
        Its name in error messages; by default its path.

    Raises
    ------
    InputError
        For a file that is not a picture, a damaged one, one with values that are not finite, or
        one with more pixels than Pillow allows (`PIL.Image.MAX_IMAGE_PIXELS`).
    """
    try:
        with Image.open(path) as file:
            # as a JPEG, an enormous picture is decoded no larger than needed
            file.draft("RGB", (round(size * MARGIN) * 2,) * 2)
            return square(file, size)
    except UnidentifiedImageError as error:
        raise InputError(f"{name or path} cannot be read as a picture: unknown format") from error
    except Exception as error:  # decoders raise any exception on damaged files
        raise InputError(f"{name or path} cannot be read as a picture: {error}") from error


def square(image: Image.Image, size: int) -> Float32[Tensor, "3 size size"]:
    """Cut the central square out of a picture, as `read` does.

    White is the greatest number of the type, with two exceptions: whole numbers of 32 bits of which
    none needs more than 16 are treated as of 16, and floats are treated as in [0, 1], or where some
    are greater, relative to the greatest.

    Raises
    ------
    InputError
        For values that are not finite.
    """
    tags = getattr(image, "tag_v2", {})  # of TIFF, which transposing loses
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
    """Cut the central square out of pixels in [0, 1], as `read` does, unless it has that size."""
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
    """Cut the center out of a very narrow picture, which would fill the memory when enlarged."""
    width, height = image.size
    most = _LONGEST * min(image.size)
    left, top = (max(0, side - most) // 2 for side in image.size)
    return image.crop((left, top, width - left, height - top)) if left or top else image


_BITS, _FORMAT, _SIGNED = 258, 339, 2
"""TIFF's tags of the format of samples, and a value of the second."""


def _scaled(image: Image.Image, tags: Mapping[int, Any]) -> Image.Image:
    """Convert a picture of more than 8 bits to 8."""
    if not (image.mode.startswith("I") or image.mode == "F"):
        return image
    values = np.asarray(image)
    signed = tags.get(_FORMAT, (1,))[0] == _SIGNED
    if image.mode == "F":
        if not np.isfinite(values).all():
            raise InputError("it has values that are not finite")
        white = max(float(values.max()), 1.0)
    else:
        bits = tags.get(_BITS, (16,))[0]
        if bits == 32 and not signed:  # Pillow has no unsigned whole numbers of 32 bits
            values = values.view(np.uint32)
        fits = bits == 32 and values.max() < 2**16
        white = float(2**16 - 1 if fits else 2 ** (bits - signed) - 1)
    return Image.fromarray((values / white * 255).clip(0, 255).round().astype(np.uint8))


def _rgb(image: Image.Image) -> Image.Image:
    if "transparency" in image.info or image.mode in ("RGBA", "LA", "PA"):
        layered = image.convert("RGBA")
        ground = Image.new("RGBA", layered.size, "white")
        return Image.alpha_composite(ground, layered).convert("RGB")
    return image.convert("RGB")
