"""Where a photograph's pixels are: in a file, in a tar file, in a dataset or in memory."""

import hashlib
import io
import operator
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float32
from PIL import Image
from torch import Tensor

from visioncircuits import fingerprint, pictures
from visioncircuits.errors import InputError


@runtime_checkable
class Item(Protocol):
    """A photograph that can be read at any size."""

    def read(self, size: int) -> Float32[Tensor, "channels size size"]:
        """Return its central square in [0, 1], as `pictures.read` cuts it."""

    def digest(self) -> str:
        """Return the SHA-256 of its content."""


@dataclass(frozen=True, slots=True)
class File:
    """A picture's file."""

    path: Path

    def read(self, size: int) -> Float32[Tensor, "channels size size"]:
        """Return its central square in [0, 1]."""
        return pictures.read(self.path, size)

    def digest(self) -> str:
        """Return the SHA-256 of the file."""
        return fingerprint.of_file(self.path)


@dataclass(frozen=True, slots=True)
class Member:
    """A picture in an uncompressed tar file, at an offset in bytes."""

    path: Path
    name: str
    offset: int
    length: int

    def read(self, size: int) -> Float32[Tensor, "channels size size"]:
        """Return its central square in [0, 1]."""
        return pictures.read(io.BytesIO(self.content()), size, name=self.name)

    def digest(self) -> str:
        """Return the SHA-256 of its bytes."""
        return hashlib.sha256(self.content()).hexdigest()

    def content(self) -> bytes:
        """Read its bytes."""
        try:
            with self.path.open("rb") as file:
                file.seek(self.offset)
                return file.read(self.length)
        except OSError as error:
            raise InputError(f"{self.path} cannot be read as a tar file: {error}") from error


@dataclass(frozen=True, slots=True)
class Indexed:
    """An item of a dataset, or of a sequence of pictures."""

    dataset: Any
    index: int

    def read(self, size: int) -> Float32[Tensor, "channels size size"]:
        """Return its central square in [0, 1]."""
        return unpacked(self.dataset[self.index], self.index, size)[0]

    def label(self) -> int | None:
        """Return its class."""
        return _parts(self.dataset[self.index], self.index)[1]

    def digest(self) -> str:
        """Return the SHA-256 of its pixels."""
        picture, _ = _parts(self.dataset[self.index], self.index)
        values = np.ascontiguousarray(picture)
        kind = f"{values.dtype}{values.shape}".encode()
        return hashlib.sha256(kind + values.tobytes()).hexdigest()


def unpacked(
    item: Any, place: int, size: int
) -> tuple[Float32[Tensor, "channels size size"], int | None]:
    """Return the pixels and the class of an item of a dataset.

    Raises
    ------
    InputError
        For an item without a picture, or with a class that is no number.
    """
    picture, label = _parts(item, place)
    if isinstance(picture, Image.Image):
        return pictures.square(picture, size), label
    return pictures.resized(_pixels(picture, place), size), label


def _parts(item: Any, place: int) -> tuple[Any, int | None]:
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
