"""The classes of photographs: by WordNet's ids, by folders, or as a CSV file lists them."""

import csv
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from visioncircuits.errors import InputError

RULES = ("auto", "wordnet", "folders", "none")

Labels = tuple[int | None, ...]
Classes = tuple[str, ...] | None


def labels_of(names: Sequence[str], rule: Any) -> tuple[Labels, Classes]:
    """Return the class of each photograph, by its name, and the names of the classes.

    Parameters
    ----------
    names
        Paths relative to the folder of all.
    rule
        As for `photographs`.

    Raises
    ------
    InputError
        For an unknown rule, a rule that these names do not follow, or a file that cannot be read.
    """
    if isinstance(rule, Mapping):
        return _listed(names, rule, "labels")
    if not isinstance(rule, str | Path):
        return _numbers(names, rule), None
    match str(rule):
        case "none":
            return (None,) * len(names), None
        case "wordnet":
            return _wordnet(names)
        case "folders":
            return _folders(names)
        case "auto":
            return _found(names)
        case path if path.endswith(".csv"):
            return _listed(names, _read(Path(path)), path)
    raise InputError(
        f"unknown labels {str(rule)!r}; choose {', '.join(map(repr, RULES))}, a .csv file of names "
        "and classes, or numbers, one a photograph"
    )


def _numbers(names: Sequence[str], numbers: Sequence[int | None]) -> Labels:
    if len(numbers) != len(names):
        raise InputError(f"there are {len(numbers)} labels for {len(names)} photographs")
    return tuple(None if number is None else int(number) for number in numbers)


def _found(names: Sequence[str]) -> tuple[Labels, Classes]:
    """Find classes in names: WordNet's ids, or else folders, where every name has one."""
    if all(_synset(name) is not None for name in names):
        return _wordnet(names)
    if all("/" in name for name in names) and len({_first(name) for name in names}) > 1:
        return _folders(names)
    return (None,) * len(names), None


def _wordnet(names: Sequence[str]) -> tuple[Labels, Classes]:
    from visioncircuits.networks import imagenet_classes

    numbers = tuple(map(_synset, names))
    for name, number in zip(names, numbers, strict=True):
        if number is None:
            raise InputError(
                f"{name} has no class: its name, or its folder's, must begin with one of "
                "ImageNet's WordNet ids, as n01443537_goldfish.JPEG does"
            )
    return numbers, imagenet_classes()


def _synset(name: str) -> int | None:
    """Return the number of the class whose WordNet id a file's or its folder's name begins with."""
    parts = name.split("/")
    return next((_synsets()[part[:9]] for part in reversed(parts) if part[:9] in _synsets()), None)


@cache
def _synsets() -> dict[str, int]:
    from visioncircuits.networks.torchvision_models import imagenet_synsets

    return {identifier: number for number, identifier in enumerate(imagenet_synsets())}


def _folders(names: Sequence[str]) -> tuple[Labels, Classes]:
    classes = tuple(sorted({_first(name) for name in names if "/" in name}))
    if not classes:
        raise InputError(
            "there are no classes: the photographs are not in subfolders; choose labels='wordnet', "
            "or a .csv file"
        )
    places = {name: place for place, name in enumerate(classes)}
    return tuple(places[_first(name)] if "/" in name else None for name in names), classes


def _first(name: str) -> str:
    return name.partition("/")[0]


def _read(path: Path) -> dict[str, str]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = [row for row in csv.reader(file) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} cannot be read as CSV: {error}") from error
    if any(len(row) != 2 for row in rows):
        raise InputError(f"{path} must have two columns: a photograph's name and its class")
    return dict(rows)


def _listed(names: Sequence[str], listed: Mapping[str, Any], source: str) -> tuple[Labels, Classes]:
    """Look classes up by a photograph's name, or its file's name."""
    found = [listed.get(name, listed.get(name.rpartition("/")[2])) for name in names]
    if all(each is None for each in found):
        raise InputError(f"{source} has the class of none of these photographs, such as {names[0]}")
    texts = [None if each is None else str(each).strip() for each in found]
    if all(text is None or text.isdecimal() for text in texts):
        return tuple(None if text is None else int(text) for text in texts), None
    classes = tuple(sorted({text for text in texts if text is not None}))
    places = {name: place for place, name in enumerate(classes)}
    return tuple(None if text is None else places[text] for text in texts), classes
