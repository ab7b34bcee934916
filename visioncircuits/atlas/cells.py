"""Grids over the plane, and the average activation in each of their cells."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32, Int64

from visioncircuits.atlas.records import Grid
from visioncircuits.errors import InputError
from visioncircuits.numbers import whole

SIDES = (5, 10, 20)
"""Cells along either axis, from the coarsest grid to the finest."""

LEAST = 10
"""Samples that a cell needs, as in the article's code."""


def grids(
    points: Float32[np.ndarray, "samples 2"],
    values: Float32[np.ndarray, "samples units"],
    *,
    sides: Sequence[int] = SIDES,
    least: int = LEAST,
) -> tuple[Grid, ...]:
    """Average the samples in the cells of several grids.

    Parameters
    ----------
    points
        In the unit square.
    values
        Their activations.
    sides
        Cells along either axis of each grid.
    least
        Samples in a cell that is kept.

    Returns
    -------
    tuple of Grid
        From the coarsest to the finest, without attribution.

    Raises
    ------
    InputError
        For no side, or where no cell of a grid has so many samples.

    Examples
    --------
    >>> points = np.array([[0.1, 0.9], [0.2, 0.8], [1.0, 0.0]], np.float32)
    >>> (found,) = grids(points, np.eye(3, dtype=np.float32), sides=[2], least=1)
    >>> found.cells.tolist(), found.means.tolist(), found.member.tolist()
    ([[0, 1], [1, 0]], [[0.0, 0.0, 1.0], [0.5, 0.5, 0.0]], [1, 1, 0])
    """
    check_grids(sides, least)
    return tuple(_grid(points, values, side, least) for side in sorted(set(sides)))


def check_grids(sides: Sequence[int], least: int) -> None:
    """Check the options of grids, before there are samples.

    Raises
    ------
    InputError
        For no side, or a number out of range.
    """
    if not sides:
        raise InputError("no grid is given; name one by its side, such as 20")
    for side in sides:
        whole("sides", side, least=1, most=1000)
    whole("least", least, least=1)


def _grid(
    points: Float32[np.ndarray, "samples 2"],
    values: Float32[np.ndarray, "samples units"],
    side: int,
    least: int,
) -> Grid:
    column, row = np.minimum((points * side).astype(np.int64), side - 1).T
    number = row * side + column
    counts = np.bincount(number, minlength=side**2)
    kept = np.flatnonzero(counts >= least)
    if not len(kept):
        raise InputError(
            f"no cell of {side} by {side} has {least} samples (at most {counts.max()}); take more "
            "photographs or positions, or ask for less"
        )
    place = np.full(side**2, -1)
    place[kept] = np.arange(len(kept))
    member: Int64[np.ndarray, " samples"] = place[number]
    order = np.argsort(member, kind="stable")
    ends = np.cumsum(counts[kept]) + np.count_nonzero(member < 0)
    starts = ends - counts[kept]
    means = [
        values[order[first:end]].mean(0, dtype=np.float64)
        for first, end in zip(starts, ends, strict=True)
    ]
    return Grid(
        side,
        np.stack(np.divmod(kept, side), 1),
        counts[kept],
        np.array(means, np.float32),
        np.zeros((len(kept), 0), np.float32),
        member,
    )
