"""Write so that a file or folder is there whole or not at all, and say in a sentence why not."""

import errno
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from visioncircuits.errors import InputError

_PART = ".part-"
"""What the names of unfinished things begin with."""


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what the system says while `path` is written into an `InputError`.

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
            told = (
                f"the disk is full: cannot write {path}; free some space and run the same again, "
                "what is finished is kept"
            )
        elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            told = f"no permission to write {path}; choose another folder or change its rights"
        else:
            told = f"cannot write {path}: {error.strerror or error}; choose another folder"
        raise InputError(told) from error


def write(path: Path, data: bytes) -> None:
    """Write a file, its folders too, in place of what was there.

    Raises
    ------
    InputError
        Where it cannot be written; what was there before still is.
    """
    part = path.with_name(_PART + path.name)
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            part.write_bytes(data)
            part.replace(path)
        except OSError:
            part.unlink(missing_ok=True)
            raise


def write_folder(path: Path, files: Mapping[str, bytes]) -> None:
    """Write a folder of files that appears at once; one that is there already is replaced.

    Raises
    ------
    InputError
        Where it cannot be written; nothing is left of it then.
    """
    part = path.with_name(_PART + path.name)
    with explained(path):
        shutil.rmtree(part, ignore_errors=True)
        try:
            part.mkdir(parents=True)
            for name, data in files.items():
                (part / name).write_bytes(data)
            if path.exists():  # a folder cannot be moved onto one that holds something
                shutil.rmtree(path)
            part.replace(path)
        except OSError:
            shutil.rmtree(part, ignore_errors=True)
            raise


def sweep(folder: Path) -> None:
    """Remove what a writer that was killed left unfinished anywhere under `folder`."""
    for part in sorted(folder.rglob(f"{_PART}*")):
        if part.is_dir():
            shutil.rmtree(part)
        else:
            part.unlink(missing_ok=True)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold `folder`, made where it is missing, so that no other process writes into it meanwhile.

    The hold ends with the process, however that ends. Systems without `flock` do without.

    Raises
    ------
    InputError
        Where another process holds it, or it cannot be made.
    """
    with explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
    try:
        import fcntl
    except ImportError:
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(
                f"{folder} is being written by another process; wait for it or choose another"
            ) from None
        yield
    finally:
        os.close(handle)
