"""Where a photograph's pixels are: in a file, in a tar file, in a dataset or in memory."""

import hashlib
import operator
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32
from PIL import Image
from torch import Tensor

from visioncircuits import fingerprint, pictures
from visioncircuits.datasets import arrays
from visioncircuits.datasets.arrays import Range
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
    """A picture's file, and the values in it that become 0 and 1, where these are its own."""

    path: Path
    range: Range | None = None

    def read(self, size: int) -> Float32[Tensor, "channels size size"]:
        """Return its central square in [0, 1]."""
        suffix = self.path.suffix.lower()
        return arrays.read(self.path, suffix, size, name=str(self.path), range=self.range)

    def digest(self) -> str:
        """Return the SHA-256 of the file."""
        return _ranged(fingerprint.of_file(self.path), self.range)


@dataclass(frozen=True, slots=True)
class Member:
    """A picture in an uncompressed tar file, at an offset in bytes."""

    path: Path
    name: str
    offset: int
    length: int
    range: Range | None = None

    def read(self, size: int) -> Float32[Tensor, "channels size size"]:
        """Return its central square in [0, 1]."""
        suffix = Path(self.name).suffix.lower()
        return arrays.read(self.content(), suffix, size, name=self.name, range=self.range)

    def digest(self) -> str:
        """Return the SHA-256 of its bytes."""
        return _ranged(hashlib.sha256(self.content()).hexdigest(), self.range)

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
    range: Range | None = None

    def read(self, size: int) -> Float32[Tensor, "channels size size"]:
        """Return its central square in [0, 1]."""
        return unpacked(self.dataset[self.index], self.index, size, range=self.range)[0]

    def label(self) -> int | None:
        """Return its class."""
        return _parts(self.dataset[self.index], self.index)[1]

    def digest(self) -> str:
        """Return the SHA-256 of its pixels."""
        picture, _ = _parts(self.dataset[self.index], self.index)
        values = np.ascontiguousarray(picture)
        kind = f"{values.dtype}{values.shape}".encode()
        return _ranged(hashlib.sha256(kind + values.tobytes()).hexdigest(), self.range)


def _ranged(sha: str, range: Range | None) -> str:
    """Return a digest of content and range; of the content alone where no range is stated."""
    return sha if range is None else hashlib.sha256(f"{sha} {range}".encode()).hexdigest()


def unpacked(
    item: Any, place: int, size: int, *, range: Range | None = None
) -> tuple[Float32[Tensor, "channels size size"], int | None]:
    """Return the pixels and the class of an item of a dataset.

    Raises
    ------
    InputError
        For an item without a picture, or with a class that is no number.
    """
    picture, label = _parts(item, place)
    if isinstance(picture, Image.Image):
        if range is None:
            return pictures.square(picture, size), label
        picture = np.asarray(picture)
    return arrays.square(picture, size, name=f"item {place}", range=range), label


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
