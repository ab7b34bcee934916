"""An atlas as a picture and as a figure: the icons of a grid at their places."""

from typing import Any

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from visioncircuits.atlas.icons import Icons
from visioncircuits.atlas.records import Atlas, Grid
from visioncircuits.errors import InputError
from visioncircuits.figures import INK, Canvas, add_axes, add_text, figure_or_new

WIDE, TOP, MARGIN = 10.0, 0.35, 0.1
"""Inches: the side of the map, the heading above it, and the border around."""

LABELED = 12
"""Cells along either axis up to which each has the name of its first class."""

LABEL, LETTERS = 0.14, 16
"""The height of a name below an icon, as a share of the cell's side, and how long it is at most."""

_SMALLEST = 0.4
"""The least share of its cell's side that an icon has, where its samples are few."""


def mosaic(grid: Grid, icons: Icons, *, sized: bool = False) -> UInt8[np.ndarray, "height width 3"]:
    """Put the icons of a grid at their places, on white.

    Parameters
    ----------
    grid
        Of the icons.
    icons
        From `icons`.
    sized
        Whether an icon's area grows with its cell's samples, as in the article.

    Raises
    ------
    InputError
        Where there is not one icon a cell.

    Examples
    --------
    >>> grid = Grid(2, np.array([[0, 1]]), np.array([3]), np.zeros((1, 8), np.float32),
    ...             np.zeros((1, 0), np.float32), np.array([0, 0, 0]))
    >>> mosaic(grid, np.zeros((1, 8, 8, 3), np.uint8)).shape
    (16, 16, 3)
    """
    if len(icons) != len(grid):
        raise InputError(f"there are {len(icons)} icons for {len(grid)} cells; render this grid's")
    side = icons.shape[1]
    canvas = np.full((grid.side * side, grid.side * side, 3), 255, np.uint8)
    for (row, column), count, icon in zip(grid.cells, grid.counts, icons, strict=True):
        shown = icon
        if sized:
            share = max(_SMALLEST, min(1.0, float(count / np.percentile(grid.counts, 90)) ** 0.5))
            length = max(round(share * side), 1)
            shown = np.asarray(Image.fromarray(icon).resize((length, length)))
        top, left = ((side - len(shown)) // 2 + np.array([row, column]) * side).tolist()
        canvas[top : top + len(shown), left : left + len(shown)] = shown
    return canvas


def atlas_panel(
    atlas: Atlas,
    icons: Icons,
    *,
    side: int | None = None,
    sized: bool = False,
    figure: Canvas | None = None,
) -> Canvas:
    """Draw the icons of an atlas' grid at their places.

    Of a grid of up to 12 by 12 cells, each has the name of the class that it supports most.

    Parameters
    ----------
    atlas
        From `atlas`.
    icons
        Of the grid, from `icons`.
    side
        Which grid; by default the finest.
    sized
        As for `mosaic`.
    figure
        A figure or subfigure to draw into; by default a new `Figure`.

    Returns
    -------
    Figure or SubFigure
        The one that was given, or the new one; `.save(path)` writes it.

    Raises
    ------
    InputError
        For an unknown grid, or icons of another one.

    Examples
    --------
    >>> grid = Grid(2, np.array([[0, 1]]), np.array([3]), np.zeros((1, 8), np.float32),
    ...             np.zeros((1, 0), np.float32), np.array([0, 0, 0]))
    >>> from visioncircuits.atlas import SampledActivations
    >>> drawn = SampledActivations("toy", "mixed4c", np.zeros((3, 8), np.float32), np.zeros(3, int),
    ...                            np.zeros((3, 2), int), (4, 4), ("dog.jpg",))
    >>> made = Atlas(drawn, np.zeros((3, 2), np.float32), (grid,), (), {})
    >>> atlas_panel(made, np.zeros((1, 8, 8, 3), np.uint8)).get_size_inches().round(2).tolist()
    [10.2, 10.55]
    """
    grid = atlas.grid(side)
    labeled = bool(atlas.classes) and grid.side <= LABELED
    high = 1 + LABEL * labeled
    figure = figure_or_new(figure, (WIDE + 2 * MARGIN, WIDE * high + TOP + 2 * MARGIN))
    samples = atlas.samples
    head = f"{samples.network} {samples.layer}: {len(samples):,} activations"
    add_text(figure, MARGIN, MARGIN + 0.2, head, fontsize=11, color=INK, weight="bold")
    axes = add_axes(figure, MARGIN, TOP + MARGIN, WIDE, WIDE * high)
    if labeled:
        _labeled(axes, atlas, grid, icons, sized)
    else:
        axes.imshow(mosaic(grid, icons, sized=sized), extent=(0, grid.side, grid.side, 0))
    axes.set_axis_off()
    return figure


def _labeled(axes: Any, atlas: Atlas, grid: Grid, icons: Icons, sized: bool) -> None:
    """Draw each row of cells above the names of their classes."""
    pixels, side = mosaic(grid, icons, sized=sized), icons.shape[1]
    high = 1 + LABEL
    for row in range(grid.side):
        strip = pixels[row * side : (row + 1) * side]
        axes.imshow(strip, extent=(0, grid.side, row * high + 1, row * high))
    for (row, column), led in zip(grid.cells, grid.attribution, strict=True):
        if led.max() <= 0:
            continue
        name = atlas.classes[int(led.argmax())]
        short = name if len(name) <= LETTERS else f"{name[: LETTERS - 1]}…"
        axes.text(
            column + 0.5, row * high + 1 + LABEL / 2, short, fontsize=min(60 / grid.side, 8),
            color=INK, ha="center", va="center",
        )  # fmt: skip
    axes.set(xlim=(0, grid.side), ylim=(grid.side * high, 0), aspect="equal")
