"""Folders that are written whole or not at all, by one process at a time."""

import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from visioncircuits.errors import InputError
from visioncircuits.files import PART, explained, lock


def write(path: Path, files: Mapping[str, bytes]) -> None:
    """Write a folder of files that appears at once; an existing one is replaced.

    A name may have folders in it, as `maps/0.webp`.

    Raises
    ------
    InputError
        Where it cannot be written; then no part of it remains.
    """
    part = path.with_name(f"{PART}{path.name}-{secrets.token_hex(4)}")  # no other writer's
    with explained(path):
        try:
            part.mkdir(parents=True)
            for name, data in files.items():
                (part / name).parent.mkdir(parents=True, exist_ok=True)
                (part / name).write_bytes(data)
            if path.exists():  # a folder cannot be moved onto one that is not empty
                shutil.rmtree(path)
            part.replace(path)
        except OSError:
            shutil.rmtree(part, ignore_errors=True)
            raise


def sweep(folder: Path, *, deep: bool = True) -> None:
    """Remove the unfinished files and folders of killed processes in `folder`, and below it."""
    parts = folder.rglob(f"{PART}*") if deep else folder.glob(f"{PART}*")
    for part in sorted(parts):
        if part.is_dir():
            shutil.rmtree(part)
        else:
            part.unlink(missing_ok=True)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Lock `folder`, created where it is missing, against other processes meanwhile.

    The lock ends with the process, however that ends; see `files.lock`.

    Raises
    ------
    InputError
        Where another process has locked it, or it cannot be created.
    """
    with explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY)
    try:
        if not lock(handle, wait=False):
            raise InputError(
                f"{folder} is being written by another process; wait for it or choose another"
            )
        yield
    finally:
        os.close(handle)
