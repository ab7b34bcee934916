"""Views of photographs: random crops and flips, so that few photographs give many activations."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32
from torch import Tensor
from torch.nn import functional as F

from visioncircuits.datasets import Photographs
from visioncircuits.errors import InputError
from visioncircuits.numbers import real, whole
from visioncircuits.records import brief


@dataclass(frozen=True, kw_only=True, repr=False)
class Views:
    """How many views of each photograph are taken, and how they are drawn.

    A view is a square out of the central square that every network is evaluated on, enlarged to the
    network's size, and flipped left to right or not.

    Attributes
    ----------
    count
        Views of each photograph.
    smallest
        The smallest side of a crop over that of the central square; sides are uniform from there
        to 1. With 1 nothing is cropped.
    flips
        Whether half of the views are flipped.

    Raises
    ------
    InputError
        If a number is out of range, or several views would be the same.

    Examples
    --------
    >>> Views(count=4)
    Views(count=4)
    """

    count: int = 1
    smallest: float = 0.7
    flips: bool = True

    def __post_init__(self) -> None:
        whole("count", self.count, least=1)
        real("smallest", self.smallest, least=0.1, most=1)
        if self.count > 1 and self.smallest == 1 and not self.flips:
            raise InputError("all views would be the same; pass a smallest below 1, or flips")

    __repr__ = brief


CENTRAL = Views(smallest=1, flips=False)
"""One view of each photograph: the central square."""


def viewed(
    photographs: Photographs, numbers: list[int], size: int, views: Views, *, seed: int
) -> Iterator[tuple[int, Float32[Tensor, "channels size size"], str]]:
    """Read photographs by their numbers, and yield the views of each.

    A view depends on the photograph, its number and the seed alone. In place of a photograph that
    cannot be read, the last of the others is viewed once more.

    Yields
    ------
    int
        The number of the view: the photograph's, times `views.count`, plus the view's own.
    Tensor
        Its pixels.
    str
        Why the photograph cannot be read; "" where it can.

    Raises
    ------
    InputError
        Where none of them can be read.
    """
    drawn_from = round(size / views.smallest)  # so that the smallest crop has the network's size
    spare, unread = None, []
    read = photographs.part(numbers).at(drawn_from)
    for number, photograph in zip(numbers, read, strict=True):
        if photograph.pixels is None:
            unread.append((number, photograph.problem))
            continue
        spare = photograph.pixels
        for view, pixels in _views(spare, number, size, views, seed):
            yield view, pixels, ""
    if spare is None:
        raise InputError(f"none of {len(numbers)} photographs can be read: {unread[0][1]}")
    for number, problem in unread:
        for view, pixels in _views(spare, number, size, views, seed):
            yield view, pixels, problem


def _views(
    pixels: Float32[Tensor, "channels side side"], number: int, size: int, views: Views, seed: int
) -> Iterator[tuple[int, Float32[Tensor, "channels size size"]]]:
    generator = np.random.default_rng((seed, number))
    for view in range(views.count):
        yield number * views.count + view, _view(pixels, size, views, generator)


def _view(
    pixels: Float32[Tensor, "channels side side"],
    size: int,
    views: Views,
    generator: np.random.Generator,
) -> Float32[Tensor, "channels size size"]:
    whole_side = pixels.shape[-1]
    share, top, left, flip = generator.random(4)
    side = round(whole_side * (views.smallest + share * (1 - views.smallest)))
    top, left = (int(place * (whole_side - side + 1)) for place in (top, left))
    cut = pixels[:, top : top + side, left : left + side]
    if side != size:
        cut = F.interpolate(cut[None], (size, size), mode="bilinear", antialias=True)[0]
    return cut.flip(2) if views.flips and flip < 0.5 else cut
