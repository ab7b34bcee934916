"""Features as they are written on the command line: units and directions, checked early."""

from typing import Annotated

import typer

from visioncircuits.networks import names

WRITTEN = """A feature is a unit, `mixed3b:413`, or a direction over a layer's units, in a file:
`mixed3b:dog.npy` for its weights, one a unit, or `dog.json` for what `Direction.save` writes, or
what `find`, `judge` or `prefer` write with `--json`. A file of several rows, or of a list, is as
many features. Several of a layer have commas between them: `mixed3b:413,408,dog.npy`. A class is
`logits:Chihuahua`. Networks of CLIP have a direction for any text, `"text:a photo of a dog"`."""
"""Explained once, in the program's help; the commands' refers to it."""

DIRECTION = "or a direction, `mixed3b:dog.npy` (`visioncircuits --help` explains it)"
"""How an argument's help ends."""


def one(text: str) -> str:
    """Check a unit, or a file of directions, and return it as written.

    Raises
    ------
    InputError
        Where it is no feature, or the file is not there.
    """
    return names.existing_features(text)


def features(text: str) -> str | list[str]:
    """Read a layer, or some features of it.

    Raises
    ------
    InputError
        Where nothing follows a colon or a comma, or a file is not there.

    Examples
    --------
    >>> features("mixed3b:413,408"), features("mixed3b")
    (['mixed3b:413', 'mixed3b:408'], 'mixed3b')
    >>> features("text:a cat, a dog")
    ['text:a cat, a dog']
    """
    if names.description(text) is not None:
        return [one(text)]
    layer, colon, units = text.rpartition(":")
    if not colon:
        return [one(text)] if names.features_file(text) else text
    return [one(f"{layer}:{unit.strip()}") for unit in units.split(",")]


def several(text: str) -> str:
    """Check a layer or features, and return them as written.

    Raises
    ------
    InputError
        As for `features`.
    """
    features(text)
    return text


def listed(texts: list[str]) -> list[str]:
    """Read several layers, or some features of theirs, one name each.

    Raises
    ------
    InputError
        As for `features`.

    Examples
    --------
    >>> listed(["mixed3b:413,408", "mixed3a"])
    ['mixed3b:413', 'mixed3b:408', 'mixed3a']
    """
    named = map(features, texts)
    return [name for each in named for name in ([each] if isinstance(each, str) else each)]


One = Annotated[
    str, typer.Argument(callback=one, help=f"A unit, such as `mixed3b:413`, {DIRECTION}.")
]
