"""Photographs in a folder."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from visioncircuits import pictures
from visioncircuits.errors import InputError
from visioncircuits.examples.photographs import Photograph, decoded_ahead


def folder(path: str | Path, *, size: int, labels: str = "none") -> "Files":
    """Read the pictures in a folder and its subfolders, in the order of their names.

    Parameters
    ----------
    size
        Side of the central square that is read, in pixels.
    labels
        `"folders"` to use the first subfolder's name as the class, `"none"` for no classes.

    Raises
    ------
    InputError
        If there is no such folder, or no picture in it.
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
        Names are relative to it.
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
        yield from decoded_ahead(self._read, range(len(self)))

    def _read(self, place: int) -> Photograph:
        path = self.paths[place]
        name = path.relative_to(self.root).as_posix()
        try:
            return Photograph(name, pictures.read(path, self.size), self.labels[place])
        except InputError as error:
            return Photograph(name, None, self.labels[place], str(error))
