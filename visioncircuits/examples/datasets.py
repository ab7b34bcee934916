"""Photographs from a torchvision dataset, or any iterable."""

import operator
import reprlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32
from PIL import Image
from torch import Tensor

from visioncircuits import pictures
from visioncircuits.errors import InputError
from visioncircuits.examples.photographs import Photograph


def dataset(items: Iterable[Any], *, size: int) -> Iterator[Photograph]:
    """Take pictures from a torchvision dataset, or any iterable.

    Parameters
    ----------
    items
        Pictures; tuples of one, its class and anything more; or mappings with an `image` and a
        `label`. A picture is a PIL image, or an array or tensor of floats in [0, 1] or of 8 bits,
        `(channels, height, width)`, `(height, width, channels)` or, in gray, `(height, width)`.
        A class is a whole number or None.
    size
        Side in pixels to which pictures are cropped and resized, as `pictures.read` does.

    Raises
    ------
    InputError
        For an item without such a picture or class.

    Examples
    --------
    >>> items = [(np.full((40, 60, 3), 255, np.uint8), 7, "a note"), {"image": torch.rand(3, 9, 9)}]
    >>> [(tuple(each.pixels.shape), each.label) for each in dataset(items, size=32)]
    [((3, 32, 32), 7), ((3, 32, 32), None)]
    """
    for place, item in enumerate(items):
        picture, label = _unpacked(item, place)
        if isinstance(picture, Image.Image):
            pixels = pictures.square(picture, size)
        else:
            pixels = pictures.resized(_pixels(picture, place), size)
        yield Photograph(str(place), pixels, label)


def _unpacked(item: Any, place: int) -> tuple[Any, int | None]:
    """Return an item's picture and class."""
    if isinstance(item, Mapping):
        if "image" not in item:
            raise InputError(
                f"item {place} has no 'image' but {', '.join(map(repr, item))}; pass pairs of a "
                "picture and its class"
            )
        picture, label = item["image"], item.get("label")
    elif isinstance(item, tuple | list):
        picture, label = (*item, None, None)[:2]
    else:
        picture, label = item, None
    try:
        return picture, None if label is None else operator.index(label)
    except TypeError:
        raise InputError(
            f"item {place} has the class {reprlib.repr(label)}; a class is a whole number, so "
            "number the classes, or pass only the pictures"
        ) from None


def _pixels(picture: Any, place: int) -> Float32[Tensor, "channels height width"]:
    """Return an array's pixels in [0, 1], channels first."""
    values = torch.as_tensor(np.array(picture) if isinstance(picture, np.ndarray) else picture)
    if values.ndim == 2:
        values = values[None]
    elif values.ndim == 3 and values.shape[2] in (1, 3) and values.shape[0] not in (1, 3):
        values = values.permute(2, 0, 1)
    if values.dtype == torch.uint8:
        values = values / 255
    if values.ndim != 3 or not values.is_floating_point():
        raise InputError(
            f"item {place} is of {tuple(values.shape)} and {values.dtype}; pass pictures as floats "
            "in [0, 1] or as 8 bits, (channels, height, width)"
        )
    if not ((values >= 0) & (values <= 1)).all():
        raise InputError(
            f"item {place} has values from {values.min():g} to {values.max():g}; pass pictures in "
            "[0, 1], not normalized: the network's preprocessing does that"
        )
    values = values.float()
    return values.expand(3, -1, -1) if len(values) == 1 else values
