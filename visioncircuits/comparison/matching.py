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

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from visioncircuits import __version__, datasets
from visioncircuits.comparison.equivariance import correlated
from visioncircuits.datasets import Photograph, Source
from visioncircuits.errors import InputError
from visioncircuits.figures import Figure
from visioncircuits.labeled import LabeledTable
from visioncircuits.networks import Features, Network, Selection, select
from visioncircuits.networks.grids import Maps, onto
from visioncircuits.numbers import whole
from visioncircuits.progress import bar
from visioncircuits.stimuli import StimulusSet, named
from visioncircuits.tuning import measure, placement

READY = (
    "curves", "lines", "edges", "corners", "circles", "sinusoidal-gratings", "checkerboards",
    "hatches", "dots", "noise", "color-contrast", "color-center-surround",
)  # fmt: skip


class Matches(LabeledTable):  # type: ignore[no-untyped-call]
    """Correlations of features of two layers, by `unit` and `other`.

    They are `photographs`; `mismatched`, of each photograph with the one before it, which is the
    null; `stimuli`; and `shuffled`, with the stimuli of the other side in another order. Those of
    units that never vary are 0. A notebook shows the `matches_panel` above them.

    Examples
    --------
    >>> from visioncircuits.comparison import match
    >>> from visioncircuits.networks import untrained
    >>> from visioncircuits.stimuli import named
    >>> few = [named("lines").isel(orientation=[0, 6], width=0)]
    >>> network = untrained("bvlc_googlenet")
    >>> pictures = torch.rand(2, 3, 64, 64)
    >>> found = match(network, "conv2d0", network, "conv2d1", pictures, stimuli=few)
    >>> found.record["seen"], found["photographs"].sel(unit="conv2d0:7").dims
    (2, ('other',))
    """

    __slots__ = ()
    contents = "matches"
    dimensions = ("unit", "other")

    def _picture(self) -> Figure | None:
        from visioncircuits.comparison.matching_panels import matches_panel

        parts = [self[name] for name in ("photographs", "mismatched", "stimuli") if name in self]
        complete = len(parts) == 3 and all(
            part.dims == self.dimensions and part.size and np.isfinite(part).all() for part in parts
        )
        return matches_panel(self) if complete else None


def probes(*sides: tuple[Network, str]) -> list[StimulusSet]:
    """Return the stimuli that units are matched on: lines, curves, textures, colors, frequencies.

    Parameters
    ----------
    sides
        Networks with a layer each. Left out are stimuli too large for what a neuron of one of these
        layers sees.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> early = untrained("bvlc_googlenet"), "conv2d0"
    >>> len(probes(early)) < len(probes())
    True
    """
    sizes = [drawn_size(network, layer) for network, layer in sides]
    boundaries = named("high-low")
    coarse = {name: slice(None, None, 10) for name in boundaries.dims}
    return [
        family
        for family in (*map(named, READY), boundaries.isel(**coarse))
        if all(fits(family, size) for size in sizes)
    ]


def drawn_size(network: Network, layer: str) -> tuple[int, ...]:
    """How large stimuli are drawn for a layer: what a neuron sees, as `measure` has it."""
    return tuple(map(min, network.layer(layer).receptive_field, placement(network, layer).size))


def fits(family: StimulusSet, size: tuple[int, ...]) -> bool:
    """Check whether a set can be drawn that small."""
    try:
        family.fix(size=size).check()
    except InputError:
        return False
    return True


def match(
    network: Network,
    features: Features,
    other: Network,
    other_features: Features,
    photographs: Source,
    *,
    stimuli: Sequence[StimulusSet] | None = None,
    batch: int = 16,
    seed: int = 0,
    progress: bool = False,
) -> Matches:
    """Correlate features of one layer with features of another, on photographs and stimuli.

    On photographs activations are compared position by position, on the coarser of the two
    layers' grids; photographs are seen once, and memory does not grow with their number. On
    stimuli each layer's neurons see every stimulus at the middle of what they see.

    Parameters
    ----------
    network, features
        The one side: a layer, or features of one layer; activations are compared as the layer
        gives them.
    other, other_features
        The other side, of the same network or another.
    photographs
        2 or more, see `datasets.photographs`, read at the size that the first network takes;
        those that cannot be read are left out.
    stimuli
        By default lines, curves, textures, colors and frequencies, as far as a neuron of both
        layers sees the whole of them.
    batch
        Pictures that go through the networks at once.
    seed
        Of the shuffled stimuli.
    progress
        Whether to show a bar.

    Returns
    -------
    Matches
        Correlations by `unit` and `other`.

    Raises
    ------
    InputError
        For an unknown feature, a layer without positions, stimuli that `measure` cannot show to one
        of them, and fewer than two photographs.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> from visioncircuits.stimuli import named
    >>> network, other = untrained("bvlc_googlenet"), untrained("bvlc_googlenet", seed=1)
    >>> few = [named("lines").isel(orientation=slice(0, None, 6), width=0)]
    >>> pictures = torch.rand(2, 3, 64, 64)
    >>> found = match(network, "conv2d0", other, ["conv2d0:1", "conv2d0:2"], pictures, stimuli=few)
    >>> dict(found.sizes)
    {'unit': 64, 'other': 2}
    """
    whole("batch", batch, least=1)
    sides = _Side(network, select(network, features)), _Side(other, select(other, other_features))
    for side in sides:
        if len(side.network.layer(side.layer).shape) != 2:
            raise InputError(
                f"{side.layer} of {side.network.name} has no positions; choose an earlier layer"
            )
    given = datasets.photographs(photographs)
    shown = probes(*((side.network, side.layer) for side in sides)) if stimuli is None else stimuli
    tuned = [side.responses(shown) for side in sides]
    sums = _Sums.nothing(*(len(side.chosen) for side in sides))
    seen, skipped = 0, 0
    ends: list[tuple[Tensor, Tensor]] = []  # the first photograph, and the last so far
    with bar("photographs", len(given), visible=progress) as advance:
        for pictures, lost in _batches(given.at(network.size), batch):
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
        "networks": [side.network.record() for side in sides],
        "layers": [side.layer for side in sides],
        "features": [side.chosen.record() for side in sides],
        "stimuli": [family.record() for family in shown],
        "seen": seen,
        "skipped": skipped,
        "seed": seed,
    }
    units, others = ([str(feature) for feature in side.chosen.features] for side in sides)
    return Matches(
        {name: (("unit", "other"), values) for name, values in found.items()},
        coords={"unit": units, "other": others},
        attrs={"record": json.dumps(record, sort_keys=True)},
    )


@dataclass(frozen=True)
class _Side:
    """Features of a layer of a network."""

    network: Network
    chosen: Selection

    @property
    def layer(self) -> str:
        return self.chosen.layer

    def responses(self, stimuli: Sequence[StimulusSet]) -> Float[np.ndarray, "units stimuli"]:
        """Measure the responses to all stimuli of some sets."""
        features = self.layer if self.chosen.whole else self.chosen.features
        each = [measure(self.network, features, family).values for family in stimuli]
        flat = [values.reshape(len(values), -1) for values in each]
        return np.concatenate(flat, 1).astype(np.float64)

    def maps(self, pictures: Tensor) -> Maps:
        """Compute the features' activations."""
        found = self.network.activations(pictures, [self.layer])[self.layer]
        return found if self.chosen.whole else self.chosen.of(found)


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
def _maps(one: _Side, other: _Side, pictures: Tensor) -> list[Float[Tensor, "b _ positions"]]:
    """Return the activations of both on the coarser of their grids."""
    size = pictures.shape[2], pictures.shape[3]
    layers = [side.network.layer_at(side.layer, size) for side in (one, other)]
    coarser = min(layers, key=lambda layer: layer.shape[0] * layer.shape[1])
    found = [
        onto(side.maps(pictures), described, coarser)
        for side, described in zip((one, other), layers, strict=True)
    ]
    return [maps.flatten(2).cpu().double() for maps in found]
