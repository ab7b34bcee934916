"""A feature's examples on one sheet: the strongest, and random ones along the histogram."""

from itertools import pairwise

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes

from visioncircuits import datasets
from visioncircuits.datasets import Source
from visioncircuits.errors import InputError
from visioncircuits.examples import crops, sketch
from visioncircuits.examples.record import Examples, LayerExamples
from visioncircuits.examples.tops import Places
from visioncircuits.figures import (
    FAINT,
    INK,
    RULE,
    AnyFigure,
    Canvas,
    add_axes,
    add_text,
    figure_or_new,
    inches,
)
from visioncircuits.networks import Feature, Network, Unit

ACROSS, DOWN = 12, 4
"""Columns of crops, and random examples in each."""

_BAR, _LINE = "#9db8d9", "#ca0020"


def sheet(
    network: Network,
    feature: str | Feature,
    examples: Examples,
    photographs: Source | None = None,
    *,
    figure: Canvas | None = None,
) -> Canvas:
    """Draw what activates a feature in photographs, how often, and how strongly.

    Parameters
    ----------
    network
        With which the examples were collected.
    feature
        A unit of one of the examples' layers, or a direction that they were collected of.
    examples
        From `collect`.
    photographs
        Those that the examples were collected from; needed for examples that were loaded.
    figure
        A figure or subfigure to draw into; by default a new `Figure`.

    Returns
    -------
    Figure or SubFigure
        The one that was given, or the new one. Above, the strongest examples. In the middle, the
        density of the unit's pre-activations, or of the direction's activations, over all
        positions, on a logarithmic scale, and the
        contribution of each to the mean activation. Below, random neurons in twelve steps of
        activation, as in the "quilts" of "Curve Detectors" (Cammarata et al., 2020).

    Raises
    ------
    InputError
        If the examples have no such feature, the photographs are not known, or the figure has no
        room.

    Examples
    --------
    >>> import torch
    >>> from visioncircuits.examples import collect
    >>> from visioncircuits.networks import untrained
    >>> network = untrained("bvlc_googlenet")
    >>> found = collect(network, "conv2d0", torch.rand(3, 3, 224, 224), top=2)
    >>> sheet(network, "conv2d0:7", found).get_size_inches().tolist()
    [11.0, 7.6]
    """
    sought = network.feature(feature)
    known = examples.shown.photographs if examples.shown else None
    if photographs is None and known is None:
        raise InputError(
            "these examples were loaded; pass the photographs they were collected from"
        )
    source = known if photographs is None else datasets.photographs(photographs)
    assert source is not None
    layer, unit = examples.row(sought)
    values = "a pre-activation" if isinstance(sought, Unit) else "an activation"
    steps = _steps(layer, unit)
    shown = {
        number: crops.seen(network, source.read(examples.names[number], network.size))
        for number in sorted(_pictures(layer, unit, steps))
    }

    height, width = next(iter(shown.values())).shape[1:]
    located = network.layer_at(sought.layer, (height, width))

    def cut(picture: int, position: np.ndarray) -> np.ndarray:
        row, column = map(int, position)
        cropped = crops.crop(located, shown[picture], (row, column))
        return crops.tile(cropped, 96)

    figure = figure_or_new(figure, (11, 7.6))
    wide, high = inches(figure)
    moments = layer.moments
    left, side = 0.05 * wide, 0.9 * wide / ACROSS
    density, below = 1.08 + side, high - 0.31 - DOWN * side
    add_text(figure, left, 0.27, str(sought), fontsize=13, weight="bold", color=INK, va="top")
    faint = {"color": FAINT, "va": "top"}
    add_text(
        figure, wide - left, 0.27,
        f"{examples.seen} pictures, {moments.count} positions · active at "
        f"{moments.firing[unit]:.1%} of them · mean {moments.mean[unit]:.3g}, "
        f"standard deviation {moments.deviation[unit]:.3g}",
        fontsize=8, ha="right", **faint,
    )  # fmt: skip
    for place in range(min(ACROSS, layer.tops.values.shape[1])):
        if layer.tops.pictures[unit, place] < 0:
            continue
        axes = _tile(figure, left + place * side, 0.74, side)
        axes.imshow(cut(int(layer.tops.pictures[unit, place]),
                        layer.tops.positions[unit, place]))  # fmt: skip
        axes.set_title(f"{layer.tops.values[unit, place]:.4g}", fontsize=6.5, color=FAINT, pad=2)
    add_text(figure, left, 0.48, "the strongest, one a picture", fontsize=7.5, **faint)
    plot = add_axes(figure, left, density, ACROSS * side, below - 0.57 - density)
    _density(plot, layer, unit, steps)
    for step in range(ACROSS):
        drawn = layer.drawn(unit, steps[step], steps[step + 1])
        for place in range(min(DOWN, drawn.values.shape[1])):
            axes = _tile(figure, left + step * side, below + place * side, side)
            axes.imshow(cut(int(drawn.pictures[0, place]), drawn.positions[0, place]))
    caption = f"drawn at random among the neurons with {values} between the ticks"
    add_text(figure, left, below - 0.22, caption, fontsize=7.5, **faint)
    return figure


def expected_value(layer: LayerExamples, unit: int) -> tuple[np.ndarray, np.ndarray]:
    """Return activations and the share of the mean activation that each bin contributes.

    The thread plots activation times its density ("Curve Detectors", the analysis by hand);
    negative values count as zero.

    Returns
    -------
    tuple
        Centers of the bins, and shares that sum to 1 (or to 0 for a unit that never activates).

    Examples
    --------
    >>> import torch
    >>> from visioncircuits.examples import collect
    >>> from visioncircuits.networks import untrained
    >>> network = untrained("bvlc_googlenet")
    >>> found = collect(network, "conv2d0", torch.rand(3, 3, 224, 224), top=2)
    >>> activations, shares = expected_value(found.layers["conv2d0"], 7)
    >>> float(shares.sum().round(6))
    1.0
    """
    middles = sketch.middles()
    value = middles.clip(0) * layer.counts[unit]
    return middles, value / value.sum() if value.sum() else value


def _steps(layer: LayerExamples, unit: int) -> Float[np.ndarray, " edges"]:
    """Return steps of activation from the 0.05 % quantile to the maximum."""
    low = float(layer.quantiles(np.array([0.0005]))[unit, 0])
    high = float(np.nanmax(layer.tops.values[unit]))
    return np.linspace(min(low, high - 1e-6), high * (1 + 1e-6) + 1e-9, ACROSS + 1)


def _pictures(layer: LayerExamples, unit: int, steps: np.ndarray) -> set[int]:
    def first(places: Places, row: int, count: int) -> set[int]:
        return {int(number) for number in places.pictures[row, :count] if number >= 0}

    numbers = first(layer.tops, unit, ACROSS)
    for low, high in pairwise(steps):
        numbers |= first(layer.drawn(unit, low, high), 0, DOWN)
    return numbers


def _density(axes: Axes, layer: LayerExamples, unit: int, steps: np.ndarray) -> None:
    edges = np.linspace(steps[0], steps[-1], 5 * ACROSS + 1)
    counts = layer.counts[unit]
    heights = np.histogram(sketch.middles(), edges, weights=counts)[0]
    density = heights / counts.sum() / np.diff(edges)
    axes.bar(edges[:-1], density, np.diff(edges), align="edge", color=_BAR, linewidth=0)
    axes.set_yscale("log")
    axes.yaxis.set_minor_formatter("")
    axes.set_xlim(steps[0], steps[-1])
    axes.set_xticks(steps, [f"{step:.3g}" for step in steps])
    axes.set_ylabel("density", fontsize=7, color=FAINT)
    middles, shares = expected_value(layer, unit)
    part = np.histogram(middles, edges, weights=shares)[0]
    shared = axes.twinx()
    shared.step(edges, np.append(part, part[-1]), where="post", color=_LINE, linewidth=1)
    shared.set_ylim(0, max(float(part.max()) * 1.1, 1e-9))
    shared.set_ylabel("share of the mean activation", fontsize=7, color=_LINE)
    for each in (axes, shared):
        each.tick_params(labelsize=6.5, color=RULE, labelcolor=FAINT)
        for side in each.spines.values():
            side.set_color(RULE)
        each.spines["top"].set_visible(False)
    shared.tick_params(labelcolor=_LINE)


def _tile(figure: AnyFigure, left: float, top: float, side: float) -> Axes:
    gap = 0.04 * side
    axes = add_axes(figure, left + gap / 2, top + gap / 2, side - gap, side - gap)
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)
    return axes
