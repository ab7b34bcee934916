"""What the samples of each cell led classes to: slope times activation, averaged."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import torch
from jaxtyping import Bool, Float32, Float64, Int64
from torch import Tensor

from visioncircuits.atlas.records import Grid, SampledActivations
from visioncircuits.attribution.explaining import class_name, class_number
from visioncircuits.attribution.forward_mode import attributed_to_all
from visioncircuits.attribution.slopes import Readout, RelaxedGradient, Slope
from visioncircuits.datasets import Photographs
from visioncircuits.errors import InputError
from visioncircuits.networks import Network
from visioncircuits.numbers import whole
from visioncircuits.progress import bar

OF_EACH = 16
"""Samples of a cell that all classes are attributed to."""

Classes = Literal["all"] | Sequence[str | int]
"""Which classes: all of them, or some by name or number."""

Chosen = Bool[np.ndarray, " samples"]
Rows = Float32[np.ndarray, "chosen classes"]


def attributed(
    network: Network,
    samples: SampledActivations,
    grids: Sequence[Grid],
    photographs: Photographs,
    *,
    classes: Classes = "all",
    slope: Slope | None = None,
    of_each: int | None = OF_EACH,
    seed: int = 0,
    progress: bool = False,
) -> tuple[tuple[Grid, ...], tuple[str, ...]]:
    """Attribute classes to cells: for each sample slope times activation, averaged over the cell.

    Of some classes, each costs a backward pass a photograph, and all samples count. Of all classes,
    each sample costs a forward pass; so each cell's average is of some samples, drawn at random.

    Parameters
    ----------
    network
        A classifier, as for the samples.
    samples, grids
        Of one layer.
    photographs
        Those that were sampled.
    classes
        `"all"`, or names and numbers of some.
    slope
        `RelaxedGradient()`, as in the article, by default.
    of_each
        How many samples of each cell, where all classes are attributed; None for all.
    seed
        Of the draw.

    Returns
    -------
    The grids, with attribution, and the names of the classes.

    Raises
    ------
    InputError
        For an unknown class, or a layer that classes do not depend on.

    Examples
    --------
    >>> from visioncircuits import datasets
    >>> from visioncircuits.atlas import grids, sample
    >>> from visioncircuits.networks import untrained
    >>> network, given = untrained("bvlc_googlenet"), datasets.photographs(torch.rand(2, 3, 64, 64))
    >>> drawn = sample(network, "mixed5a", given, per_photograph=4)
    >>> found = grids(np.zeros((8, 2), np.float32), drawn.values, sides=[1], least=1)
    >>> found, names = attributed(network, drawn, found, given, classes=["beer glass"])
    >>> found[0].attribution.shape, names
    ((1, 1), ('beer glass',))
    """
    slope = slope or RelaxedGradient()
    numbers: Sequence[int]
    if isinstance(classes, str):
        _all(classes)
        numbers = range(network.layer(network.output).units)
        used = [_drawn(grid, of_each, seed) for grid in grids]
        rows = _of_all(network, samples, slope)
    else:
        numbers = [class_number(network, each) for each in classes]
        used = [grid.member >= 0 for grid in grids]
        rows = _of_some(network, samples, slope, numbers)
    sums = [np.zeros((len(grid), len(numbers))) for grid in grids]
    for index, found in _by_photograph(network, samples, photographs, used, rows, progress):
        for grid, of_grid, total in zip(grids, used, sums, strict=True):
            own = of_grid[index]
            np.add.at(total, grid.member[index[own]], found[own])
    return (
        tuple(
            replace(grid, attribution=_averaged(grid, of_grid, total))
            for grid, of_grid, total in zip(grids, used, sums, strict=True)
        ),
        tuple(class_name(network, number) for number in numbers),
    )


def asked(
    network: Network,
    layer: str,
    classes: Classes,
    *,
    slope: Slope | None = None,
    of_each: int | None = OF_EACH,
) -> Literal["all"] | list[int]:
    """Check what is to be attributed, before there are samples; return the classes' numbers.

    All classes are attributed on an empty picture.

    Raises
    ------
    InputError
        As `attributed`, and `attributed_to_all`.
    """
    if of_each is not None:
        whole("of_each", of_each, least=1)
    if not isinstance(classes, str):
        numbers = [class_number(network, each) for each in classes]
        if numbers and not network.depends(network.output, layer):
            raise InputError(f"{network.output} does not depend on {layer}; name an earlier layer")
        return numbers
    _all(classes)
    empty = torch.zeros(1, network.preprocessing.channels, network.size, network.size)
    found = network.layer(layer)
    parts = torch.zeros(1, found.units, *found.shape)
    attributed_to_all(network, empty, layer, parts, slope or RelaxedGradient())
    return "all"


def _all(classes: str) -> None:
    if classes != "all":
        raise InputError(f"classes are 'all', or a list of some, not {classes!r}")


def of_samples(
    network: Network,
    samples: SampledActivations,
    photographs: Photographs,
    classes: Sequence[str | int],
    *,
    slope: Slope | None = None,
    progress: bool = False,
) -> Float32[np.ndarray, "samples classes"]:
    """Attribute some classes to every sample; see `attributed`.

    Examples
    --------
    >>> from visioncircuits import datasets
    >>> from visioncircuits.atlas import sample
    >>> from visioncircuits.networks import untrained
    >>> network, given = untrained("bvlc_googlenet"), datasets.photographs(torch.rand(2, 3, 64, 64))
    >>> drawn = sample(network, "mixed5a", given, per_photograph=4)
    >>> of_samples(network, drawn, given, ["beer glass", 7]).shape
    (8, 2)
    """
    numbers = [class_number(network, each) for each in classes]
    rows = _of_some(network, samples, slope or RelaxedGradient(), numbers)
    every = np.ones(len(samples), bool)
    found = np.empty((len(samples), len(numbers)), np.float32)
    for index, own in _by_photograph(network, samples, photographs, [every], rows, progress):
        found[index] = own
    return found


def _by_photograph(
    network: Network,
    samples: SampledActivations,
    photographs: Photographs,
    used: Sequence[Chosen],
    rows: Callable[[Tensor, Int64[np.ndarray, " chosen"]], Rows],
    progress: bool,
) -> Iterator[tuple[Int64[np.ndarray, " chosen"], Rows]]:
    """Yield the used samples of each photograph, and what they led to."""
    chosen = np.flatnonzero(np.logical_or.reduce(used))
    chosen = chosen[np.argsort(samples.photographs[chosen], kind="stable")]
    wanted, first = np.unique(samples.photographs[chosen], return_index=True)
    read = photographs.part(wanted.tolist()).at(network.size)
    with bar("attribution", len(wanted), visible=progress) as advance:
        for index, photograph in zip(np.split(chosen, first[1:]), read, strict=True):
            if photograph.pixels is None:
                raise InputError(photograph.problem)
            yield index, rows(photograph.pixels[None], index)
            advance(1)


def _drawn(grid: Grid, of_each: int | None, seed: int) -> Chosen:
    """Choose samples of each cell at random: the first in one order of all samples."""
    inside = grid.member >= 0
    if of_each is None:
        return inside
    whole("of_each", of_each, least=1)
    order = np.random.default_rng(seed).permutation(len(grid.member))
    order = order[np.argsort(grid.member[order], kind="stable")]
    members = grid.member[order]
    rank = np.arange(len(order)) - np.searchsorted(members, members)
    chosen = np.empty(len(order), bool)
    chosen[order] = rank < of_each
    return chosen & inside


def _averaged(
    grid: Grid, used: Chosen, total: Float64[np.ndarray, "cells classes"]
) -> Float32[np.ndarray, "cells classes"]:
    counts = np.bincount(grid.member[used], minlength=len(grid))
    return (total / counts[:, None]).astype(np.float32)


def _of_all(
    network: Network, samples: SampledActivations, slope: Slope
) -> Callable[[Tensor, Int64[np.ndarray, " chosen"]], Rows]:
    """Return the function that attributes all classes to some samples of one photograph."""

    def rows(photograph: Tensor, index: Int64[np.ndarray, " chosen"]) -> Rows:
        values = torch.from_numpy(samples.values[index])
        row, column = torch.from_numpy(samples.positions[index]).T
        parts = values.new_zeros(*values.shape, *samples.shape)
        parts[torch.arange(len(index)), :, row, column] = values
        return attributed_to_all(network, photograph, samples.layer, parts, slope).numpy()

    return rows


def _of_some(
    network: Network, samples: SampledActivations, slope: Slope, numbers: Sequence[int]
) -> Callable[[Tensor, Int64[np.ndarray, " chosen"]], Rows]:
    """Return the function that attributes some classes to some samples of one photograph."""
    every = torch.eye(network.layer(network.output).units)
    readouts = [Readout(network.output, every[number]) for number in numbers]

    def rows(photograph: Tensor, index: Int64[np.ndarray, " chosen"]) -> Rows:
        if not len(readouts):
            return np.zeros((len(index), 0), np.float32)
        slopes = slope(network, photograph, samples.layer, readouts)
        row, column = torch.from_numpy(samples.positions[index]).T
        values = torch.from_numpy(samples.values[index])
        return torch.einsum("cus,su->sc", slopes[:, :, row, column], values).numpy()

    return rows
