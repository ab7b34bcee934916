"""Photographs in two parts, by their names: to train on, and to evaluate on."""

import hashlib

from visioncircuits.datasets.photographs import Photographs
from visioncircuits.errors import InputError
from visioncircuits.numbers import real


def split_by_name(
    photographs: Photographs, *, share: float = 0.1, seed: int = 0
) -> tuple[Photographs, Photographs]:
    """Hold some photographs out, chosen by their names.

    On which side a photograph lies depends on its name and the seed alone: it stays there whatever
    is added, removed or reordered. So about a share of them is held out, not exactly.

    Parameters
    ----------
    photographs
        To be divided.
    share
        About how many of them are held out; above 0 and below 1.
    seed
        Another one divides them otherwise.

    Returns
    -------
    Photographs, Photographs
        Those to train on, and those held out, each in their order.

    Raises
    ------
    InputError
        For another share, and where a part would be empty.

    Examples
    --------
    >>> import torch
    >>> from visioncircuits.datasets import photographs
    >>> training, held_out = split_by_name(photographs(torch.rand(20, 3, 8, 8)), share=0.3)
    >>> len(training), len(held_out), set(training.names) & set(held_out.names)
    (16, 4, set())
    """
    real("share", share, least=0, most=1, open=True)
    parts: tuple[list[int], list[int]] = ([], [])
    for place, name in enumerate(photographs.names):
        number = int.from_bytes(hashlib.sha256(f"{seed} {name}".encode()).digest()[:8], "big")
        parts[number < share * 2**64].append(place)
    if not all(parts):
        raise InputError(
            f"a share of {share:g} of {len(photographs)} photographs leaves one part empty; pass "
            "more of them, another share or another seed"
        )
    training, held_out = map(photographs.part, parts)
    return training, held_out
