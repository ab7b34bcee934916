"""Units by their names, such as `mixed3b:379`."""

from collections.abc import Iterable


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
