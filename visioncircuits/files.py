"""Writing files whole or not at all, with errors of one sentence."""

import errno
import json
import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from visioncircuits.errors import InputError

log = logging.getLogger(__name__)

PART = ".part-"
"""Prefix of the names of unfinished files and folders."""


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn the system's errors while `path` is written into an `InputError`.

    Examples
    --------
    >>> with explained(Path("site")):
    ...     raise OSError(errno.ENOSPC, "No space left on device")
    Traceback (most recent call last):
    visioncircuits.errors.InputError: the disk is full: cannot write site; free some space and run
    the same again, what is finished is kept
    """
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            message = (
                f"the disk is full: cannot write {path}; free some space and run the same again, "
                "what is finished is kept"
            )
        elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            message = f"no permission to write {path}; choose another folder or change its rights"
        else:
            message = f"cannot write {path}: {error.strerror or error}; choose another folder"
        raise InputError(message) from error


def lock(handle: int, *, wait: bool) -> bool:
    """Lock an open file or folder against other processes, until it is closed.

    Systems and file systems without `flock` do not lock.

    Returns
    -------
    bool
        False where another process has locked it; with `wait` always True.
    """
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        log.debug("this file system has no locks: %s", error)
    return True


def write(path: Path, data: bytes) -> None:
    """Write a file and its folders; an existing file is replaced.

    Raises
    ------
    InputError
        Where it cannot be written; then an existing file stays as it was.
    """
    part = path.with_name(PART + path.name)
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            part.write_bytes(data)
            part.replace(path)
        except OSError:
            part.unlink(missing_ok=True)
            raise


def write_json(path: str | Path, content: Any, *, indent: int | None = None) -> Path:
    """Write what JSON can hold to a `.json` file, as `write` does, and return the path.

    Raises
    ------
    InputError
        For another suffix, and as `write`.

    Examples
    --------
    >>> write_json("unit.txt", {"unit": "mixed3b:413"})
    Traceback (most recent call last):
    visioncircuits.errors.InputError: unit.txt cannot be written: name it .json
    """
    path = Path(path)
    if path.suffix.lower() != ".json":
        raise InputError(f"{path} cannot be written: name it .json")
    write(path, json.dumps(content, indent=indent).encode())
    return path


def check_room(path: Path, needed: int, what: str, instead: str) -> None:
    """Check that a disk has room for `what`; `instead` is how it would need less.

    Raises
    ------
    InputError
        Where it has not.

    Examples
    --------
    >>> check_room(Path("."), 10**21, "these activations", "draw positions (positions=16)")
    Traceback (most recent call last):
    visioncircuits.errors.InputError: these activations need 1e+09 TB, and there are ... free in .;
    draw positions (positions=16), or choose another disk
    """
    there = next(way for way in (path.absolute(), *path.absolute().parents) if way.exists())
    free = shutil.disk_usage(there).free
    if needed > free:
        raise InputError(
            f"{what} need {written_size(needed)}, and there are {written_size(free)} free in "
            f"{path}; {instead}, or choose another disk"
        )


def written_size(count: float) -> str:
    """Write a number of bytes for people.

    Examples
    --------
    >>> written_size(512), written_size(3.2e9)
    ('512 bytes', '3.2 GB')
    """
    if count < 1000:
        return f"{count:.0f} bytes"
    for name in ("kB", "MB", "GB"):
        count /= 1000
        if count < 1000:
            return f"{count:.3g} {name}"
    return f"{count / 1000:.3g} TB"
