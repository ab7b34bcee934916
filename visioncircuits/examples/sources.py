"""Where pictures come from: a folder, tar shards, a dataset, or any iterable."""

import io
import tarfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
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
        RGB in [0, 1], `(3, size, size)`; None where it cannot be read.
    label
        Its class, where it has one.
    problem
        Why it cannot be read.
    """

    name: str
    pixels: Float32[Tensor, "3 height width"] | None
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
            return Photograph(name, None, problem=str(error))


def shards(paths: Sequence[str | Path], *, size: int) -> Iterator[Photograph]:
    """Read the pictures in tar files, as WebDataset writes them.

    A member whose name differs only in its suffix, `.cls`, holds its class as a number.

    Raises
    ------
    InputError
        Where a file is missing or no tar file.
    """
    for path in map(Path, paths):
        try:
            with tarfile.open(path) as archive:
                yield from _members(archive, path.name, size)
        except (OSError, tarfile.TarError) as error:
            raise InputError(f"{path} cannot be read as a tar file: {error}") from error


def _members(archive: tarfile.TarFile, shard: str, size: int) -> Iterator[Photograph]:
    waiting: dict[str, Photograph] = {}
    labels: dict[str, int] = {}
    for member in archive:
        stem, _, suffix = member.name.partition(".")
        opened = archive.extractfile(member)
        if opened is None:
            continue
        content = opened.read()
        if suffix == "cls":
            labels[stem] = int(content)
        elif f".{suffix.lower()}" in pictures.SUFFIXES:
            name = f"{shard}/{member.name}"
            try:
                waiting[stem] = Photograph(name, pictures.read(io.BytesIO(content), size))
            except InputError as error:
                waiting[stem] = Photograph(name, None, problem=str(error))
        # what belongs together stands together
        done = [other for other in waiting if other != stem]
        for other in done:
            yield _labelled(waiting.pop(other), labels.pop(other, None))
    for stem, photograph in waiting.items():
        yield _labelled(photograph, labels.get(stem))


def _labelled(photograph: Photograph, label: int | None) -> Photograph:
    return Photograph(photograph.name, photograph.pixels, label, photograph.problem)


def dataset(items: Iterable[Any], *, size: int) -> Iterator[Photograph]:
    """Take pictures from a torchvision dataset, or any iterable.

    Parameters
    ----------
    items
        PIL images, arrays or tensors `(3, height, width)` in [0, 1], or pairs of one and its class.
    size
        Side in pixels to which PIL images are cut.
    """
    for place, item in enumerate(items):
        picture, label = item if isinstance(item, tuple | list) else (item, None)
        if isinstance(picture, Image.Image):
            pixels = pictures.square(picture, size)
        else:
            pixels = torch.as_tensor(np.asarray(picture), dtype=torch.float32)
        yield Photograph(str(place), pixels, None if label is None else int(label))


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
