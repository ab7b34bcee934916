"""Photographs in tar files, as WebDataset writes them."""

import tarfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path

from visioncircuits import pictures
from visioncircuits.datasets.items import Member
from visioncircuits.errors import InputError

TAR = ".tar"

_PICTURES = tuple(suffix.removeprefix(".") for suffix in pictures.SUFFIXES)


def members(paths: Sequence[Path]) -> Iterator[tuple[Member, int | None]]:
    """List the pictures in uncompressed tar files, each with its class.

    The members of one example are adjacent, and their names differ only after the first dot: a
    picture, and in a member `.cls` the number of its class.

    Raises
    ------
    InputError
        If a file is missing or is no uncompressed tar file, or a class is no number.
    """
    for path in paths:
        with _opened(path) as archive:
            files = (member for member in archive if member.isfile())
            for _, together in groupby(files, key=lambda member: _parts(member)[0]):
                label, found = None, []
                for member in together:
                    name, suffix = f"{path.name}/{member.name}", _parts(member)[1]
                    own = Member(path, name, member.offset_data, member.size)
                    if suffix == "cls":
                        label = _number(own)
                    elif suffix in _PICTURES:
                        found.append(own)
                yield from ((own, label) for own in found)


@contextmanager
def _opened(path: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(path, "r:") as archive:
            yield archive
    except (OSError, EOFError, tarfile.TarError) as error:
        raise InputError(
            f"{path} cannot be read as a tar file: {error}; a compressed one has to be unpacked"
        ) from error


def _parts(member: tarfile.TarInfo) -> tuple[str, str]:
    """Split a member's name at the first dot of its file name; hidden files have no suffix."""
    folder, _, name = member.name.rpartition("/")
    stem, _, suffix = name.partition(".")
    return f"{folder}/{stem}", suffix.lower() if stem else ""


def _number(member: Member) -> int:
    content = member.content()
    try:
        return int(content)
    except ValueError:
        raise InputError(
            f"{member.name} contains {content[:20]!r}; a class is a whole number"
        ) from None
