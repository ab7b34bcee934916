"""Pictures as arrays: from files that hold more than gray or colors, and from their own units."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32
from PIL import Image
from torch import Tensor

from visioncircuits import pictures
from visioncircuits.errors import InputError
from visioncircuits.numbers import real

Range = tuple[float, float]
"""The values that become 0 and 1."""

_TIFF = (".tif", ".tiff")
_PAGE = 0
"""TIFF's subfile type of a page that is neither a thumbnail nor a mask."""


def checked(range: Any) -> Range:
    """Return a range, checked to be two numbers that differ.

    Raises
    ------
    InputError
        For another one.
    """
    ends = tuple(range) if isinstance(range, tuple | list | np.ndarray) else (range,)
    if len(ends) != 2 or ends[0] == ends[1]:
        raise InputError(f"range is the two values that become 0 and 1, (low, high), not {range}")
    return real("range", ends[0]), real("range", ends[1])


def read(
    source: Path | bytes, suffix: str, size: int, *, name: str, range: Range | None
) -> Float32[Tensor, "channels size size"]:
    """Read the central square of a picture's file.

    Files of gray or of colors are read by `pictures.read`, unless their values have a range of
    their own. `.npy`, and TIFF of several pages or of other numbers of samples, are arrays of as
    many channels.

    Parameters
    ----------
    source
        The file, or its content.
    suffix
        Of its name.
    name
        In error messages.

    Raises
    ------
    InputError
        For a file that is no picture, is damaged, or has values out of range.
    """
    if suffix == pictures.ARRAY:
        return square(_npy(source, name), size, name=name, range=range)
    if suffix in _TIFF and (found := _tiff(source, name, always=range is not None)) is not None:
        return square(found, size, name=name, range=range)
    opened = io.BytesIO(source) if isinstance(source, bytes) else source
    if range is None:
        return pictures.read(opened, size, name=name)
    try:
        with Image.open(opened) as image:
            return square(np.asarray(image), size, name=name, range=range)
    except InputError:
        raise
    except Exception as error:  # decoders raise any exception on damaged files
        raise InputError(f"{name} cannot be read as a picture: {error}") from error


def square(
    picture: Any, size: int, *, name: str, range: Range | None
) -> Float32[Tensor, "channels size size"]:
    """Return the central square of an array, in [0, 1] and channels first."""
    return pictures.resized(unit(picture, name=name, range=range), size)


def unit(
    picture: Any, *, name: str, range: Range | None = None
) -> Float32[Tensor, "channels height width"]:
    """Return an array's pixels in [0, 1], channels first; gray becomes three equal channels.

    Raises
    ------
    InputError
        For an array of another shape or type, and for values out of range.
    """
    kind = str(picture.dtype).removeprefix("torch.")
    if isinstance(picture, np.ndarray):
        native = picture.astype(picture.dtype.newbyteorder("="))
        values = torch.as_tensor(native.astype(np.int64) if _wide(native) else native)
    else:
        values = torch.as_tensor(picture)
    if values.ndim == 2:
        values = values[None]
    elif values.ndim == 3 and _channels_last(*values.shape):
        values = values.permute(2, 0, 1)
    if range is not None:
        low, high = range
        values = (values.double() - low) / (high - low)
    elif values.dtype == torch.uint8:
        values = values / 255
    if values.ndim != 3 or not values.is_floating_point():
        raise InputError(
            f"{name} is of {tuple(values.shape)} and {kind}; pass pictures as floats in "
            "[0, 1] or as 8 bits, (channels, height, width), or state the range of their values"
        )
    if not ((values >= 0) & (values <= 1)).all():
        least, most = float(values.min()), float(values.max())
        if range is None:
            raise InputError(
                f"{name} has values from {least:g} to {most:g}; pass pictures in [0, 1], not "
                "normalized: the network's preprocessing does that; or state their range"
            )
        least, most = (low + value * (high - low) for value in sorted((least, most)))
        raise InputError(
            f"{name} has values from {least:g} to {most:g}, beyond the range of {low:g} to "
            f"{high:g}; state a wider one, the same for the network's preprocessing, or clip them"
        )
    values = values.float()
    return values.expand(3, -1, -1) if len(values) == 1 else values


def _wide(values: np.ndarray) -> bool:
    """Check whether torch computes little with such unsigned numbers."""
    return values.dtype.kind == "u" and values.dtype.itemsize > 1


def _channels_last(first: int, second: int, last: int) -> bool:
    """Check whether channels come last: colors, or what is fewer than rows and columns are."""
    if 1 in (first, last) or 3 in (first, last):
        return last in (1, 3) and first not in (1, 3)
    return last < min(first, second)


def _npy(source: Path | bytes, name: str) -> np.ndarray:
    try:
        opened = io.BytesIO(source) if isinstance(source, bytes) else source
        return np.asarray(np.load(opened, allow_pickle=False))
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"{name} cannot be read as an array: {error}") from error


def _tiff(source: Path | bytes, name: str, *, always: bool) -> np.ndarray | None:
    """Return the channels of a TIFF; None where it is one page of gray or colors, if not always."""
    import tifffile  # of scikit-image

    opened = io.BytesIO(source) if isinstance(source, bytes) else source
    try:
        with tifffile.TiffFile(opened) as file:
            pages = [page for page in file.pages if page.subfiletype == _PAGE]  # type: ignore[union-attr]
            if len(pages) > 1:
                return np.stack([page.asarray() for page in pages])
            first = file.pages.first
            colors = first.samplesperpixel in (1, 3)
            opacity = first.samplesperpixel in (2, 4) and any(map(int, first.extrasamples))
            inks = first.photometric == tifffile.PHOTOMETRIC.SEPARATED
            if (colors or opacity or inks) and not always:
                return None
            values = first.asarray()
            planar = first.planarconfig == tifffile.PLANARCONFIG.SEPARATE
            return values if planar or values.ndim == 2 else np.moveaxis(values, -1, 0)
    except Exception as error:  # decoders raise any exception on damaged files
        if isinstance(error, tifffile.TiffFileError):
            return None  # no TIFF, whatever its name
        raise InputError(f"{name} cannot be read as a picture: {error}") from error
