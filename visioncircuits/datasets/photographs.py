"""Photographs as one type, and the function that makes it of whatever holds them.

`photographs` reads each kind of source in a few lines; beside the type that it returns these
are some 300.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor

from visioncircuits import fingerprint, pictures
from visioncircuits.datasets import arrays, tar
from visioncircuits.datasets.classes import Classes, Labels, labels_of
from visioncircuits.datasets.decoding import Photograph, decoded_ahead
from visioncircuits.datasets.items import File, Indexed, Item, Member, unpacked
from visioncircuits.errors import InputError
from visioncircuits.networks import Network


@runtime_checkable
class Dataset(Protocol):
    """A sequence or a dataset of torch: it has a length, and items by number."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Any: ...


@dataclass(frozen=True)
class Photographs:
    """Photographs in an order, of which pixels are read when they are needed.

    Attributes
    ----------
    names
        Their paths in the folder or tar file they come from, or their numbers in a dataset.
    items
        Where their pixels are.
    classes
        The names of the classes, by number; None where these are not known.

    Examples
    --------
    >>> found = photographs(torch.rand(3, 3, 80, 60), labels=[281, None, 967])
    >>> found
    Photographs(3, labels of 2)
    >>> found.labels, found.part([2]).labels, found.pictures(64).shape
    ((281, None, 967), (967,), torch.Size([3, 3, 64, 64]))
    """

    names: tuple[str, ...]
    items: tuple[Item, ...] = field(repr=False)
    known_labels: Labels | None = None
    classes: Classes = None

    def __repr__(self) -> str:
        labeled = (
            "labels not read yet"
            if self.known_labels is None
            else f"labels of {sum(label is not None for label in self.known_labels)}"
        )
        return f"Photographs({len(self)}, {labeled})"

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def labels(self) -> Labels:
        """The number of each photograph's class, or None; a dataset's may have to be read."""
        if self.known_labels is not None:
            return self.known_labels
        return tuple(item.label() for item in self.items if isinstance(item, Indexed))

    def labels_in(self, network: Network) -> tuple[int, ...]:
        """Return the number of each photograph's class among a network's classes.

        Classes with names are looked up in `network.classes` by these; numbers are taken as they
        are.

        Raises
        ------
        InputError
            For a photograph without a class, or one whose class the network does not have.
        """
        for name, label in zip(self.names, self.labels, strict=True):
            if label is None:
                raise InputError(
                    f"{name} has no class; begin its name with ImageNet's WordNet id, as in "
                    "n01443537_goldfish.JPEG, or pass labels"
                )
        numbers = tuple(label for label in self.labels if label is not None)
        if self.classes is None or self.classes == network.classes:
            return numbers
        if network.classes is None:
            raise InputError(
                f"the classes of {network.name}'s logits are not known; wrap it with classes=…"
            )
        places = {name: place for place, name in enumerate(network.classes)}
        for number in sorted(set(numbers)):
            if network.classes.count(self.classes[number]) != 1:
                raise InputError(
                    f"{network.name} has no class {self.classes[number]!r}, or several; pass "
                    "labels as numbers of its classes"
                )
        return tuple(places[self.classes[number]] for number in numbers)

    def part(self, places: Sequence[int]) -> "Photographs":
        """Return some of them, by their places."""
        labels = self.known_labels
        return Photographs(
            tuple(self.names[place] for place in places),
            tuple(self.items[place] for place in places),
            None if labels is None else tuple(labels[place] for place in places),
            self.classes,
        )

    def at(self, size: int) -> Iterator[Photograph]:
        """Read them one after the other; files are decoded ahead on threads.

        Parameters
        ----------
        size
            Of the central square, in pixels; it is 224/256 of the photograph's shorter side, as
            ImageNet's networks are evaluated.

        Yields
        ------
        Photograph
            One whose file is damaged has no pixels, but a `problem`.

        Raises
        ------
        InputError
            For an item of a dataset that is no picture.
        """
        if any(isinstance(item, Indexed) for item in self.items):  # not always safe on threads
            for place in range(len(self)):
                yield self._indexed(place, size)
        else:
            yield from decoded_ahead(partial(self._decoded, size), range(len(self)))

    def _decoded(self, size: int, place: int) -> Photograph:
        name, label = self.names[place], self.labels[place]
        try:
            return Photograph(name, self.items[place].read(size), label)
        except InputError as error:
            return Photograph(name, None, label, str(error))

    def _indexed(self, place: int, size: int) -> Photograph:
        item = self.items[place]
        assert isinstance(item, Indexed)
        pixels, label = unpacked(item.dataset[item.index], item.index, size, range=item.range)
        if self.known_labels is not None:
            label = self.known_labels[place]
        return Photograph(self.names[place], pixels, label)

    def batches(self, size: int, batch: int) -> Iterator[Float32[Tensor, "_ channels size size"]]:
        """Read them in batches.

        Raises
        ------
        InputError
            For a file that is no picture.
        """
        pending: list[Tensor] = []
        for photograph in self.at(size):
            if photograph.pixels is None:
                raise InputError(photograph.problem)
            pending.append(photograph.pixels)
            if len(pending) == batch:
                yield torch.stack(pending)
                pending = []
        if pending:
            yield torch.stack(pending)

    def pictures(self, size: int) -> Float32[Tensor, "batch channels size size"]:
        """Read them all, as `batches`."""
        return next(self.batches(size, len(self)))

    def read(self, name: str, size: int) -> Float32[Tensor, "channels size size"]:
        """Read one of them by its name.

        Raises
        ------
        InputError
            If there is none of this name, or it is no picture.
        """
        if name not in self._places:
            raise InputError(f"there is no photograph {name} among these {len(self)}")
        return self.items[self._places[name]].read(size)

    @cached_property
    def _places(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.names)}

    def digest(self) -> str:
        """Return the SHA-256 of their names and contents, whatever their order."""
        with ThreadPoolExecutor() as pool:
            shas = pool.map(lambda item: item.digest(), self.items)
            return fingerprint.of_named(self.names, shas)


Source = str | Path | Tensor | np.ndarray | Photographs | Dataset
"""What `photographs` takes."""


def photographs(
    source: Source, *, labels: Any = "auto", range: Sequence[float] | None = None
) -> Photographs:
    """Return photographs as every tool takes them, from whatever holds them.

    Parameters
    ----------
    source
        A folder, with its subfolders; a tar file as WebDataset writes it, or a folder of these; a
        picture's file; a sequence of files; a dataset of torch or a sequence, of pictures, of
        pictures each with its class, or of mappings with an `image` and a `label`; or pictures as a
        tensor or array, `(batch, channels, height, width)`. A picture is an image of PIL, or an
        array or tensor of floats in [0, 1] or of 8 bits, `(channels, height, width)`,
        `(height, width, channels)` or, in gray, `(height, width)`; of files, `.npy`, and TIFF of
        several pages or more samples than colors have, are such arrays, of the channels that the
        network takes. `Photographs` are returned as they are.
    labels
        Where the classes are: `"wordnet"`, in the ids of WordNet that names of files or folders
        begin with, as in `n01443537_goldfish.JPEG`; `"folders"`, in the names of the first
        subfolders; `"none"`; by default `"auto"`, the first of these that fits all; a `.csv` file
        with the columns name and class, or such a mapping; or numbers, one a photograph. Tar files
        and datasets have classes of their own, which are used unless numbers are given.
    range
        The values that become 0 and 1, `(low, high)`, where files or arrays are in units of their
        own: usually the range of the network's preprocessing, which turns 0 and 1 into them again.
        Files are then read as arrays, in full precision.

    Raises
    ------
    InputError
        Where there is no such folder or file, no picture in it, or no class where `labels` has one;
        when they are read, for values out of range.

    Examples
    --------
    >>> items = [(np.full((40, 60, 3), 255, np.uint8), 7), {"image": torch.rand(3, 9, 9)}]
    >>> found = photographs(items)
    >>> found.labels, found.pictures(32).shape
    ((7, None), torch.Size([2, 3, 32, 32]))
    >>> reflectance = np.full((1, 13, 64, 64), 2500, np.uint16)
    >>> photographs(reflectance, range=(0, 10000)).pictures(64).unique().tolist()
    [0.25]
    """
    if isinstance(source, Photographs):
        if range is not None:
            raise InputError("these are photographs already; state their range where they are made")
        return source
    found = _found(source, labels)
    if range is None:
        return found
    ends = arrays.checked(range)
    return replace(found, items=tuple(_ranged(item, ends) for item in found.items))


def _ranged(item: Item, range: arrays.Range) -> Item:
    assert isinstance(item, File | Member | Indexed)
    return replace(item, range=range)


def _found(source: Any, labels: Any) -> Photographs:
    if isinstance(source, str | Path):
        return _on_disk(Path(source), labels)
    if isinstance(source, Tensor | np.ndarray) and source.ndim == 3:
        source = source[None]
    if not len(source):
        raise InputError("there are no photographs; pass a folder, files, or pictures")
    first = source[0]
    if isinstance(first, str | Path):
        paths = [Path(str(source[place])) for place in range(len(source))]
        return _files(paths, None, labels)
    numbers = range(len(source))
    names = tuple(map(str, numbers))
    items = tuple(Indexed(source, place) for place in numbers)
    if isinstance(labels, str) and labels == "auto":
        return Photographs(names, items, _known(source))
    return Photographs(names, items, *labels_of(names, labels))


def opened(
    source: Source | Iterable[Any], size: int
) -> tuple[Photographs | None, Iterator[Photograph]]:
    """Read photographs one after the other, also from an iterator that passes once.

    Returns
    -------
    Photographs or None
        To read them again; None for an iterator, or for a list of what was read already.
    Iterator
        Each as it is read. Items of an iterator are as a dataset has them.

    Raises
    ------
    InputError
        For an item that is no picture.
    """
    read_already = isinstance(source, list | tuple) and source and isinstance(source[0], Photograph)
    if isinstance(source, str | Path | Photographs | Dataset) and not read_already:
        found = photographs(source)
        return found, found.at(size)
    assert isinstance(source, Iterable)
    return None, map(partial(_passed, size), enumerate(source))


def _passed(size: int, numbered: tuple[int, Any]) -> Photograph:
    place, item = numbered
    if isinstance(item, Photograph):
        return item
    return Photograph(str(place), *unpacked(item, place, size))


def _known(source: Any) -> Labels | None:
    """Return the classes that a dataset lists, or that plain pictures do not have."""
    if isinstance(source, Tensor | np.ndarray):
        return (None,) * len(source)
    targets = getattr(source, "targets", None)  # of torchvision's datasets
    if targets is None or len(targets) != len(source):
        return None
    return tuple(int(target) for target in targets)


def _on_disk(path: Path, labels: Any) -> Photographs:
    if path.suffix == tar.TAR and path.is_file():
        return _tar([path], path, labels)
    if path.is_dir() and (archives := sorted(path.glob(f"*{tar.TAR}"))):
        return _tar(archives, path, labels)
    if path.is_file():
        return _files([path], path.parent, labels)
    return _files(pictures.listed(path), path, labels)


def _files(paths: Sequence[Path], root: Path | None, labels: Any) -> Photographs:
    for path in paths:
        if not path.is_file():
            raise InputError(f"there is no file {path}; name photographs")
    root = root or Path(os.path.commonpath([path.absolute().parent for path in paths]))
    names = tuple(Path(os.path.relpath(path, root)).as_posix() for path in paths)
    return Photographs(names, tuple(map(File, paths)), *labels_of(names, labels))


def _tar(paths: Sequence[Path], source: Path, labels: Any) -> Photographs:
    found = list(tar.members(paths))
    if not found:
        raise InputError(f"{source} holds no photographs ({', '.join(pictures.SUFFIXES)})")
    names = tuple(member.name for member, _ in found)
    own = tuple(label for _, label in found)
    if isinstance(labels, str) and labels == "auto":
        known, classes = own, None
    else:
        known, classes = labels_of(names, labels)
    return Photographs(names, tuple(member for member, _ in found), known, classes)
