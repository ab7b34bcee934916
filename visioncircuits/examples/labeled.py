"""Photographs of ImageNet's classes, as a network is scored on them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import torch
from jaxtyping import Float32
from torch import Tensor

from visioncircuits import pictures
from visioncircuits.errors import InputError

SUFFIXES = (".jpeg", ".jpg", ".png", ".webp")


@dataclass(frozen=True)
class Photographs:
    """Photographs on disk, each with its class.

    Attributes
    ----------
    paths
        The files.
    labels
        The class of each, from 0 to 999, in the order of WordNet's ids.
    """

    paths: tuple[Path, ...]
    labels: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def names(self) -> list[str]:
        """The files' names."""
        return [path.name for path in self.paths]

    def part(self, places: Sequence[int]) -> "Photographs":
        """Give some of them."""
        return Photographs(
            tuple(self.paths[place] for place in places),
            tuple(self.labels[place] for place in places),
        )

    def pictures(self, size: int) -> Float32[Tensor, "batch 3 size size"]:
        """Read them all: the middle square, in [0, 1].

        Parameters
        ----------
        size
            Of the square, in pixels; of its photograph's shorter side it is 224 parts in 256, as
            ImageNet's networks are evaluated.

        Raises
        ------
        InputError
            For a file that is no picture.
        """
        return torch.stack([pictures.read(path, size) for path in self.paths])


def photographs(folder: str | Path) -> Photographs:
    """Find the photographs in a folder, by name.

    A file's name begins with its class's WordNet id, as in `n01443537_goldfish.JPEG`.

    Raises
    ------
    InputError
        Where there is no such folder, it holds no picture, or the name of one begins otherwise.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder}; name one of photographs")
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    if not paths:
        raise InputError(f"{folder} holds no photographs ({', '.join(SUFFIXES)})")
    classes = json.loads(files("visioncircuits.examples").joinpath("imagenet.json").read_text())
    numbers = {identifier: number for number, identifier in enumerate(classes)}
    labels = []
    for path in paths:
        identifier = path.name[:9]
        if identifier not in numbers:
            raise InputError(
                f"{path} has no class: its name must begin with one of ImageNet's "
                "WordNet ids, as n01443537_goldfish.JPEG does"
            )
        labels.append(numbers[identifier])
    return Photographs(tuple(paths), tuple(labels))
