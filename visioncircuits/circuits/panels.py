"""Curves of circuits as a picture: how much so many edges keep, beside random ones."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from visioncircuits.circuits.benchmark import areas
from visioncircuits.figures import (
    FAINT,
    INK,
    RULE,
    Canvas,
    add_axes,
    add_text,
    figure_or_new,
    inches,
)

_INKS = {"found": "#0571b0", "equal size": "#8a8f96", "equal weight": "#c08a3e"}

_LABELS = {
    "found": "circuit",
    "equal size": "random, as many edges",
    "equal weight": "random, as much weight",
}

_NAMES = {
    "zero": "others at zero",
    "mean": "others at their mean",
    "resample": "others of another photograph",
}


TICKS = 4
"""Of the numbers of edges, at equal ratios, from the least to the most."""


def curves_panel(
    found: xr.Dataset, *, measure: str = "faithfulness", figure: Canvas | None = None
) -> Canvas:
    """Draw what circuits keep against their size, one plot for each ablation.

    Parameters
    ----------
    found
        From `curves`.
    measure
        `"faithfulness"` or `"explained"`.
    figure
        A figure or subfigure to draw into; by default a new `Figure`.

    Returns
    -------
    Figure or SubFigure
        The one that was given, or the new one; `.save(path)` writes it.

    Examples
    --------
    >>> import torch
    >>> from torch import nn
    >>> from visioncircuits.circuits import candidates, curves, measured, score
    >>> from visioncircuits.networks import Preprocessing, wrap
    >>> layers = nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 2, 3)
    >>> network = wrap(nn.Sequential(*layers), Preprocessing(), size=24)
    >>> study = measured(candidates(network, "2:0", ["1"]), torch.rand(4, 3, 24, 24))
    >>> len(curves_panel(curves(study, score(study), draws=1)).axes)
    3
    """
    ablations = [str(each) for each in found["ablation"].values]
    figure = figure_or_new(figure, (3.4 * len(ablations) + 0.4, 3.5))
    width, height = inches(figure)
    left, top, foot, gap = 0.62, 0.78, 0.78, 0.3
    each = (width - left - gap * len(ablations)) / len(ablations)
    area = areas(found)
    for at, ablation in enumerate(ablations):
        begin = left + at * (each + gap)
        axes = add_axes(figure, begin, top, each, height - top - foot)
        _curve(axes, found[measure].sel(ablation=ablation), found["size"].values)
        add_text(figure, begin, 0.36, _NAMES.get(ablation, ablation), fontsize=10, color=INK)
        if measure == "faithfulness":
            text = "CPR {CPR:.2f}, CMD {CMD:.2f}".format(**area[ablation]["found"])
            add_text(figure, begin, 0.58, text, fontsize=8, color=FAINT)
        if at:
            axes.set_yticklabels([])
        else:
            axes.set_ylabel(_title(measure), fontsize=8, color=INK)
    handles = figure.axes[0].get_lines()[: len(_LABELS)]
    figure.legend(
        handles=handles, loc="lower center", ncols=3, frameon=False, fontsize=8, labelcolor=INK
    )
    return figure


def _title(measure: str) -> str:
    return "faithfulness" if measure == "faithfulness" else "explained variance"


def _curve(axes: Axes, values: xr.DataArray, sizes: np.ndarray) -> None:
    low, high = -0.25, 1.5
    some = sizes > 0
    for kind, ink in _INKS.items():
        mean, least, most = (
            np.clip(values.sel(kind=kind, bound=bound).values[some], low, high)
            for bound in ("mean", "low", "high")
        )
        axes.plot(sizes[some], mean, color=ink, lw=1.6 if kind == "found" else 1.2,
                  label=_LABELS[kind])  # fmt: skip
        axes.fill_between(sizes[some], least, most, color=ink, alpha=0.16, lw=0)
    axes.axhline(1, color=RULE, lw=0.8, zorder=0)
    axes.axhline(0, color=RULE, lw=0.8, zorder=0)
    axes.set_xscale("log")
    axes.set_xlim(max(int(sizes[some][0]), 1), int(sizes[-1]))
    ticks = np.unique(np.geomspace(*axes.get_xlim(), TICKS).round().astype(int))
    axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    axes.minorticks_off()
    axes.set_ylim(low, high)
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.set_xlabel("edges", fontsize=8, color=INK)
    axes.tick_params(labelsize=7, color=FAINT, labelcolor=FAINT)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(RULE)
