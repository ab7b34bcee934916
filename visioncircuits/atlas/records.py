"""What an atlas is made of: activations at sampled positions, where they lie, and cells of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float32, Float64, Int64

from visioncircuits.errors import InputError


@dataclass(frozen=True, eq=False)
class SampledActivations:
    """Activations of all units of a layer at sampled positions of photographs.

    Attributes
    ----------
    network, layer
        Their names.
    values : float32, (samples, units)
        Activations, a photograph's samples one after another.
    photographs : int64, (samples,)
        Which of `names` each is from.
    positions : int64, (samples, 2)
        Row and column in the layer.
    shape
        Rows and columns of the layer.
    names
        Of the photographs.
    skipped
        Why photographs could not be read.

    Examples
    --------
    >>> SampledActivations("toy", "mixed4c", np.zeros((2, 8), np.float32), np.array([0, 0]),
    ...                    np.array([[1, 1], [2, 1]]), (4, 4), ("dog.jpg",))
    SampledActivations(toy mixed4c: 2 of 1 photograph)
    """

    network: str
    layer: str
    values: Float32[np.ndarray, "samples units"]
    photographs: Int64[np.ndarray, " samples"]
    positions: Int64[np.ndarray, "samples 2"]
    shape: tuple[int, int]
    names: tuple[str, ...]
    skipped: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Count the samples."""
        return len(self.values)

    def __repr__(self) -> str:
        count = len(self.names)
        return (
            f"SampledActivations({self.network} {self.layer}: {len(self)} of {count} "
            f"photograph{'s' if count != 1 else ''})"
        )


@dataclass(frozen=True, eq=False)
class Grid:
    """Cells of one density.

    Attributes
    ----------
    side
        Cells along either axis.
    cells : int64, (cells, 2)
        Row and column of each cell that is kept, row by row.
    counts : int64, (cells,)
        Samples in each.
    means : float32, (cells, units)
        Their average activation.
    attribution : float32, (cells, classes)
        The average of what samples led each class to.
    member : int64, (samples,)
        The cell of each sample, -1 for those in no kept cell.

    Examples
    --------
    >>> Grid(2, np.array([[0, 1]]), np.array([3]), np.zeros((1, 8), np.float32),
    ...      np.zeros((1, 5), np.float32), np.array([0, 0, 0, -1]))
    Grid(2 x 2, 1 cell)
    """

    side: int
    cells: Int64[np.ndarray, "cells 2"]
    counts: Int64[np.ndarray, " cells"]
    means: Float32[np.ndarray, "cells units"]
    attribution: Float32[np.ndarray, "cells classes"]
    member: Int64[np.ndarray, " samples"]

    def __len__(self) -> int:
        """Count the cells."""
        return len(self.cells)

    def __repr__(self) -> str:
        return f"Grid({self.side} x {self.side}, {len(self)} cell{'s' if len(self) != 1 else ''})"

    @cached_property
    def number(self) -> Mapping[tuple[int, int], int]:
        """The number of the cell at a row and column."""
        return {(row, column): place for place, (row, column) in enumerate(self.cells.tolist())}

    def samples(self, cell: int) -> Int64[np.ndarray, " members"]:
        """Return the numbers of the samples in a cell."""
        return np.flatnonzero(self.member == cell)

    def photographs(self, samples: SampledActivations) -> Float64[np.ndarray, " cells"]:
        """Return the effective number of photographs in each cell.

        That is as many photographs, of equally many samples each, as would average as well where
        the samples of one are all alike (Kish, 1965): 1 where all are of one photograph.
        """
        inside = self.member >= 0
        keys = self.member[inside] * len(samples.names) + samples.photographs[inside]
        pairs, shares = np.unique(keys, return_counts=True)
        squares = np.bincount(pairs // len(samples.names), shares**2.0, minlength=len(self))
        return np.asarray(self.counts**2 / squares)


@dataclass(frozen=True, eq=False)
class Atlas:
    """A layer's sampled activations laid out in the plane, and averaged in cells.

    Attributes
    ----------
    samples
        What is laid out.
    points : float32, (samples, 2)
        x to the right and y down, in [0, 1] after clipping.
    grids
        From the coarsest to the finest.
    classes
        Names of the classes that cells are attributed to; empty without attribution.
    record
        How it was made, as plain data: network, options, seed, versions.
    """

    samples: SampledActivations
    points: Float32[np.ndarray, "samples 2"]
    grids: tuple[Grid, ...]
    classes: tuple[str, ...]
    record: Mapping[str, Any]

    def __repr__(self) -> str:
        about = repr(self.samples).removeprefix("SampledActivations(").removesuffix(")")
        sides = ", ".join(f"{grid.side} × {grid.side}" for grid in self.grids) or "no grid"
        count = len(self.classes)
        classes = "1 class" if count == 1 else f"{count or 'no'} classes"
        return f"Atlas({about}; {sides}; {classes})"

    def grid(self, side: int | None = None) -> Grid:
        """Return the grid of a side, by default the finest.

        Raises
        ------
        InputError
            Where the atlas has none.

        Examples
        --------
        >>> drawn = SampledActivations("toy", "conv", np.zeros((4, 2), np.float32),
        ...     np.zeros(4, np.int64), np.zeros((4, 2), np.int64), (3, 3), ("cat.jpg",))
        >>> Atlas(drawn, np.zeros((4, 2), np.float32), (), (), {}).grid(20)
        Traceback (most recent call last):
        visioncircuits.errors.InputError: the atlas has no grid of 20 by 20; it has none
        """
        found = [grid for grid in self.grids if side in (None, grid.side)]
        if not found:
            known = ", ".join(str(grid.side) for grid in self.grids)
            there = f"its sides are {known}" if known else "it has none"
            raise InputError(f"the atlas has no grid of {side} by {side}; {there}")
        return found[-1]
