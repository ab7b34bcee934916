"""One pass over photographs: what drives every unit, how often, and how strongly."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Int64

from visioncircuits import __version__, fingerprint
from visioncircuits.errors import InputError
from visioncircuits.examples.record import Examples, needed
from visioncircuits.examples.sources import Photograph
from visioncircuits.examples.tally import Tally
from visioncircuits.networks import Network
from visioncircuits.networks.memory import freed_memory_kept
from visioncircuits.numbers import whole

TOP = 24
BATCH = 16
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
        For an unknown layer, one without positions, a number that cannot be, photographs of
        different sizes, or where no picture can be read.

    Examples
    --------
    >>> from visioncircuits.examples import dataset
    >>> from visioncircuits.networks import untrained
    >>> noise = dataset(torch.rand(3, 3, 64, 64), size=64)
    >>> found = collect(untrained("bvlc_googlenet"), ["conv2d0"], noise, top=2)
    >>> found.layers["conv2d0"].tops.values.shape
    (64, 2)
    """
    check(top=top, seed=seed, batch=batch)
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


def check(*, top: int, seed: int, batch: int = BATCH) -> None:
    """Refuse numbers that cannot be.

    Raises
    ------
    InputError
        For fewer than 1 example or picture at once, or a seed that is no whole number of 64 bits.
    """
    whole("top", top, least=1)
    whole("batch", batch, least=1)
    whole("seed", seed, least=0, most=2**64 - 1)


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
        "code": fingerprint.code(),
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
    tallies = {layer: Tally(network.layer(layer).units, top=top, seed=seed) for layer in layers}
    names: dict[int, str] = {}
    skipped: list[str] = []
    seen = 0
    with freed_memory_kept():
        for photos, numbers in _batches(photographs, batch, first, skipped, advance):
            pixels = torch.stack([photo.pixels for photo in photos if photo.pixels is not None])
            labels = [photo.label for photo in photos]
            with torch.inference_mode():
                values = network.activations(pixels, list(layers.values()))
                for layer, name in layers.items():
                    tallies[layer].add(values[name], numbers, labels)
            seen += len(photos)
            names |= {int(n): photo.name for n, photo in zip(numbers, photos, strict=True)}
            if len(names) > _NAMES:
                names = needed(names, [tally.found() for tally in tallies.values()])
    found = {layer: tally.found() for layer, tally in tallies.items()} if seen else {}
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
    shape = None

    def stacked() -> tuple[list[Photograph], Int64[np.ndarray, " pictures"]]:
        return [photo for _, photo in waiting], np.array([number for number, _ in waiting])

    for number, photograph in enumerate(photographs, first):
        if photograph.pixels is None:
            skipped.append(photograph.problem)
            advance(1)
            continue
        shape = shape or photograph.pixels.shape
        if photograph.pixels.shape != shape:
            raise InputError(
                f"{photograph.name} is of {tuple(photograph.pixels.shape)}, and the photographs "
                f"before it of {tuple(shape)}; bring all to one size"
            )
        waiting.append((number, photograph))
        if len(waiting) == batch:
            yield stacked()
            advance(batch)
            waiting = []
    if waiting:
        yield stacked()
        advance(len(waiting))
