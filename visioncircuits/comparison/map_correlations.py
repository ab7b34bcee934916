"""Correlations of two layers' activation maps on photographs, in sums that need no second look."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from visioncircuits.datasets import Photograph, Photographs
from visioncircuits.errors import InputError
from visioncircuits.networks import Features, Network, Selection, select
from visioncircuits.networks.grids import Maps, onto
from visioncircuits.progress import bar


@dataclass(frozen=True)
class Side:
    """Features of a layer of a network, which has positions."""

    network: Network
    chosen: Selection

    @classmethod
    def of(cls, network: Network, features: Features) -> "Side":
        """Check features, and return them as a side.

        Raises
        ------
        InputError
            As `networks.select`, and for a layer without positions.
        """
        side = cls(network, select(network, features))
        if len(network.layer(side.layer).shape) != 2:
            raise InputError(
                f"{side.layer} of {network.name} has no positions; choose an earlier layer"
            )
        return side

    @property
    def layer(self) -> str:
        """The name of the layer."""
        return self.chosen.layer

    def maps(self, pictures: Tensor) -> Maps:
        """Compute the features' activations."""
        found = self.network.activations(pictures, [self.layer])[self.layer]
        return found if self.chosen.whole else self.chosen.of(found)


@dataclass(frozen=True)
class MapCorrelations:
    """Pearson's correlations over all positions of photographs.

    Attributes
    ----------
    matched
        Of the same photographs.
    mismatched
        Of each photograph with the one before it.
    seen, skipped
        How many photographs were read, and how many could not be.
    """

    matched: Float[np.ndarray, "units others"]
    mismatched: Float[np.ndarray, "units others"]
    seen: int
    skipped: int


def correlate_maps(
    one: Side, other: Side, photographs: Photographs, *, batch: int, progress: bool
) -> MapCorrelations:
    """Correlate the maps of two sides, on the coarser of their grids.

    Photographs are seen once, at the size that the first network takes, and memory does not grow
    with their number.

    Raises
    ------
    InputError
        Where fewer than two photographs can be read.
    """
    sums = _Sums.nothing(len(one.chosen), len(other.chosen))
    seen, skipped = 0, 0
    ends: list[tuple[Tensor, Tensor]] = []  # the first photograph, and the last so far
    with bar("photographs", len(photographs), visible=progress) as advance:
        for pictures, lost in _batches(photographs.at(one.network.size), batch):
            skipped += lost
            advance(len(pictures) + lost)
            if not pictures:
                continue
            maps = _maps(one, other, torch.stack(pictures))
            sums.add(*maps)
            chain = [*ends[1:], *zip(*maps, strict=True)]
            for (_, before), (now, _) in pairwise(chain):
                sums.mismatch(now, before)
            ends = [ends[0] if ends else chain[0], chain[-1]]
            seen += len(pictures)
    if seen < 2:
        raise InputError(f"matching needs two photographs or more, and {seen} can be read")
    sums.mismatch(ends[0][0], ends[1][1])
    return MapCorrelations(
        sums.correlations(sums.products), sums.correlations(sums.mismatched), seen, skipped
    )


@dataclass
class _Sums:
    """What correlations are computed from, growing with the photographs."""

    count: int
    one: Float[Tensor, "2 units"]
    other: Float[Tensor, "2 others"]
    products: Float[Tensor, "units others"]
    mismatched: Float[Tensor, "units others"]

    @classmethod
    def nothing(cls, units: int, others: int) -> "_Sums":
        shapes = (2, units), (2, others), (units, others), (units, others)
        return cls(0, *(torch.zeros(shape, dtype=torch.float64) for shape in shapes))

    def add(self, one: Float[Tensor, "b units p"], other: Float[Tensor, "b others p"]) -> None:
        """Count pictures, each with itself."""
        self.count += one.shape[0] * one.shape[2]
        for kept, maps in ((self.one, one), (self.other, other)):
            kept += torch.stack([maps.sum((0, 2)), maps.square().sum((0, 2))])
        self.products += torch.einsum("bup,bop->uo", one, other)

    def mismatch(self, one: Float[Tensor, "units p"], other: Float[Tensor, "others p"]) -> None:
        """Count a picture with another."""
        self.mismatched += one @ other.T

    def correlations(self, products: Tensor) -> Float[np.ndarray, "units others"]:
        """Pearson's; both pairings see every picture once, so they differ in products alone."""
        (first, squares), (second, others) = self.one / self.count, self.other / self.count
        covariance = products / self.count - first[:, None] * second
        spreads = ((squares - first**2).clamp(min=0).sqrt()[:, None]
                   * (others - second**2).clamp(min=0).sqrt())  # fmt: skip
        return torch.where(spreads > 1e-12, covariance / spreads.clamp(min=1e-12), 0.0).numpy()


def _batches(photographs: Iterable[Photograph], batch: int) -> Iterator[tuple[list[Tensor], int]]:
    """Read pictures, and count how many could not be read."""
    pictures: list[Tensor] = []
    lost = 0
    for photograph in photographs:
        if photograph.pixels is None:
            lost += 1
        else:
            pictures.append(photograph.pixels)
        if len(pictures) == batch:
            yield pictures, lost
            pictures, lost = [], 0
    yield pictures, lost


@torch.no_grad()
def _maps(one: Side, other: Side, pictures: Tensor) -> list[Float[Tensor, "b _ positions"]]:
    """Return the activations of both on the coarser of their grids."""
    size = pictures.shape[2], pictures.shape[3]
    layers = [side.network.layer_at(side.layer, size) for side in (one, other)]
    coarser = min(layers, key=lambda layer: layer.shape[0] * layer.shape[1])
    found = [
        onto(side.maps(pictures), described, coarser)
        for side, described in zip((one, other), layers, strict=True)
    ]
    return [maps.flatten(2).cpu().double() for maps in found]
