"""One pass over photographs: what activates every unit, how often, and how strongly."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Int64

from visioncircuits import __version__, fingerprint
from visioncircuits.datasets import Photograph, Source
from visioncircuits.datasets.photographs import opened
from visioncircuits.errors import InputError
from visioncircuits.examples.record import Examples, Shown, needed
from visioncircuits.examples.tally import Tally
from visioncircuits.networks import Direction, Feature, Features, Network, Unit, expand
from visioncircuits.networks.fixed_parameters import parameters_fixed
from visioncircuits.networks.memory import freed_memory_kept
from visioncircuits.numbers import whole
from visioncircuits.progress import Advance, bar, no_progress

TOP = 24
BATCH = 16
_NAMES = 4096
"""Above this number of picture names, those of pictures without examples are dropped."""


def collect(
    network: Network,
    features: Features,
    photographs: Source | Iterable[Any],
    *,
    top: int = TOP,
    batch: int = BATCH,
    seed: int = 0,
    progress: bool = False,
) -> Examples:
    """Run a network on photographs and collect examples and statistics of its units.

    Memory does not grow with the number of pictures: the result consists of the strongest and the
    weakest examples (one for each picture), random ones over the whole range of activations,
    moments and histograms. Moments, counts and tops are exact, quantiles to `sketch.ERROR`.

    Parameters
    ----------
    network
        Any network.
    features
        Layers with positions, or features of these: examples of a layer are those of all its
        units, and the features named are the ones that a notebook shows. If the network has a
        layer `…_pre_relu` to one of them, its values are recorded, so that inhibition is measured
        too. Examples of a direction are by its own name, `found.layers["mixed3b:probe"]`, in one
        row; its values are the projections of the layer as it is named, after the rectifier.
    photographs
        Any (see `photographs`), also an iterator of pictures that passes once.
    top
        Number of the strongest, and of the weakest, examples of each unit.
    batch
        Number of pictures in one forward pass.
    seed
        Of the random examples.
    progress
        Whether to show a bar.

    Raises
    ------
    InputError
        For an unknown layer, one without positions, directions of one name, a number out of
        range, photographs of different sizes, or if no picture can be read.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> network = untrained("bvlc_googlenet")
    >>> found = collect(network, "conv2d0", torch.rand(3, 3, 224, 224), top=2)
    >>> found.layers["conv2d0"].tops.values.shape
    (64, 2)
    """
    check(top=top, seed=seed, batch=batch)
    chosen = expand(network, features)
    layers, directions = recorded(network, chosen)
    found, each = opened(photographs, network.size)
    total = None if found is None else len(found)
    with bar("photographs", total, visible=progress) as advance:
        examples = collect_part(
            network, layers, directions, each, top=top, batch=batch, seed=seed, advance=advance
        )
    if not examples.seen:
        raise nothing_read(examples.skipped)
    return examples if found is None else replace(examples, shown=Shown(network, chosen, found))


def check(*, top: int, seed: int, batch: int = BATCH) -> None:
    """Check options.

    Raises
    ------
    InputError
        For a `top` or `batch` below 1, or a seed that is not a whole number of 64 bits.
    """
    whole("top", top, least=1)
    whole("batch", batch, least=1)
    whole("seed", seed, least=0, most=2**64 - 1)


def recorded(
    network: Network, features: Sequence[Feature]
) -> tuple[dict[str, str], tuple[Direction, ...]]:
    """Find what is recorded of features.

    Returns
    -------
    dict, tuple
        Each layer of units, with the layer whose values are recorded: the one before its
        rectifier. Then the directions.

    Raises
    ------
    InputError
        For a layer without positions.
    """
    for layer in dict.fromkeys(feature.layer for feature in features):
        if len(network.layer(layer).shape) != 2:
            raise InputError(f"{layer} has no positions; choose a layer before the global pooling")
    layers = dict.fromkeys(feature.layer for feature in features if isinstance(feature, Unit))
    directions = dict.fromkeys(f for f in features if isinstance(f, Direction))
    return {layer: network.before_rectifier(layer) for layer in layers}, tuple(directions)


def nothing_read(skipped: Sequence[str]) -> InputError:
    """Return the error for photographs none of which can be read, and why each cannot."""
    return InputError(
        f"no picture can be read: {skipped[0]}" if skipped else "there are no photographs"
    )


def provenance(
    network: Network,
    pre_relu_layers: Mapping[str, str],
    directions: Sequence[Direction],
    *,
    top: int,
    seed: int,
) -> dict[str, Any]:
    """Return, as JSON data, all that examples depend on except the photographs."""
    record = {
        "visioncircuits": __version__,
        "code": fingerprint.code(),
        "torch": torch.__version__,
        "device": network.device.type,
        "network": network.record(),
        "layers": pre_relu_layers,
        "directions": {str(direction): direction.record() for direction in directions},
        "top": top,
        "seed": seed,
    }
    return dict(json.loads(json.dumps(record)))


def collect_part(
    network: Network,
    pre_relu_layers: Mapping[str, str],
    directions: Sequence[Direction],
    photographs: Iterable[Photograph],
    *,
    top: int,
    batch: int,
    seed: int,
    first: int = 0,
    advance: Advance = no_progress,
) -> Examples:
    """Collect as `collect` does from photographs numbered from `first`; there may be none."""
    tallies = {
        layer: Tally(network.layer(layer).units, top=top, seed=seed) for layer in pre_relu_layers
    } | {str(direction): Tally(1, top=top, seed=seed) for direction in directions}
    read = [*pre_relu_layers.values(), *(direction.layer for direction in directions)]
    names: dict[int, str] = {}
    skipped: list[str] = []
    seen = 0
    with freed_memory_kept(), parameters_fixed():
        for photos, numbers in batches(photographs, batch, first, skipped, advance):
            pixels = torch.stack([photo.pixels for photo in photos if photo.pixels is not None])
            labels = [photo.label for photo in photos]
            with torch.inference_mode():
                values = network.activations(pixels, list(dict.fromkeys(read)))
                for layer, name in pre_relu_layers.items():
                    tallies[layer].add(values[name], numbers, labels)
                for direction in directions:
                    maps = values[direction.layer]
                    vector = direction.vector(maps.shape[1]).to(maps)[None]
                    projected = torch.einsum("fu,buyx->bfyx", vector, maps)
                    tallies[str(direction)].add(projected, numbers, labels)
            seen += len(photos)
            names |= {int(n): photo.name for n, photo in zip(numbers, photos, strict=True)}
            if len(names) > _NAMES:
                names = needed(names, [tally.examples() for tally in tallies.values()])
    layers = {layer: tally.examples() for layer, tally in tallies.items()} if seen else {}
    record = provenance(network, pre_relu_layers, directions, top=top, seed=seed)
    return Examples(layers, needed(names, layers.values()), seen, tuple(skipped), record)


def batches(
    photographs: Iterable[Photograph],
    batch: int,
    first: int,
    skipped: list[str],
    advance: Advance,
) -> Iterator[tuple[list[Photograph], Int64[np.ndarray, " pictures"]]]:
    """Yield readable pictures and their numbers; unreadable ones are counted too."""
    pending: list[tuple[int, Photograph]] = []
    shape = None

    def stacked() -> tuple[list[Photograph], Int64[np.ndarray, " pictures"]]:
        return [photo for _, photo in pending], np.array([number for number, _ in pending])

    for number, photograph in enumerate(photographs, first):
        if photograph.pixels is None:
            skipped.append(photograph.problem)
            advance(1)
            continue
        shape = shape or photograph.pixels.shape
        if photograph.pixels.shape != shape:
            raise InputError(
                f"{photograph.name} has shape {tuple(photograph.pixels.shape)}, the photographs "
                f"before it have {tuple(shape)}; resize all to one size"
            )
        pending.append((number, photograph))
        if len(pending) == batch:
            yield stacked()
            advance(batch)
            pending = []
    if pending:
        yield stacked()
        advance(len(pending))
