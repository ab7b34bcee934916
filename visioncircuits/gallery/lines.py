"""On which line of a TOML file a key stands; the parser keeps no positions."""

import tomllib
from collections.abc import Sequence
from typing import Any


def line_of(text: str, path: Sequence[str | int]) -> int:
    r"""Find the line on which the statement begins that sets `path`, counted from 1.

    The text is parsed again, a line longer each time, until the path is in what it says: slow,
    but right for every way in which TOML lets a key be written. It is done once, for an error.

    Parameters
    ----------
    text
        Valid TOML.
    path
        Keys and list indices. Where the whole of it is not there, its longest part counts.

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
    """Count how many steps of `path` lead somewhere."""
    for depth, step in enumerate(path):
        try:
            content = content[step]
        except (KeyError, IndexError, TypeError):
            return depth
    return len(path)
