"""One pass over photographs: what drives every unit, how often, and how strongly."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from visioncircuits import __version__
from visioncircuits.errors import InputError
from visioncircuits.examples import sampling, sketch
from visioncircuits.examples.record import Examples, LayerExamples, Moments, needed
from visioncircuits.examples.sampling import Sample
from visioncircuits.examples.sources import Photograph
from visioncircuits.examples.tops import Places
from visioncircuits.networks import Network

TOP = 24
BATCH = 16
SPREAD = 8
"""Neurons of a unit that are drawn at random from each picture, beside its strongest."""

_NAMES = 4096
"""Once there are so many names of pictures, those that no example is in are dropped."""


def collect(
    network: Network,
    layers: Sequence[str],
    photographs: Iterable[Photograph],
    *,
    top: int = TOP,
    batch: int = BATCH,
    seed: int = 0,
    advance: Callable[[int], object] = lambda more: None,
) -> Examples:
    """Show photographs to a network and keep what tells of its units.

    Memory does not grow with the number of pictures: kept are the strongest and the weakest
    examples (one a picture), random ones of every strength, moments and histograms. Moments,
    counts and tops are exact, quantiles good to `sketch.ERROR`.

    Parameters
    ----------
    network
        Any network.
    layers
        Layers with positions. Where the network has a layer `…_pre_relu` to one of them, its
        values are told, so that what inhibits counts too.
    photographs
        From `folder`, `shards` or `dataset`, all of one size.
    top
        How many of the strongest, and of the weakest, are kept.
    batch
        Pictures that go through the network at once.
    seed
        Of the random examples.
    advance
        Is told how many pictures more have been seen.

    Raises
    ------
    InputError
        For an unknown layer, one without positions, or where no picture can be read.

    Examples
    --------
    >>> from visioncircuits.examples import dataset
    >>> from visioncircuits.networks import untrained
    >>> noise = dataset(torch.rand(3, 3, 64, 64), size=64)
    >>> found = collect(untrained("bvlc_googlenet"), ["conv2d0"], noise, top=2)
    >>> found.layers["conv2d0"].tops.values.shape
    (64, 2)
    """
    found = shown(
        network,
        told(network, layers),
        photographs,
        top=top,
        batch=batch,
        seed=seed,
        advance=advance,
    )
    return some(found)


def told(network: Network, layers: Sequence[str]) -> dict[str, str]:
    """Say which layer's values are told of each layer asked for: those before its rectifier.

    Raises
    ------
    InputError
        For an unknown layer, or one without positions.
    """
    if not layers:
        raise InputError("name a layer, or several")
    for layer in layers:
        if len(network.layer(layer).shape) != 2:
            raise InputError(f"{layer} has no positions; choose a layer before the global pooling")
    return {layer: network.before_rectifier(layer) for layer in dict.fromkeys(layers)}


def some(found: Examples) -> Examples:
    """Give what was found, where anything was.

    Raises
    ------
    InputError
        Where no picture could be read.
    """
    if not found.seen:
        skipped = found.skipped
        raise InputError(
            f"no picture can be read: {skipped[0]}" if skipped else "there are no photographs"
        )
    return found


def provenance(
    network: Network, layers: Mapping[str, str], *, top: int, seed: int
) -> dict[str, Any]:
    """Say, as JSON holds it, all that examples depend on beside the photographs."""
    record = {
        "visioncircuits": __version__,
        "torch": torch.__version__,
        "network": network.record(),
        "layers": layers,
        "top": top,
        "seed": seed,
    }
    return json.loads(json.dumps(record))


def shown(
    network: Network,
    layers: Mapping[str, str],
    photographs: Iterable[Photograph],
    *,
    top: int,
    batch: int,
    seed: int,
    first: int = 0,
    advance: Callable[[int], object] = lambda more: None,
) -> Examples:
    """Show photographs, counted from `first`, and keep what `collect` keeps, if only of none."""
    found: dict[str, LayerExamples] = {}
    names: dict[int, str] = {}
    skipped: list[str] = []
    seen = 0
    for photos, numbers in _batches(photographs, batch, first, skipped, advance):
        pixels = torch.stack([photo.pixels for photo in photos if photo.pixels is not None])
        labels = [photo.label for photo in photos]
        with torch.inference_mode():
            values = network.activations(pixels, list(layers.values()))
            for layer, name in layers.items():
                one = _summary(values[name], numbers, labels, top, seed)
                found[layer] = found[layer].joined(one, top) if layer in found else one
        seen += len(photos)
        names |= {int(n): photo.name for n, photo in zip(numbers, photos, strict=True)}
        if len(names) > _NAMES:
            names = needed(names, found.values())
    record = provenance(network, layers, top=top, seed=seed)
    return Examples(found, needed(names, found.values()), seen, tuple(skipped), record)


def _batches(
    photographs: Iterable[Photograph],
    batch: int,
    first: int,
    skipped: list[str],
    advance: Callable[[int], object],
) -> Iterator[tuple[list[Photograph], Int64[np.ndarray, " pictures"]]]:
    """Give pictures that can be read, and their numbers; those that cannot be are counted too."""
    waiting: list[tuple[int, Photograph]] = []

    def stacked() -> tuple[list[Photograph], Int64[np.ndarray, " pictures"]]:
        return [photo for _, photo in waiting], np.array([number for number, _ in waiting])

    for number, photograph in enumerate(photographs, first):
        if photograph.pixels is None:
            skipped.append(photograph.problem)
            advance(1)
            continue
        waiting.append((number, photograph))
        if len(waiting) == batch:
            yield stacked()
            advance(batch)
            waiting = []
    if waiting:
        yield stacked()
        advance(len(waiting))


def _summary(
    values: Float[Tensor, "pictures units rows columns"],
    numbers: Int64[np.ndarray, " pictures"],
    labels: list[int | None],
    top: int,
    seed: int,
) -> LayerExamples:
    """What a batch tells."""
    columns = values.shape[3]
    flat = values.float().flatten(2)
    by_unit = flat.transpose(0, 1).flatten(1)
    highest, where = flat.max(2)
    lowest, lowest_where = flat.min(2)
    return LayerExamples(
        tops=_places(highest, where, numbers, columns, top, 1),
        bottoms=_places(lowest, lowest_where, numbers, columns, top, -1),
        sample=_sample(flat, where, numbers, columns, seed),
        counts=sketch.counted(by_unit),
        moments=Moments.of(by_unit),
        classes=_classes(highest, labels),
    )


def _places(
    values: Tensor, where: Tensor, numbers: np.ndarray, columns: int, top: int, sign: int
) -> Places:
    count = min(top, len(values))
    order = (sign * values).sort(dim=0, descending=True, stable=True).indices[:count].T
    place = where.T.gather(1, order).cpu().numpy()
    return Places(
        values.T.gather(1, order).cpu().numpy(),
        numbers[order.cpu().numpy()],
        np.stack([place // columns, place % columns], -1),
    )


def _sample(flat: Tensor, where: Tensor, numbers: np.ndarray, columns: int, seed: int) -> Sample:
    """The strongest neuron of each picture, and some at random."""
    units, positions = flat.shape[1:]
    every = np.arange(positions)
    drawn = np.stack([
        np.argsort(sampling.hashed(np.full(positions, number), every, seed))[:SPREAD]
        for number in numbers
    ])  # fmt: skip
    spread = torch.from_numpy(drawn).to(flat.device)[:, None].expand(-1, units, -1)
    asked = torch.cat([where[..., None], spread], 2)
    values = flat.gather(2, asked).cpu().numpy()
    place = asked.cpu().numpy()
    shape = values.shape
    picture = np.broadcast_to(numbers[:, None, None], shape)
    unit = np.broadcast_to(np.arange(units)[None, :, None], shape)
    everything = Sample(
        (unit * sampling.PARTS + sampling.part(values)).ravel(),
        sampling.hashed(picture, place, seed).ravel(),
        values.ravel(),
        picture.ravel().copy(),
        np.stack([place // columns, place % columns], -1).reshape(-1, 2),
    )
    return everything.joined(everything)


def _classes(highest: Tensor, labels: list[int | None]) -> dict[int, np.ndarray]:
    """Sums of the highest positive activation by class, and in the last place how many."""
    sums: dict[int, np.ndarray] = {}
    for label, values in zip(labels, highest.clamp_min(0).double().cpu().numpy(), strict=True):
        if label is not None:
            row = np.append(values, 1.0)
            sums[label] = sums[label] + row if label in sums else row
    return sums
