"""Universality: which units of two networks do the same.

Sources: Olah et al., "Zoom In" (2020), whose third claim this is; Li et al., "Convergent Learning"
(2016), which matches units by how their activations correlate.

Correlations over photographs and stimuli, the sums they are made of and the pairs read off them
are one measurement, which is why the module has more than 300 lines.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import torch
import xarray as xr
from jaxtyping import Float
from torch import Tensor

from visioncircuits import __version__
from visioncircuits.comparison.equivariance import correlated
from visioncircuits.datasets import Photograph, Source
from visioncircuits.datasets.photographs import opened
from visioncircuits.errors import InputError
from visioncircuits.figures import Figure
from visioncircuits.labeled import LabeledTable
from visioncircuits.networks import Network
from visioncircuits.networks.grids import Maps, onto
from visioncircuits.progress import bar
from visioncircuits.stimuli import StimulusSet, named
from visioncircuits.tuning import measure, placement

KIND = "matches"
"""The kind that a saved result is of."""

READY = (
    "curves", "lines", "edges", "corners", "circles", "sinusoidal-gratings", "checkerboards",
    "hatches", "dots", "noise", "color-contrast", "color-center-surround",
)  # fmt: skip

Side = tuple[Network, str]
"""A network, and a layer of it."""


def probes(*sides: Side) -> list[StimulusSet]:
    """Return the stimuli that units are matched on: lines, curves, textures, colors, frequencies.

    Parameters
    ----------
    sides
        Left out are stimuli too large for what a neuron of one of these layers sees.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> early = untrained("bvlc_googlenet"), "conv2d0"
    >>> len(probes(early)) < len(probes())
    True
    """
    sizes = [_drawn(network, layer) for network, layer in sides]
    boundaries = named("high-low")
    coarse = {name: slice(None, None, 10) for name in boundaries.dims}
    return [
        family
        for family in (*map(named, READY), boundaries.isel(**coarse))
        if all(_fits(family, size) for size in sizes)
    ]


def _drawn(network: Network, layer: str) -> tuple[int, ...]:
    """How large stimuli are drawn for a layer: what a neuron sees, as `measure` has it."""
    return tuple(map(min, network.layer(layer).receptive_field, placement(network, layer).size))


def _fits(family: StimulusSet, size: tuple[int, ...]) -> bool:
    """Check whether a set can be drawn that small."""
    try:
        family.fix(size=size).check()
    except InputError:
        return False
    return True


class Matches(LabeledTable):  # type: ignore[no-untyped-call]
    """Correlations of the units of two layers, by `unit` and `other`; a notebook shows the best.

    Examples
    --------
    >>> Matches.dimensions
    ('unit', 'other')
    """

    __slots__ = ()
    contents = "matches"
    dimensions = ("unit", "other")

    def _picture(self) -> Figure | None:
        from visioncircuits.comparison.matching_panels import matches_panel

        whole = {*self.dimensions} == {*self.dims} and "stimuli" in self
        return matches_panel(self) if whole and min(self.sizes.values()) > 1 else None


def match(
    network: Network,
    layer: str,
    other: Network,
    other_layer: str,
    photographs: Source | Iterable[Any],
    *,
    stimuli: Sequence[StimulusSet] | None = None,
    batch: int = 16,
    seed: int = 0,
    progress: bool = False,
) -> Matches:
    """Correlate every unit of one layer with every unit of another, on photographs and stimuli.

    On photographs activations are compared position by position, on the coarser of the two
    layers' grids; photographs are seen once, and memory does not grow with their number. On
    stimuli each layer's neurons see every stimulus at the middle of what they see.

    Parameters
    ----------
    network, layer, other, other_layer
        Two networks, and a layer of each; activations are compared as the layers give them.
    photographs
        Any (see `datasets.photographs`), also an iterator of pictures that passes once; they are
        cut to the size that the first network takes. Those that cannot be read are left out.
    stimuli
        By default the `probes` that suit both layers.
    batch
        Pictures that go through the networks at once.
    seed
        Of the shuffled stimuli.
    progress
        Whether to show a bar.

    Returns
    -------
    Matches
        float64 correlations by `unit` and `other`: `photographs`; `mismatched`, of each photograph
        with the one before it, which is the null; `stimuli`; `shuffled`, with the stimuli of the
        other network in another order. 0 for units that never vary. The attribute `record` holds
        in JSON how it was made, with `seen` and `skipped` photographs.

    Raises
    ------
    InputError
        For an unknown layer, one without positions, stimuli that `measure` cannot show to one of
        them, and fewer than two photographs.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> from visioncircuits.stimuli import StimulusSet, line
    >>> lines = StimulusSet(line, {"orientation": range(0, 180, 45)})
    >>> network = untrained("bvlc_googlenet")
    >>> found = match(network, "conv2d0", network, "conv2d0", torch.rand(2, 3, 224, 224),
    ...               stimuli=[lines])
    >>> dict(found.sizes)
    {'unit': 64, 'other': 64}
    """
    sides = (network, layer), (other, other_layer)
    for each, name in sides:
        if len(each.layer(name).shape) != 2:
            raise InputError(f"{name} of {each.name} has no positions; choose an earlier layer")
    shown = probes(*sides) if stimuli is None else list(stimuli)
    tuned = [_tuned(*side, shown) for side in sides]
    sums = _Sums.nothing(*(each.layer(name).units for each, name in sides))
    given, stream = opened(photographs, network.size)
    total = None if given is None else len(given)
    seen, skipped = 0, 0
    ends: list[tuple[Tensor, Tensor]] = []  # the first photograph, and the last so far
    with bar("photographs", total, visible=progress) as advance:
        for pictures, lost in _batches(stream, batch):
            skipped += lost
            advance(len(pictures) + lost)
            if not pictures:
                continue
            maps = _maps(*sides, torch.stack(pictures))
            sums.add(*maps)
            chain = [*ends[1:], *zip(*maps, strict=True)]
            for (_, before), (now, _) in pairwise(chain):
                sums.mismatch(now, before)
            ends = [ends[0] if ends else chain[0], chain[-1]]
            seen += len(pictures)
    if seen < 2:
        raise InputError(f"matching needs two photographs or more, and {seen} can be read")
    sums.mismatch(ends[0][0], ends[1][1])
    order = np.random.default_rng(seed).permutation(tuned[1].shape[1])
    found = {
        "photographs": sums.correlations(sums.products),
        "mismatched": sums.correlations(sums.mismatched),
        "stimuli": correlated(*tuned),
        "shuffled": correlated(tuned[0], tuned[1][:, order]),
    }
    record = {
        "visioncircuits": __version__,
        "torch": torch.__version__,
        "networks": [each.record() for each, _ in sides],
        "layers": [name for _, name in sides],
        "stimuli": [family.record() for family in shown],
        "seen": seen,
        "skipped": skipped,
        "seed": seed,
    }
    units, others = (
        [f"{name}:{unit}" for unit in range(each.layer(name).units)] for each, name in sides
    )
    return Matches(
        {name: (("unit", "other"), values) for name, values in found.items()},
        coords={"unit": units, "other": others},
        attrs={"kind": KIND, "record": json.dumps(record, sort_keys=True)},
    )


def pairs(found: xr.Dataset) -> pd.DataFrame:
    """List every unit with the one that it correlates with most on photographs.

    Parameters
    ----------
    found
        From `match`.

    Returns
    -------
    pandas.DataFrame
        A row a unit, those first whose `photographs` are furthest above `chance`: `unit`,
        `partner`, `photographs` (their correlation), `chance` (the unit's highest with any other
        unit on mismatched photographs), `mutual` (the partner has no better match than this unit),
        `stimuli` (their correlation), `rank` (the partner's place among all others by stimuli; 1
        is the best).

    Examples
    --------
    >>> both = ("unit", "other")
    >>> tables = {"photographs": [[0.9, 0.1], [0.8, 0.2]], "stimuli": [[0.7, 0.0], [0.1, 0.2]]}
    >>> found = xr.Dataset(
    ...     {name: (both, values) for name, values in tables.items()}
    ...     | {"mismatched": (both, [[0.1, 0.0], [0.0, 0.1]])},
    ...     coords={"unit": ["a:0", "a:1"], "other": ["b:0", "b:1"]},
    ... )
    >>> pairs(found)[["unit", "partner", "mutual", "rank"]].values.tolist()
    [['a:0', 'b:0', True, 1], ['a:1', 'b:0', False, 2]]
    """
    activity, tuning = found["photographs"].values, found["stimuli"].values
    best, every = activity.argmax(1), np.arange(len(activity))
    table = pd.DataFrame(
        {
            "unit": found["unit"].values,
            "partner": found["other"].values[best],
            "photographs": activity[every, best],
            "chance": found["mismatched"].values.max(1),
            "mutual": activity.argmax(0)[best] == every,
            "stimuli": tuning[every, best],
            "rank": 1 + (tuning > tuning[every, best][:, None]).sum(1),
        }
    )
    # Units that respond to positions rather than to content match on mismatched pictures too.
    order = np.argsort(table["chance"] - table["photographs"], kind="stable")
    return table.iloc[order].reset_index(drop=True)


@dataclass(frozen=True)
class Overlap:
    """How many of a family's partners are of the same family in the other network.

    Attributes
    ----------
    same, of
        So many of so many.
    chance
        How many there would be, were partners any units.

    Examples
    --------
    >>> Overlap(same=7, of=10, chance=0.4).same
    7
    """

    same: int
    of: int
    chance: float


def overlap(
    table: pd.DataFrame, units: Iterable[str], others: Iterable[str], *, width: int
) -> Overlap:
    """Count partners that are of the same family.

    Parameters
    ----------
    table
        From `pairs`.
    units, others
        The family in the one network, and in the other.
    width
        How many units the other layer has.

    Examples
    --------
    >>> table = pd.DataFrame({"unit": ["a:0", "a:1", "a:2"], "partner": ["b:7", "b:7", "b:1"]})
    >>> overlap(table, ["a:0", "a:2"], ["b:7", "b:8"], width=10)
    Overlap(same=1, of=2, chance=0.4)
    """
    wanted, family = set(units), set(others)
    partners = table.loc[table["unit"].isin(wanted), "partner"]
    return Overlap(
        int(partners.isin(family).sum()), len(partners), len(partners) * len(family) / width
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
        for sums, maps in ((self.one, one), (self.other, other)):
            sums += torch.stack([maps.sum((0, 2)), maps.square().sum((0, 2))])
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
    """Activations of both layers on the coarser of their grids."""
    size = pictures.shape[2], pictures.shape[3]
    layers = [network.layer_at(layer, size) for network, layer in (one, other)]
    coarser = min(layers, key=lambda layer: layer.shape[0] * layer.shape[1])
    found: list[Maps] = [
        onto(network.activations(pictures, [layer])[layer], described, coarser)
        for (network, layer), described in zip((one, other), layers, strict=True)
    ]
    return [maps.flatten(2).cpu().double() for maps in found]


def _tuned(
    network: Network, layer: str, stimuli: Sequence[StimulusSet]
) -> Float[np.ndarray, "units stimuli"]:
    responses = [measure(network, layer, family).values for family in stimuli]
    return np.concatenate([each.reshape(len(each), -1) for each in responses], 1).astype(np.float64)
