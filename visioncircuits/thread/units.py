"""Units by their names, such as `mixed3b:379`."""

from collections.abc import Iterable, Sequence


def number(name: object) -> int:
    """Return a unit's number in its layer.

    Examples
    --------
    >>> number("mixed3b:379")
    379
    """
    return int(str(name).rpartition(":")[2])


def numbers(names: Iterable[object]) -> list[int]:
    """Return units' numbers in their layers.

    Examples
    --------
    >>> numbers(["mixed3b:379", "mixed3b:385"])
    [379, 385]
    """
    return [number(name) for name in names]


def evenly(units: Sequence[str], most: int) -> list[str]:
    """Return some units, evenly spaced over a list; all where there are fewer.

    Examples
    --------
    >>> evenly(["a:1", "a:2", "a:3", "a:4", "a:5"], 3)
    ['a:1', 'a:3', 'a:5']
    """
    count = min(most, len(units))
    return [units[at * (len(units) - 1) // max(count - 1, 1)] for at in range(count)]
