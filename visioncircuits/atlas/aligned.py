"""Aligned atlases: layers, or networks, laid out together, so that one can be laid over another."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from visioncircuits import datasets
from visioncircuits.atlas.attributing import OF_EACH, Classes
from visioncircuits.atlas.behind import contents
from visioncircuits.atlas.building import finished, made_already, planned
from visioncircuits.atlas.cells import LEAST, SIDES
from visioncircuits.atlas.layout import COMPONENTS, Layout, components, lay_out
from visioncircuits.atlas.records import Atlas, SampledActivations
from visioncircuits.atlas.sampling import (
    BATCH,
    Positions,
    centers,
    drawn,
    sample_at,
)
from visioncircuits.attribution.neuron_groups import with_positions
from visioncircuits.attribution.slopes import RelaxedGradient, Slope
from visioncircuits.datasets import Source
from visioncircuits.errors import InputError
from visioncircuits.networks import Network

NEIGHBORS = 20
"""Of a sample, of which it is counted how many stay."""

COMPARED = 1500
"""Samples whose neighbors are counted, drawn at random."""


def aligned(
    layers: Sequence[tuple[Network, str]],
    photographs: Source,
    *,
    per_photograph: int = 1,
    edge: int = 1,
    layout: str | Layout = "umap",
    sides: Sequence[int] = SIDES,
    least: int = LEAST,
    classes: Classes = "all",
    slope: Slope | None = None,
    of_each: int | None = OF_EACH,
    batch: int = BATCH,
    seed: int = 0,
    folder: str | Path | None = None,
    progress: bool = False,
) -> tuple[Atlas, ...]:
    """Lay out several layers, of one network or of several, together.

    All are sampled at the same places of the same photographs: positions are drawn in the layer
    that has the fewest, and in every other one the neuron is taken whose receptive field is
    centered nearest there. One layout is made of all layers' activations at once, each layer's of
    equal weight, and is that of every atlas: a cell holds the same samples in all of them, so that
    they differ in what the layers make of these. The authors named that as missing (Carter et al.,
    "Activation Atlas", 2019).

    A layout of several layers is a compromise. The record's `neighbors` counts, for each layer, how
    many of a sample's nearest in the plane are also among its nearest in the layer: in this layout,
    in one of the layer alone, and by chance.

    Parameters
    ----------
    layers
        Networks and their layers, with positions; two or more.
    photographs, per_photograph, edge, layout, sides, least, classes, slope, of_each, batch, seed
        As for `atlas`.
    folder
        Where the atlases are saved, each in a folder by its place, `0` and on; where the same ones
        are already, they are read.
    progress
        Whether to show bars.

    Returns
    -------
    tuple of Atlas
        In the order of the layers.

    Raises
    ------
    InputError
        As `atlas`, for fewer than two layers, and for one that is named twice.

    Examples
    --------
    >>> import torch
    >>> from visioncircuits.networks import untrained
    >>> network, pictures = untrained("bvlc_googlenet"), torch.rand(4, 3, 224, 224)
    >>> both = aligned([(network, "mixed4a"), (network, "mixed5a")], pictures, per_photograph=25,
    ...                layout="pca", sides=[2], classes=())
    >>> both[0].samples.shape, both[1].samples.shape, (both[0].points == both[1].points).all()
    ((14, 14), (7, 7), np.True_)
    """
    given, slope = datasets.photographs(photographs), slope or RelaxedGradient()
    names = [(network.name, network.layer(layer).name) for network, layer in layers]
    if len(set(names)) < max(len(names), 2):
        raise InputError("aligned atlases need two layers or more, each once")
    positions = shared_positions(
        layers, len(given), per_photograph=per_photograph, edge=edge, seed=seed
    )
    records = [
        planned(
            network, layer, per_photograph=per_photograph, edge=edge, layout=layout, sides=sides,
            least=least, classes=classes, slope=slope, of_each=of_each, seed=seed,
        )
        for network, layer in layers
    ]  # fmt: skip
    together = [{name: each[name] for name in ("network", "size", "layer")} for each in records]
    photographed = contents(given)
    for record in records:
        record |= {"aligned": together, "photographs": photographed}
    folders = [None if folder is None else Path(folder) / str(n) for n in range(len(layers))]
    done = [
        None if own is None else made_already(record, own, given)
        for record, own in zip(records, folders, strict=True)
    ]
    if (kept := [each for each in done if each is not None]) and len(kept) == len(done):
        return tuple(kept)
    sampled = [
        sample_at(network, layer, given, own, batch=batch, progress=progress)
        for (network, layer), own in zip(layers, positions, strict=True)
    ]
    if len({each.photographs.tobytes() for each in sampled}) > 1:
        raise InputError("not every network can read the same photographs; leave out those skipped")
    points = lay_out(joined(sampled), layout, seed=seed)
    made = []
    for (network, _), samples, record, own in zip(layers, sampled, records, folders, strict=True):
        alone = lay_out(samples.values, layout, seed=seed)
        record["neighbors"] = neighbors(samples.values, points, alone, seed=seed)
        made.append(
            finished(
                network, samples, points, given, record, slope=slope, folder=own, progress=progress
            )
        )
    return tuple(made)


def shared_positions(
    layers: Sequence[tuple[Network, str]],
    photographs: int,
    *,
    per_photograph: int,
    edge: int,
    seed: int,
) -> list[Positions]:
    """Draw positions in the layer that has the fewest, and find the nearest ones in the others."""
    found = [with_positions(network, layer) for network, layer in layers]
    fewest = min(range(len(found)), key=lambda place: int(np.prod(found[place].shape)))
    network, layer = layers[fewest]
    chosen = drawn(network, layer, photographs, per_photograph=per_photograph, edge=edge, seed=seed)
    wanted = np.stack(
        [axis[chosen[..., place]] for place, axis in enumerate(centers(network, layer))], -1
    )
    positions = []
    for other, name in layers:
        own = [
            np.abs(wanted[..., place, None] - axis).argmin(-1)
            for place, axis in enumerate(centers(other, name))
        ]
        positions.append(np.stack(own, -1))
    return positions


def joined(
    sampled: Sequence[SampledActivations],
) -> Float32[np.ndarray, "samples units"]:
    """Put the activations of several layers side by side, each sample of length 1 in each.

    So cosines of what is joined are the means of the layers' cosines.

    Examples
    --------
    >>> place = np.zeros(2, np.int64), np.zeros((2, 2), np.int64), (1, 1), ("cat.jpg",)
    >>> one = SampledActivations("a", "x", np.array([[3, 4], [0, 2]], np.float32), *place)
    >>> two = SampledActivations("a", "y", np.array([[5], [0]], np.float32), *place)
    >>> found = joined([one, two])
    >>> round(float(found[0] @ found[1]), 3)
    0.8
    """
    parts = []
    for samples in sampled:
        part = components(samples.values, COMPONENTS)
        lengths = np.linalg.norm(part, axis=1, keepdims=True)
        parts.append(np.divide(part, lengths, out=np.zeros_like(part), where=lengths > 0))
    return np.concatenate(parts, 1)


def neighbors(
    values: Float32[np.ndarray, "samples units"],
    together: Float32[np.ndarray, "samples 2"],
    alone: Float32[np.ndarray, "samples 2"],
    *,
    seed: int = 0,
) -> dict[str, float]:
    """Count how many of a sample's nearest in the plane are among its nearest in the layer.

    Returns
    -------
    dict
        The share `together`, `alone` and by `chance`, each of the 20 nearest, by cosine in the
        layer, among at most 1,500 samples.

    Examples
    --------
    >>> angles = np.linspace(0, 3, 60)
    >>> values = np.stack([np.cos(angles), np.sin(angles)], 1).astype(np.float32)
    >>> neighbors(values, values, values[::-1])["together"]
    1.0
    """
    order = np.random.default_rng(seed).permutation(len(values))[:COMPARED]
    count = min(NEIGHBORS, len(order) - 1)
    own = values[order] / np.maximum(np.linalg.norm(values[order], axis=1, keepdims=True), 1e-12)
    true = _nearest(-own @ own.T, count)

    def kept(points: Float32[np.ndarray, "samples 2"]) -> float:
        placed = points[order].astype(np.float64)
        squares = ((placed[:, None] - placed[None]) ** 2).sum(-1)
        found = _nearest(squares, count)
        shares = [
            len(np.intersect1d(ours, theirs)) for ours, theirs in zip(found, true, strict=True)
        ]
        return round(float(np.mean(shares)) / count, 4)

    return {
        "together": kept(together),
        "alone": kept(alone),
        "chance": round(count / (len(order) - 1), 4),
    }


def _nearest(distances: np.ndarray, count: int) -> np.ndarray:
    """Return the nearest of each but itself."""
    distances = distances.copy()
    np.fill_diagonal(distances, np.inf)
    return np.argsort(distances, 1, kind="stable")[:, :count]
