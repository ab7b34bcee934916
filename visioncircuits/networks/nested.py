"""Nested arguments and results: lists, tuples, dictionaries and slices around tensors."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any


def mapped(values: Any, function: Callable[[Any], Any]) -> Any:
    """Apply a function to all leaves of nested arguments."""
    if isinstance(values, slice):
        return slice(*(mapped(v, function) for v in (values.start, values.stop, values.step)))
    if isinstance(values, tuple | list):
        found = [mapped(value, function) for value in values]
        return found if isinstance(values, list) else tuple(found)
    if isinstance(values, dict):
        return {key: mapped(value, function) for key, value in values.items()}
    return function(values)


def leaves(values: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Iterate over the leaves of a nested result, each with its path."""
    if isinstance(values, dict):
        for key, value in values.items():
            yield from leaves(value, (*path, key))
    elif isinstance(values, tuple) and hasattr(values, "_fields"):
        for key in values._fields:
            yield from leaves(getattr(values, key), (*path, key))
    elif isinstance(values, tuple | list):
        for key, value in enumerate(values):
            yield from leaves(value, (*path, key))
    else:
        yield path, values


def part(values: Any, path: Sequence[Any]) -> Any:
    """Return the leaf of a nested result at a path, as `leaves` returns it."""
    for key in path:
        values = (
            getattr(values, key)
            if hasattr(values, "_fields") and isinstance(key, str)
            else values[key]
        )
    return values
