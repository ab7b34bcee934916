"""What is behind a cell: the samples that are most like its average, in their photographs."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, Int64, UInt8
from torch import Tensor

from visioncircuits import datasets
from visioncircuits.atlas.records import Atlas, Grid, SampledActivations
from visioncircuits.atlas.sampling import centers
from visioncircuits.datasets import Photographs, Source
from visioncircuits.errors import InputError
from visioncircuits.networks import Network
from visioncircuits.numbers import whole

DECODED = 2000
"""Photographs that are held in memory, as bytes; more are read again."""


def typical(
    samples: SampledActivations, grid: Grid, cell: int, *, top: int = 1
) -> Int64[np.ndarray, " _"]:
    """Return the samples whose cosine with a cell's average is largest, one a photograph.

    Examples
    --------
    >>> values = np.array([[1, 0], [1, 1], [1, 0.9]], np.float32)
    >>> drawn = SampledActivations("toy", "conv", values, np.array([0, 1, 1]),
    ...                            np.zeros((3, 2), int), (1, 1), ("cat.jpg", "dog.jpg"))
    >>> grid = Grid(1, np.array([[0, 0]]), np.array([3]), values[2:], np.zeros((1, 0), np.float32),
    ...             np.zeros(3, int))
    >>> typical(drawn, grid, 0, top=2).tolist()
    [2, 0]
    """
    index, mean = grid.samples(cell), grid.means[cell]
    values = samples.values[index]
    cosines = values @ mean / np.maximum(np.linalg.norm(values, axis=1), 1e-12)
    ordered = index[np.argsort(-cosines, kind="stable")]
    _, first = np.unique(samples.photographs[ordered], return_index=True)
    return np.asarray(ordered[np.sort(first)[:top]])


def contents(photographs: Photographs) -> dict[str, Any]:
    """Describe photographs, for a record."""
    return {"count": len(photographs), "sha256": photographs.digest()}


def own_photographs(atlas: Atlas, photographs: Source) -> Photographs:
    """Return the photographs that an atlas was made of.

    Raises
    ------
    InputError
        For others, even of the same names.
    """
    given, record = datasets.photographs(photographs), atlas.record
    planned = record.get("of", record).get("photographs")  # a class' record is of an atlas'
    same = planned is None or planned == contents(given)
    if given.names != atlas.samples.names or not same:
        raise InputError("the atlas is of other photographs; give those that it was made of")
    return given


def reader(
    network: Network, atlas: Atlas, photographs: Source
) -> Callable[[int], UInt8[np.ndarray, "channels height width"]]:
    """Return a function from a photograph's number to its pixels, for the network's size.

    Raises
    ------
    InputError
        For other photographs than the atlas'.
    """
    given = own_photographs(atlas, photographs)

    @lru_cache(DECODED)
    def read(number: int) -> UInt8[np.ndarray, "channels height width"]:
        pixels = given.items[number].read(network.size)
        return (pixels * 255).round().to(torch.uint8).numpy()

    return read


def cell_patches(
    network: Network,
    atlas: Atlas,
    photographs: Source,
    cells: Int64[np.ndarray, " cells"],
    *,
    side: int | None = None,
    pixels: int = 80,
) -> Float32[Tensor, "cells channels pixels pixels"]:
    """Cut what is behind cells out of the photographs: of each cell's most typical sample.

    That is the one whose activation has the largest cosine with the cell's average.

    Parameters
    ----------
    network, atlas, photographs
        As the atlas was made.
    cells
        Numbers of cells of the grid.
    side
        Of the grid; by default the finest.
    pixels
        Of a patch, around the center of the neuron's receptive field; moved inside where it would
        leave the photograph.

    Raises
    ------
    InputError
        For other photographs than the atlas', and an unknown grid.

    Examples
    --------
    >>> from visioncircuits.atlas import atlas
    >>> from visioncircuits.networks import untrained
    >>> network, pictures = untrained("bvlc_googlenet"), torch.rand(4, 3, 224, 224)
    >>> made = atlas(network, "mixed5a", pictures, per_photograph=9, layout="pca", sides=[2],
    ...              least=1, classes=())
    >>> cell_patches(network, made, pictures, np.array([0, 2])).shape
    torch.Size([2, 3, 80, 80])
    """
    whole("pixels", pixels, least=1, most=network.size)
    grid, read = atlas.grid(side), reader(network, atlas, photographs)
    patches = [
        patch(network, atlas.samples, read, int(typical(atlas.samples, grid, cell)[0]), pixels)
        for cell in cells.tolist()
    ]
    return torch.from_numpy(np.stack(patches)).float() / 255


def patch(
    network: Network,
    samples: SampledActivations,
    read: Callable[[int], UInt8[np.ndarray, "channels height width"]],
    sample: int,
    pixels: int,
) -> UInt8[np.ndarray, "channels pixels pixels"]:
    """Cut a square around the center of a sample's receptive field, moved inside the photograph."""
    photograph = read(int(samples.photographs[sample]))
    top, left = (
        min(max(round(round(float(axis[place]) * length, 6) - pixels / 2), 0), length - pixels)
        for axis, place, length in zip(
            centers(network, samples.layer),
            samples.positions[sample].tolist(),
            photograph.shape[1:],
            strict=True,
        )
    )
    return photograph[:, top : top + pixels, left : left + pixels]
