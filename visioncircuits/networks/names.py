"""Names as users write them, of networks and units: checked before torch is there."""

import re
from importlib.metadata import EntryPoints, entry_points

from visioncircuits import errors
from visioncircuits.errors import InputError

GROUP = "visioncircuits.networks"
"""The entry points of packages that bring networks; theirs are written `ENTRY:NAME`."""

TORCHVISION = "torchvision"

PUBLISHED = {
    "inceptionv1": "Google's inception5h, the network of the Circuits thread",
    "bvlc_googlenet": "BVLC's GoogLeNet, ImageNet top-1 68.7 %",
}
"""Networks that have a name of their own, and a line about each."""


def plugins() -> EntryPoints:
    """Give the modules with `load(name)` and `available()` that installed packages announce."""
    return entry_points(group=GROUP)


def network(name: str) -> str:
    """Give a network's name back, where it may be one.

    What follows `torchvision:` or another package's prefix is for that package to know, which
    `load` asks.

    Raises
    ------
    InputError
        Where no network has such a name.

    Examples
    --------
    >>> network("torchvision:resnet18")
    'torchvision:resnet18'
    """
    prefixes = sorted({TORCHVISION, *(plugin.name for plugin in plugins())})
    prefix, _, rest = name.partition(":")
    if name in PUBLISHED or (rest and prefix in prefixes):
        return name
    others = " or ".join(f"{prefix}:NAME" for prefix in prefixes)
    raise errors.unknown(
        "network",
        name,
        [*PUBLISHED, *(f"{prefix}:{rest}" for prefix in prefixes if rest)],
        hint=f"others are {others}, and `visioncircuits networks --all` lists them",
    )


def unit(text: str) -> tuple[str, int]:
    """Read `layer:unit`.

    Raises
    ------
    InputError
        Where the text is not a layer's name, a colon and a number.

    Examples
    --------
    >>> unit("mixed3b:379")
    ('mixed3b', 379)
    """
    layer, _, number = text.strip().rpartition(":")
    if not layer or not re.fullmatch(r"[0-9]+", number):
        raise InputError(f"{text!r} is not a unit; write layer:number, such as mixed3b:379")
    return layer, int(number)
