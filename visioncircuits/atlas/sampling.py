"""Activations at positions that are drawn at random from each photograph."""

import numpy as np
import torch
from jaxtyping import Float64, Int64

from visioncircuits import datasets
from visioncircuits.atlas.records import SampledActivations
from visioncircuits.attribution.neuron_groups import with_positions
from visioncircuits.datasets import Photographs, Source
from visioncircuits.errors import InputError
from visioncircuits.examples.collect import batches
from visioncircuits.examples.sampling import hashed
from visioncircuits.networks import Network
from visioncircuits.networks.fixed_parameters import parameters_fixed
from visioncircuits.networks.memory import freed_memory_kept
from visioncircuits.numbers import whole
from visioncircuits.progress import bar

BATCH = 16
"""Photographs in one forward pass."""

Positions = Int64[np.ndarray, "photographs drawn 2"]
"""Rows and columns of a layer that are drawn of each photograph."""


def sample(
    network: Network,
    layer: str,
    photographs: Source,
    *,
    per_photograph: int = 1,
    edge: int = 1,
    batch: int = BATCH,
    seed: int = 0,
    progress: bool = False,
) -> SampledActivations:
    """Sample a layer's activations at random positions of photographs.

    The article takes one position of each of a million photographs. Several of one photograph are
    no independent samples: neighbors have receptive fields in common, and are alike. Of few
    photographs more positions fill the atlas with what these few show; `Grid.photographs` counts
    how many are behind a cell.

    Parameters
    ----------
    network
        Any network.
    layer
        With positions.
    photographs
        Any (see `datasets.photographs`). Those that cannot be read are listed as `skipped`.
    per_photograph
        How many positions, drawn without replacement.
    edge
        How many rows and columns next to the layer's edges are left out, where activations are of
        padding in part.
    batch
        Photographs in one forward pass.
    seed
        Of the positions, which also depend on the photograph's place among all, and nothing else.

    Raises
    ------
    InputError
        For an unknown layer, one without positions, or more positions than are left of it.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> network, pictures = untrained("bvlc_googlenet"), torch.rand(2, 3, 224, 224)
    >>> sample(network, "mixed4c", pictures, per_photograph=100)
    SampledActivations(untrained bvlc_googlenet mixed4c: 200 of 2 photographs)
    """
    given = datasets.photographs(photographs)
    chosen = drawn(network, layer, len(given), per_photograph=per_photograph, edge=edge, seed=seed)
    return sample_at(network, layer, given, chosen, batch=batch, progress=progress)


def drawn(
    network: Network, layer: str, photographs: int, *, per_photograph: int, edge: int, seed: int
) -> Positions:
    """Draw positions of each of so many photographs; see `sample`."""
    rows, columns = with_positions(network, layer).shape
    whole("edge", edge, least=0)
    inside = np.zeros((rows, columns), bool)
    inside[edge : max(rows - edge, edge), edge : max(columns - edge, edge)] = True
    places = np.flatnonzero(inside)
    if not len(places):
        raise InputError(f"{layer} has {rows} by {columns} positions: none is left without edges")
    whole("per_photograph", per_photograph, least=1, most=len(places))
    whole("seed", seed, least=0, most=2**64 - 1)
    keys = hashed(np.arange(photographs)[:, None], places[None], seed)
    chosen = places[np.argsort(keys, 1, kind="stable")[:, :per_photograph]]
    chosen.sort(1)
    return np.stack(np.divmod(chosen, columns), -1).astype(np.int64)


def sample_at(
    network: Network,
    layer: str,
    photographs: Photographs,
    positions: Positions,
    *,
    batch: int = BATCH,
    progress: bool = False,
) -> SampledActivations:
    """Sample a layer's activations at given positions of each photograph; see `sample`."""
    found = with_positions(network, layer)
    rows, columns = found.shape
    whole("batch", batch, least=1)
    flat = positions[..., 0] * columns + positions[..., 1]
    values, read, skipped = [], list[int](), list[str]()
    with (
        torch.inference_mode(),
        freed_memory_kept(),
        parameters_fixed(),
        bar("photographs", len(photographs), visible=progress) as advance,
    ):
        for photos, numbers in batches(photographs.at(network.size), batch, 0, skipped, advance):
            pictures = torch.stack([each.pixels for each in photos if each.pixels is not None])
            maps = network.activations(pictures, [found.name])[found.name].float().cpu().flatten(2)
            index = torch.from_numpy(flat[numbers])[:, None].expand(-1, maps.shape[1], -1)
            values.append(maps.gather(2, index).transpose(1, 2).flatten(0, 1).numpy())
            read += numbers.tolist()
    if not values:
        raise InputError(f"no photograph can be read; the first: {skipped[0]}")
    return SampledActivations(
        network.name, found.name, np.concatenate(values),
        np.repeat(np.array(read, np.int64), positions.shape[1]), positions[read].reshape(-1, 2),
        (rows, columns), photographs.names, tuple(skipped),
    )  # fmt: skip


def centers(
    network: Network, layer: str
) -> tuple[Float64[np.ndarray, " rows"], Float64[np.ndarray, " columns"]]:
    """Return where a layer's rows and columns are centered, in parts of the picture.

    Of receptive fields that are not known, as after attention, positions are taken to divide the
    picture evenly.
    """
    found = with_positions(network, layer)
    rows, columns = (
        np.array([found.center((place, place))[axis] + 0.5 for place in range(count)])
        / network.size
        if found.stride[axis]
        else (np.arange(count) + 0.5) / count
        for axis, count in enumerate(found.shape)
    )
    return rows, columns
