"""Write so that a file is there whole or not at all, and say in a sentence why not."""

import errno
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from visioncircuits.errors import InputError

log = logging.getLogger(__name__)

PART = ".part-"
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


def lock(handle: int, *, wait: bool) -> bool:
    """Lock an open file or folder against other processes, until it is closed.

    Systems without `flock`, and file systems that have none, do without.

    Returns
    -------
    bool
        False where another process holds it; with `wait` there is no such answer.
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
    """Write a file, its folders too, in place of what was there.

    Raises
    ------
    InputError
        Where it cannot be written; what was there before still is.
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
