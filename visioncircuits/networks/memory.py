"""Keeping freed memory between steps instead of returning it to the system each time.

The tensors of a forward pass are so large that glibc allocates each from the system and returns
it, and the system clears every page again: a third of the time of a rendering step on a CPU.
"""

import ctypes
import ctypes.util
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # glibc's names for them: M_TRIM_THRESHOLD, …
_MOST = 2**31 - 1
_USUAL = 32 * 2**20  # where glibc's own adaptation ends


@cache
def _glibc() -> ctypes.CDLL | None:
    library = ctypes.CDLL(None)
    return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None


@contextmanager
def freed_memory_kept() -> Iterator[None]:
    """Keep memory that this process frees within the context; return it to the system after.

    Has no effect where the C library is not glibc.

    Examples
    --------
    >>> with freed_memory_kept():
    ...     pass
    """
    library = _glibc()
    if library is None:
        yield
        return
    library.mallopt(_MMAP_THRESHOLD, _MOST)
    library.mallopt(_TRIM_THRESHOLD, _MOST)
    try:
        yield
    finally:
        library.mallopt(_MMAP_THRESHOLD, _USUAL)
        library.mallopt(_TRIM_THRESHOLD, 2 * _USUAL)
        library.malloc_trim(0)
