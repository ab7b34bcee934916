"""Errors that a user can correct."""

import difflib
from collections.abc import Iterable
from pathlib import Path


class InputError(ValueError):
    """A mistake that the user can correct: one sentence with the mistake and what to do instead.

    The command line prints it and exits with code 2; nothing has been started or written.
    """


def damaged(path: Path, error: Exception) -> InputError:
    """Return the error for a file that another `error` kept from being read.

    Examples
    --------
    >>> print(damaged(Path("net.pt"), EOFError("unexpected end")))
    net.pt cannot be read (unexpected end); get it again, it may be truncated
    """
    first = next(iter(str(error).splitlines()), type(error).__name__)
    return InputError(f"{path} cannot be read ({first}); get it again, it may be truncated")


def unknown(kind: str, name: str, known: Iterable[str], *, hint: str = "") -> InputError:
    """Return the error for a `name` that is not among the `known`, with the nearest of these.

    Examples
    --------
    >>> print(unknown("layer", "mixed3c", ["mixed3a", "mixed3b", "conv2d0"]))
    unknown layer 'mixed3c'; the nearest are 'mixed3b', 'mixed3a'
    """
    names = list(known)
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    if near:
        suggestion = "the nearest are " + ", ".join(repr(n) for n in near)
    elif len(names) <= 12:
        suggestion = "known are " + ", ".join(repr(n) for n in names)
    else:
        suggestion = f"there are {len(names)}, such as " + ", ".join(repr(n) for n in names[:3])
    return InputError(f"unknown {kind} {name!r}; {suggestion}{'; ' + hint if hint else ''}")
