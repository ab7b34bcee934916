"""Classes as users name them: by name, by number, or as a range of numbers."""

import difflib
import re
from collections.abc import Iterable, Sequence

from visioncircuits import errors
from visioncircuits.errors import InputError

Classes = str | int | Iterable[str | int | Iterable[int]]
"""Names, numbers, ranges of numbers, or several of these."""


def class_number(name: str, names: Sequence[str]) -> int:
    """Return the number of a class among the `names` of all.

    The name may be in other case, with underscores for spaces, where no other class is called so.

    Raises
    ------
    InputError
        For a name that no class has, with the nearest, or that several have.

    Examples
    --------
    >>> class_number("golden_retriever", ["tench", "golden retriever"])
    1
    >>> class_number("retriever", ["tench", "golden retriever"])
    Traceback (most recent call last):
    visioncircuits.errors.InputError: unknown class 'retriever'; the nearest are 'golden retriever'
    """
    found = [number for number, each in enumerate(names) if each == name]
    found = found or [number for number, each in enumerate(names) if _plain(each) == _plain(name)]
    if len(found) == 1:
        return found[0]
    if found:
        listed = ", ".join(f"{names[number]!r} ({number})" for number in found)
        raise InputError(f"several classes are called {name!r}: {listed}; write one's number")
    plain = {_plain(each): each for each in names}
    near = [each for each in plain if _plain(name) in each][:5]
    near = near or difflib.get_close_matches(_plain(name), plain, n=3, cutoff=0.5)
    if near:
        nearest = ", ".join(repr(plain[each]) for each in near)
        raise InputError(f"unknown class {name!r}; the nearest are {nearest}")
    raise errors.unknown("class", name, names)


def class_numbers(classes: Classes, names: Sequence[str] | None) -> frozenset[int]:
    """Return the numbers of some classes.

    Parameters
    ----------
    classes
        Names or numbers, ranges of numbers, or several of these. A text that is not a class' name
        may be a number, or the first and last of a range: `"151-268"`.
    names
        Of all classes, by number, where they are known.

    Raises
    ------
    InputError
        For an unknown class, or none.

    Examples
    --------
    >>> sorted(class_numbers(["goldfish", range(5, 8), "2-3"], ["tench", "goldfish", *"abcdef"]))
    [1, 2, 3, 5, 6, 7]
    """
    each = classes
    if isinstance(each, str) or not isinstance(each, Iterable):
        each = [each]
    found = frozenset(number for one in each for number in _numbers(one, names))
    if not found:
        raise InputError("no class is given; name one, or a range of numbers such as 151-268")
    last = None if names is None else len(names) - 1
    for number in sorted(found):
        if number < 0 or (last is not None and number > last):
            span = "0 or more" if last is None else f"0 to {last}"
            raise InputError(f"there is no class {number}; their numbers are {span}")
    return found


def _numbers(one: str | int | Iterable[int], names: Sequence[str] | None) -> Iterable[int]:
    if isinstance(one, str):
        span = re.fullmatch(r"\s*([0-9]+)(?:\s*-\s*([0-9]+))?\s*", one)
        if span and one not in (names or ()):
            first, last = span.groups(default=span[1])
            return range(int(first), int(last) + 1)
        if names is None:
            raise InputError(f"the classes have no names, such as {one!r}; write their numbers")
        return [class_number(one, names)]
    numbers = [one] if not isinstance(one, Iterable) else one
    try:
        return [int(number.__index__()) for number in numbers]
    except AttributeError:
        raise InputError(
            f"a class is a name, a number or a range of numbers, not {one!r}"
        ) from None


def _plain(name: str) -> str:
    return " ".join(name.replace("_", " ").casefold().split())
