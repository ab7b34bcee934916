"""Many passes with the same parameters: what depends on these alone is computed once."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from weakref import WeakKeyDictionary

Kept = WeakKeyDictionary[Any, dict[Any, Any]]
"""What was computed from parameters alone, for each plan of a run.

Traces that were compared with their module are keys too."""

_kept: ContextVar[Kept | None] = ContextVar("kept", default=None)


@contextmanager
def parameters_fixed() -> Iterator[None]:
    """State that no module or parameter changes within the context, which makes passes faster.

    Convolutions then take in the batch norms, sums and rectifiers that follow them (see `fusion`);
    values are the same to float rounding. A context within another one is part of it.

    Examples
    --------
    >>> with parameters_fixed():
    ...     kept() is None
    False
    """
    token = _kept.set(_kept.get() if _kept.get() is not None else WeakKeyDictionary())
    try:
        yield
    finally:
        _kept.reset(token)


def kept() -> Kept | None:
    """Return what the context has computed so far; None outside of one."""
    return _kept.get()
