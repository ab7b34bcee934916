"""Photographs in tar files, as WebDataset writes them."""

import io
import tarfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import groupby
from pathlib import Path

from visioncircuits import pictures
from visioncircuits.errors import InputError
from visioncircuits.examples.photographs import Photograph, decoded_ahead


def shards(paths: Sequence[str | Path], *, size: int) -> Iterator[Photograph]:
    """Read the pictures in tar files, as WebDataset writes them.

    The members of one example are adjacent, and their names differ only after the first dot: a
    picture, and in a member `.cls` the number of its class.

    Raises
    ------
    InputError
        If a file is missing or is no tar file, or a class is no number.
    """
    for path in map(Path, paths):
        yield from decoded_ahead(partial(_decoded, size=size), _members(path))


def count(path: Path) -> int:
    """Count the pictures in a tar file, by the names of its members.

    Raises
    ------
    InputError
        If it is missing or no tar file.
    """
    with _opened(path) as archive:
        return sum(_parts(member)[1] in _PICTURES for member in archive if member.isfile())


def content(path: Path, member: str) -> io.BytesIO:
    """Read one member of a tar file.

    Raises
    ------
    InputError
        If there is no such tar file, or no such member.
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


def _members(path: Path) -> Iterator[tuple[str, bytes, int | None]]:
    """Yield each picture's name, its content and its class."""
    with _opened(path) as archive:
        members = (member for member in archive if member.isfile())
        for _, together in groupby(members, key=lambda member: _parts(member)[0]):
            label = None
            images = []
            for member in together:
                opened = archive.extractfile(member)
                assert opened is not None  # a regular file
                name, suffix = f"{path.name}/{member.name}", _parts(member)[1]
                if suffix == "cls":
                    label = _number(opened.read(), name)
                elif suffix in _PICTURES:
                    images.append((name, opened.read()))
            yield from ((name, content, label) for name, content in images)


def _parts(member: tarfile.TarInfo) -> tuple[str, str]:
    """Split a member's name at the first dot of its file name; hidden files have no suffix."""
    folder, _, name = member.name.rpartition("/")
    stem, _, suffix = name.partition(".")
    return f"{folder}/{stem}", suffix.lower() if stem else ""


def _number(content: bytes, name: str) -> int:
    try:
        return int(content)
    except ValueError:
        raise InputError(f"{name} contains {content[:20]!r}; a class is a whole number") from None


def _decoded(example: tuple[str, bytes, int | None], *, size: int) -> Photograph:
    name, content, label = example
    try:
        return Photograph(name, pictures.read(io.BytesIO(content), size, name=name), label)
    except InputError as error:
        return Photograph(name, None, label, str(error))
