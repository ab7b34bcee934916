"""Names of networks and units as users write them, checked before torch is imported."""

import re

from visioncircuits import errors
from visioncircuits.errors import InputError

HANDWRITTEN = "handwritten"

TORCHVISION = "torchvision"

PREFIXES = (HANDWRITTEN, TORCHVISION)
"""Of networks that are written `PREFIX:NAME`."""

PUBLISHED = {
    "inceptionv1": "Google's inception5h, the network of the Circuits thread",
    "bvlc_googlenet": "BVLC's GoogLeNet, ImageNet top-1 68.7 %",
}
"""Networks without a prefix, and a line about each."""


def network(name: str) -> str:
    """Return a network's name, checked as far as possible without torch.

    `load` checks what follows a prefix.

    Raises
    ------
    InputError
        For a name that no network has.

    Examples
    --------
    >>> network("torchvision:resnet18")
    'torchvision:resnet18'
    """
    prefix, _, rest = name.partition(":")
    if name in PUBLISHED or (rest and prefix in PREFIXES):
        return name
    others = " or ".join(f"{prefix}:NAME" for prefix in PREFIXES)
    raise errors.unknown(
        "network",
        name,
        [*PUBLISHED, *(f"{prefix}:{rest}" for prefix in PREFIXES if rest)],
        hint=f"others are {others}, and `visioncircuits networks --all` lists them",
    )


def unit(text: str) -> tuple[str, int]:
    """Parse `layer:unit`.

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


def feature(text: str) -> tuple[str, int | str]:
    """Parse `layer:unit`, or `layer:class` with the name of a class.

    Raises
    ------
    InputError
        Where the text is not a layer's name, a colon, and a number or a name.

    Examples
    --------
    >>> feature("mixed3b:379"), feature("logits:golden retriever")
    (('mixed3b', 379), ('logits', 'golden retriever'))
    """
    layer, _, name = text.strip().rpartition(":")
    if not layer or not name.strip():
        raise InputError(
            f"{text!r} is not a unit; write layer:number, such as mixed3b:379, or a class of the "
            "network's output, such as logits:Chihuahua"
        )
    return layer, int(name) if re.fullmatch(r"[0-9]+", name) else name.strip()
