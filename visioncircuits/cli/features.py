"""Features as they are written on the command line."""

from typing import Annotated

import typer

from visioncircuits.networks import names


def one(text: str) -> str:
    """Check a unit and return it as written, such as `mixed3b:413` or `logits:Chihuahua`.

    Raises
    ------
    InputError
        Where it is no unit.
    """
    names.feature(text)
    return text


def features(text: str) -> str | list[str]:
    """Read a layer, or some of its units.

    Raises
    ------
    InputError
        Where nothing follows a colon or a comma.

    Examples
    --------
    >>> features("mixed3b:413,408"), features("mixed3b")
    (['mixed3b:413', 'mixed3b:408'], 'mixed3b')
    """
    layer, colon, units = text.rpartition(":")
    if not colon:
        return text
    return [one(f"{layer}:{unit.strip()}") for unit in units.split(",")]


def several(text: str) -> str:
    """Check a layer or units, and return them as written.

    Raises
    ------
    InputError
        As for `features`.
    """
    features(text)
    return text


def listed(texts: list[str]) -> list[str]:
    """Read several layers, or some of their units, one name each.

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


Unit = Annotated[str, typer.Argument(callback=one, help="A unit, such as `mixed3b:413`.")]
