"""Where pictures come from: a folder, tar shards, a dataset, or any iterable."""

import io
import operator
import reprlib
import tarfile
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32
from PIL import Image
from torch import Tensor

from visioncircuits import pictures
from visioncircuits.errors import InputError


@dataclass(frozen=True)
class Photograph:
    """A picture to be shown, or why it cannot be.

    Attributes
    ----------
    name
        To find it again.
    pixels
        RGB in [0, 1], `(3, size, size)`, or what channels a network takes; None where it cannot
        be read.
    label
        Its class, where it has one.
    problem
        Why it cannot be read.
    """

    name: str
    pixels: Float32[Tensor, "channels height width"] | None
    label: int | None = None
    problem: str = ""


def folder(path: str | Path, *, size: int, labels: str = "none") -> "Files":
    """Read the pictures in a folder and the folders in it, by name.

    Parameters
    ----------
    size
        Side of the middle square that is read, in pixels.
    labels
        `"folders"` to take the first folder's name as the class, `"none"` for no classes.

    Raises
    ------
    InputError
        Where there is no such folder, or no picture in it.
    """
    paths = pictures.listed(path)
    classes: dict[str, int] = {}
    if labels == "folders":
        parts = [file.relative_to(path).parts for file in paths]
        names = sorted({part[0] for part in parts if len(part) > 1})
        classes = {name: place for place, name in enumerate(names)}
        numbers = [classes.get(part[0]) for part in parts]
    else:
        numbers = [None] * len(paths)
    return Files(Path(path), tuple(paths), tuple(numbers), size)


@dataclass(frozen=True)
class Files:
    """Pictures on disk, decoded on threads while the network computes.

    Attributes
    ----------
    root
        Names count from here.
    paths
        The files.
    labels
        The class of each, or None.
    size
        Side in pixels.
    """

    root: Path
    paths: tuple[Path, ...]
    labels: tuple[int | None, ...]
    size: int

    def __len__(self) -> int:
        return len(self.paths)

    def __iter__(self) -> Iterator[Photograph]:
        yield from ahead(self._read, range(len(self)))

    def _read(self, place: int) -> Photograph:
        path = self.paths[place]
        name = path.relative_to(self.root).as_posix()
        try:
            return Photograph(name, pictures.read(path, self.size), self.labels[place])
        except InputError as error:
            return Photograph(name, None, self.labels[place], str(error))


def shards(paths: Sequence[str | Path], *, size: int) -> Iterator[Photograph]:
    """Read the pictures in tar files, as WebDataset writes them.

    What belongs to one example stands together, its names differing from the first dot on: a
    picture, and in a member `.cls` the number of its class.

    Raises
    ------
    InputError
        Where a file is missing, is no tar file, or a class is no number.
    """
    for path in map(Path, paths):
        yield from ahead(partial(_decoded, size=size), _packed(path))


def packed(path: Path) -> int:
    """Count the pictures in a tar file; only the names in it are read.

    Raises
    ------
    InputError
        Where it is missing or no tar file.
    """
    with _opened(path) as archive:
        return sum(_parts(member)[1] in _PICTURES for member in archive if member.isfile())


def content(path: Path, member: str) -> io.BytesIO:
    """Give what one file in a tar file holds.

    Raises
    ------
    InputError
        Where there is no such tar file, or no such file in it.
    """
    with _opened(path) as archive:
        try:
            opened = archive.extractfile(member)
        except KeyError:
            opened = None
        if opened is None:
            raise InputError(f"there is no file {member} in {path}")
        return io.BytesIO(opened.read())


_PICTURES = tuple(suffix.removeprefix(".") for suffix in pictures.SUFFIXES)


@contextmanager
def _opened(path: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(path) as archive:
            yield archive
    except (OSError, EOFError, zlib.error, tarfile.TarError) as error:
        raise InputError(f"{path} cannot be read as a tar file: {error}") from error


def _packed(path: Path) -> Iterator[tuple[str, bytes, int | None]]:
    """Give each picture's name, its file's content and its class."""
    with _opened(path) as archive:
        members = (member for member in archive if member.isfile())
        for _, together in groupby(members, key=lambda member: _parts(member)[0]):
            label = None
            found = []
            for member in together:
                opened = archive.extractfile(member)
                assert opened is not None  # it is a file
                name, suffix = f"{path.name}/{member.name}", _parts(member)[1]
                if suffix == "cls":
                    label = _number(opened.read(), name)
                elif suffix in _PICTURES:
                    found.append((name, opened.read()))
            yield from ((name, content, label) for name, content in found)


def _parts(member: tarfile.TarInfo) -> tuple[str, str]:
    """Divide a member's name at the first dot in the name of the file; hidden files are none."""
    folder, _, name = member.name.rpartition("/")
    stem, _, suffix = name.partition(".")
    return f"{folder}/{stem}", suffix.lower() if stem else ""


def _number(content: bytes, name: str) -> int:
    try:
        return int(content)
    except ValueError:
        raise InputError(f"{name} holds {content[:20]!r}; a class is a whole number") from None


def _decoded(example: tuple[str, bytes, int | None], *, size: int) -> Photograph:
    name, content, label = example
    try:
        return Photograph(name, pictures.read(io.BytesIO(content), size, name=name), label)
    except InputError as error:
        return Photograph(name, None, label, str(error))


def dataset(items: Iterable[Any], *, size: int) -> Iterator[Photograph]:
    """Take pictures from a torchvision dataset, or any iterable.

    Parameters
    ----------
    items
        Pictures; tuples of one, its class and anything more; or mappings with an `image` and a
        `label`. A picture is a PIL image, or an array or tensor of floats in [0, 1] or of 8 bits,
        `(channels, height, width)`, `(height, width, channels)` or, in grey, `(height, width)`.
        A class is a whole number or None.
    size
        Side in pixels to which pictures are cut as `pictures.read` does, those of other sizes.

    Raises
    ------
    InputError
        For what is no such picture or class; it says which item, and what to give instead.

    Examples
    --------
    >>> items = [(np.full((40, 60, 3), 255, np.uint8), 7, "a note"), {"image": torch.rand(3, 9, 9)}]
    >>> [(tuple(each.pixels.shape), each.label) for each in dataset(items, size=32)]
    [((3, 32, 32), 7), ((3, 32, 32), None)]
    """
    for place, item in enumerate(items):
        picture, label = _taken_apart(item, place)
        if isinstance(picture, Image.Image):
            pixels = pictures.square(picture, size)
        else:
            pixels = pictures.resized(_pixels(picture, place), size)
        yield Photograph(str(place), pixels, label)


def _taken_apart(item: Any, place: int) -> tuple[Any, int | None]:
    """Give an item's picture and class."""
    if isinstance(item, Mapping):
        if "image" not in item:
            raise InputError(
                f"item {place} has no 'image' but {', '.join(map(repr, item))}; give pairs of a "
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
            "number the classes, or give the pictures alone"
        ) from None


def _pixels(picture: Any, place: int) -> Float32[Tensor, "channels height width"]:
    """Give an array's pixels in [0, 1], channels first."""
    values = torch.as_tensor(np.array(picture) if isinstance(picture, np.ndarray) else picture)
    if values.ndim == 2:
        values = values[None]
    elif values.ndim == 3 and values.shape[2] in (1, 3) and values.shape[0] not in (1, 3):
        values = values.permute(2, 0, 1)
    if values.dtype == torch.uint8:
        values = values / 255
    if values.ndim != 3 or not values.is_floating_point():
        raise InputError(
            f"item {place} is of {tuple(values.shape)} and {values.dtype}; give pictures as floats "
            "in [0, 1] or as 8 bits, (channels, height, width)"
        )
    if not ((values >= 0) & (values <= 1)).all():
        raise InputError(
            f"item {place} has values from {values.min():g} to {values.max():g}; give pictures in "
            "[0, 1], not normalized: the network's preprocessing does that"
        )
    values = values.float()
    return values.expand(3, -1, -1) if len(values) == 1 else values


def ahead(
    function: Callable[[Any], Photograph], items: Iterable[Any], *, threads: int = 2, most: int = 48
) -> Iterator[Photograph]:
    """Call a function on threads, some items ahead, and give the results in order."""
    pending: deque[Future[Photograph]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for item in items:
            pending.append(pool.submit(function, item))
            if len(pending) >= most:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
