"""The line of a TOML file on which a key is set; the parser keeps no positions."""

import tomllib
from collections.abc import Sequence
from typing import Any


def line_of(text: str, path: Sequence[str | int]) -> int:
    r"""Find the line, counted from 1, on which the statement begins that sets `path`.

    The text is parsed again, a line longer each time, until the path is in its content: slow,
    but correct for every form in which TOML allows a key. It is done once, for an error.

    Parameters
    ----------
    text
        Valid TOML.
    path
        Keys and list indices. Where not all of it exists, the longest part that does counts.

    Examples
    --------
    >>> line_of("a = 1\n\n[[layers]]\nunits = [\n  1,\n]", ["layers", 0, "units"])
    4
    >>> line_of("a = 1\n\n[[layers]]\nunits = [\n  1,\n]", ["layers", 0, "missing"])
    3
    """
    lines = text.splitlines()
    depth = _depth(tomllib.loads(text), path)
    begin = 1
    for end in range(1, len(lines) + 1):
        try:
            content = tomllib.loads("\n".join(lines[:end]))
        except tomllib.TOMLDecodeError:
            continue  # in the middle of a statement
        if depth and _depth(content, path) >= depth:
            return begin
        begin = end + 1
    return 1


def _depth(content: Any, path: Sequence[str | int]) -> int:
    """Count the steps of `path` that exist."""
    for depth, step in enumerate(path):
        try:
            content = content[step]
        except (KeyError, IndexError, TypeError):
            return depth
    return len(path)
