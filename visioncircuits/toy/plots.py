"""Plots of toy models: directions in two dimensions, dimensionality over sparsity, phases."""

import math
from fractions import Fraction

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.patches import Circle, Patch

from visioncircuits.errors import InputError
from visioncircuits.figures import (
    FAINT,
    INK,
    RULE,
    Canvas,
    Drawn,
    add_axes,
    axes_or_new,
    figure_or_new,
    inches,
)
from visioncircuits.toy.geometry import POLYTOPES, polytope
from visioncircuits.toy.measures import dimensionality, represented
from visioncircuits.toy.phases import PHASES

SIDE, TITLE, GAP = 1.2, 0.24, 0.12
"""Inches of a panel's side, of its title, and between panels."""

LIMIT = 1.3
"""Where the panels end: directions are about 1 long."""

COLORS = ("#e4e6e8", "#92C5DE", "#F4A582")
"""Of the `PHASES`."""


def directions_panel(solutions: xr.Dataset, *, figure: Canvas | None = None) -> Canvas:
    """Draw features' directions in models with two dimensions, each a line that ends in a dot.

    The gray circle has the radius 1. The less important a feature, the paler it is drawn; one that
    is not represented is a dot near the middle.

    Parameters
    ----------
    solutions
        From `train`, a panel an instance.
    figure
        To draw into; by default a new `Figure`.

    Raises
    ------
    InputError
        If the models have another number of dimensions.

    Examples
    --------
    >>> from visioncircuits.toy import Task, train
    >>> tasks = [Task(features=5, hidden=2, sparsity=sparsity) for sparsity in (0.0, 0.9)]
    >>> [axes.get_title() for axes in directions_panel(train(tasks, steps=20)).axes]
    ['sparsity 0', 'sparsity 0.9']
    """
    if solutions.sizes["hidden"] != 2:
        raise InputError(
            f"arrows are drawn of models with 2 dimensions, not {solutions.sizes['hidden']}"
        )
    count = solutions.sizes["instance"]
    columns = min(count, 6)
    rows = -(-count // columns)
    size = columns * (SIDE + GAP) + GAP, rows * (SIDE + TITLE + GAP) + GAP
    canvas = figure_or_new(figure, size)
    columns = max(min(count, int((inches(canvas)[0] - GAP) / (SIDE + GAP))), 1)
    for place in range(count):
        row, column = divmod(place, columns)
        axes = add_axes(
            canvas,
            GAP + column * (SIDE + GAP),
            GAP + TITLE + row * (SIDE + TITLE + GAP),
            SIDE,
            SIDE,
        )
        _arrows(axes, solutions.isel(instance=place))
    return canvas


def _arrows(axes: Axes, solution: xr.Dataset) -> None:
    axes.add_patch(Circle((0, 0), 1, fill=False, color=RULE, linewidth=0.6))
    weights, importance = solution["weights"].values, solution["importance"].values
    most = importance.max() or 1.0
    for (x, y), weight in zip(weights.T, importance, strict=True):
        strength = 0.25 + 0.75 * float(weight / most)
        axes.plot([0, x], [0, y], color=INK, alpha=strength, linewidth=1.1, zorder=2)
        axes.plot(x, y, "o", color=INK, alpha=strength, markersize=3.2, zorder=2)
    axes.set_xlim(-LIMIT, LIMIT)
    axes.set_ylim(-LIMIT, LIMIT)
    axes.set_aspect("equal")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    axes.set_title(f"sparsity {float(solution['sparsity']):.3g}", fontsize=8, color=INK, pad=3)


def dimensionality_plot(solutions: xr.Dataset, *, ax: Drawn | None = None) -> Drawn:
    """Draw the dimensionality of every represented feature over 1 / (1 − sparsity).

    Lines are at the values of the exact `POLYTOPES`, on which features lie in plateaus.

    Parameters
    ----------
    solutions
        From `train`.
    ax
        Axes to draw into; by default those of a new `Figure`.

    Returns
    -------
    Axes or Figure
        `ax`, or the figure; `.save(path)` writes it.

    Examples
    --------
    >>> from visioncircuits.toy import Task, train
    >>> found = train([Task(features=3, hidden=2, sparsity=0.5)], steps=20)
    >>> dimensionality_plot(found).axes[0].get_ylabel()
    'dimensionality'
    """
    axes, drawn = axes_or_new(ax, (5.6, 3.4))
    axes.set_xscale("log")
    written = math.inf
    for height, name in sorted((_plateau(name), name) for name in POLYTOPES)[::-1]:
        axes.axhline(float(height), color=RULE, linewidth=0.7, zorder=0)
        written = min(float(height), written - 0.045)  # two plateaus are closer than lines of text
        axes.annotate(
            f"{name}, {height}", (1, written), (4, 0), xycoords=("axes fraction", "data"),
            textcoords="offset points", va="center", fontsize=7, color=FAINT,
        )  # fmt: skip
    weights = solutions["weights"].values
    shares, kept = dimensionality(weights), represented(weights)
    # Points of one sparsity are spread a little, in an order that is the same each time.
    spread = 1 + 0.05 * np.linspace(-1, 1, shares.shape[1])
    places = (1 / (1 - solutions["sparsity"].values))[:, None] * spread
    axes.plot(places[kept], shares[kept], ".", color=INK, markersize=3, alpha=0.5, linewidth=0)
    axes.set_ylim(0, 1.05)
    ticks = [tick for tick in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000) if tick <= places.max()]
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.minorticks_off()
    axes.set_xlabel("1 / (1 − sparsity)", fontsize=8)
    axes.set_ylabel("dimensionality", fontsize=8)
    axes.tick_params(labelsize=7, color=RULE)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(RULE)
    return drawn


def _plateau(name: str) -> Fraction:
    """Return the dimensionality of a polytope's corners: dimensions / corners of a tight frame."""
    return Fraction(*polytope(name).shape)


def phase_panel(diagram: xr.Dataset, *, ax: Drawn | None = None) -> Drawn:
    """Draw what becomes of the second of two features, by importance and sparsity.

    Parameters
    ----------
    diagram
        From `phase_diagram`.
    ax
        Axes to draw into; by default those of a new `Figure`. The legend is drawn above them.

    Returns
    -------
    Axes or Figure
        `ax`, or the figure; `.save(path)` writes it.

    Examples
    --------
    >>> from visioncircuits.toy import phase_diagram
    >>> diagram = phase_diagram(importances=(0.5, 2.0), sparsities=(0.0, 0.9), steps=20)
    >>> phase_panel(diagram).axes[0].get_xlabel()
    '1 − sparsity'
    """
    axes, drawn = axes_or_new(ax, (4.0, 3.6))
    phases = diagram["phase"].values
    colors = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in COLORS], np.uint8)
    axes.imshow(colors[phases], origin="lower", aspect="auto", interpolation="nearest")
    chances, importances = 1 - diagram["sparsity"].values, diagram["importance"].values
    for set_ticks, values in ((axes.set_xticks, chances), (axes.set_yticks, importances)):
        places = np.unique(np.linspace(0, len(values) - 1, min(len(values), 5)).round().astype(int))
        set_ticks(places, [f"{values[place]:.2g}" for place in places])
    axes.set_xlabel("1 − sparsity", fontsize=8)
    axes.set_ylabel("importance, relative to the other feature's", fontsize=8)
    axes.tick_params(labelsize=7, color=RULE)
    axes.spines[:].set_color(RULE)
    handles = [Patch(color=color, label=name) for color, name in zip(COLORS, PHASES, strict=True)]
    axes.legend(
        handles=handles, loc="lower right", bbox_to_anchor=(1, 1), ncols=3, frameon=False,
        fontsize=7, borderaxespad=0.2, handlelength=1, columnspacing=1, handletextpad=0.5,
    )  # fmt: skip
    return drawn
