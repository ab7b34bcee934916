"""Photographs of ImageNet's classes, as a network is scored on them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from visioncircuits.errors import InputError

SUFFIXES = (".jpeg", ".jpg", ".png", ".webp")

MARGIN = 256 / 224
"""A photograph's shorter side, over the side of the square that is cut out of its middle."""


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
        return torch.stack([_picture(path, size) for path in self.paths])


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
    classes = json.loads(files("visioncircuits.circuits").joinpath("imagenet.json").read_text())
    numbers = {identifier: number for number, identifier in enumerate(classes)}
    labels = []
    for path in paths:
        identifier = path.name[:9]
        if identifier not in numbers:
            raise InputError(
                f"{path} does not say its class: its name must begin with one of ImageNet's "
                "WordNet ids, as n01443537_goldfish.JPEG does"
            )
        labels.append(numbers[identifier])
    return Photographs(tuple(paths), tuple(labels))


def _picture(path: Path, size: int) -> Float32[Tensor, "3 size size"]:
    try:
        with Image.open(path) as file:
            image = file.convert("RGB")
    except (OSError, UnidentifiedImageError) as error:
        raise InputError(f"{path} cannot be read as a picture: {error}") from error
    scale = MARGIN * size / min(image.size)
    width, height = (max(round(side * scale), size) for side in image.size)
    image = image.resize((width, height), Image.Resampling.BILINEAR)
    left, top = (width - size) // 2, (height - size) // 2
    square = np.asarray(image.crop((left, top, left + size, top + size)), np.float32) / 255
    return torch.from_numpy(square).permute(2, 0, 1)
