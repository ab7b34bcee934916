"""Matched units as pictures: how well they correlate, and pairs side by side."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from PIL import Image

from visioncircuits.comparison.pairs import highest, pairs
from visioncircuits.errors import InputError
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

OUTLINES = "#E66101", "#5E3C99"
"""Colors of nulls."""


def matches_panel(found: xr.Dataset, *, figure: Canvas | None = None) -> Canvas:
    r"""Draw how well each unit's best partner fits, beside what chance gives.

    Left, the highest correlation of every unit on photographs, on mismatched ones, and, as
    outlines, with the nulls of `match_nulls`; right, the correlation on stimuli with the partner
    that photographs chose, and with every other unit.

    Parameters
    ----------
    found
        From `match` or `match_nulls`.
    figure
        A figure or subfigure to draw into; by default a new `Figure`.

    Returns
    -------
    Figure or SubFigure
        The one that was given, or the new one; `.save(path)` writes it.

    Examples
    --------
    >>> from visioncircuits.comparison import match
    >>> from visioncircuits.networks import untrained
    >>> from visioncircuits.stimuli import named
    >>> few = [named("lines").isel(orientation=[0, 6], width=0)]
    >>> network = untrained("bvlc_googlenet")
    >>> pictures = np.random.default_rng(0).random((2, 3, 64, 64), np.float32)
    >>> found = match(network, "conv2d0", network, "conv2d1", pictures, stimuli=few)
    >>> matches_panel(found).axes[0].get_xlabel()
    'highest correlation on photographs,\nconv2d0 with conv2d1'
    """
    table = pairs(found)
    figure = figure_or_new(figure, (7.2, 2.9))
    width, height = inches(figure)
    wide, high = (width - 1.2) / 2, height - 0.75
    left, right = (add_axes(figure, at, 0.15, wide, high) for at in (0.55, 1.1 + wide))
    names = (
        found["unit"].values[0].rpartition(":")[0],
        found["other"].values[0].rpartition(":")[0],
    )
    distributions = {"matched": table["photographs"], "mismatched": table["chance"]}
    _histogram(left, distributions, {name: table[name] for name in highest(found)})
    left.set_xlabel(f"highest correlation on photographs,\n{names[0]} with {names[1]}")
    tuning = found["stimuli"].values.ravel()
    _histogram(
        right, {"with its partner": table["stimuli"], "with any unit": pd.Series(tuning)}, {}
    )
    right.set_xlabel("correlation on stimuli")
    left.set_ylabel("share of units")
    return figure


def _histogram(axes: Axes, values: Mapping[str, pd.Series], nulls: Mapping[str, pd.Series]) -> None:
    """Draw two distributions, the second as what the first is held against; of nulls, outlines."""
    low = min(-0.2, *(float(each.min()) for each in (*values.values(), *nulls.values())))
    bins = (np.arange(np.floor(low * 20), 21) / 20).tolist()
    for (name, each), color, alpha in zip(values.items(), ("#0571B0", RULE), (0.85, 1.0),
                                          strict=True):  # fmt: skip
        weights = np.full(len(each), 1 / len(each))
        within = each.clip(upper=1)  # rounding may go beyond it
        axes.hist(within, bins, weights=weights, color=color, alpha=alpha, label=name,
                  zorder=2 if color != RULE else 1)  # fmt: skip
        axes.axvline(float(each.median()), color=INK if color != RULE else FAINT, lw=0.8,
                     ls=(0, (3, 2)), zorder=3)  # fmt: skip
    for (name, each), color in zip(nulls.items(), OUTLINES, strict=False):
        weights = np.full(len(each), 1 / len(each))
        axes.hist(each.clip(upper=1), bins, weights=weights, histtype="step", color=color, lw=1.3,
                  label=name, zorder=4)  # fmt: skip
        axes.axvline(float(each.median()), color=color, lw=0.8, ls=(0, (3, 2)), zorder=3)
    axes.set_xlim(bins[0], 1)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=7, colors=FAINT)
    axes.xaxis.label.set_fontsize(8)
    axes.yaxis.label.set_fontsize(8)
    axes.legend(frameon=False, fontsize=7, title="dashed: medians", title_fontsize=6)


def pairs_panel(
    table: pd.DataFrame,
    units: Mapping[str, Image.Image],
    partners: Mapping[str, Image.Image],
    *,
    columns: int = 4,
    figure: Canvas | None = None,
) -> Canvas:
    """Draw pairs side by side, each by the two pictures that drive it most.

    Parameters
    ----------
    table
        From `pairs`, or some of its rows.
    units, partners
        Pictures of either network's units, by name; a unit without one is shown by its name alone.
    columns
        Pairs in a row.
    figure
        A figure or subfigure to draw into; by default a new `Figure`.

    Returns
    -------
    Figure or SubFigure
        The one that was given, or the new one; `.save(path)` writes it.

    Raises
    ------
    InputError
        Without a pair.

    Examples
    --------
    >>> pair = {"unit": "mixed3a:7", "partner": "fire3:5", "photographs": 0.7, "stimuli": 0.6}
    >>> figure = pairs_panel(pd.DataFrame([pair]), {"mixed3a:7": Image.new("RGB", (8, 8))}, {})
    >>> [axes.get_title() for axes in figure.axes]
    ['mixed3a:7', 'fire3:5']
    """
    if not len(table):
        raise InputError("there is no pair to draw")
    columns = min(columns, len(table))
    rows = -(-len(table) // columns)
    figure = figure_or_new(figure, (2.0 * columns, 1.45 * rows))
    wide, high = (
        whole / count for whole, count in zip(inches(figure), (columns, rows), strict=True)
    )
    side = min(0.46 * wide, high - 0.53)
    for place, row in enumerate(table.to_dict("records")):
        top, left = place // columns * high, place % columns * wide
        for at, (kind, pictures) in enumerate((("unit", units), ("partner", partners))):
            x = left + (0.26 + 0.48 * at) * wide - side / 2
            axes = add_axes(figure, x, top + 0.25, side, side)
            axes.set_axis_off()
            if row[kind] in pictures:
                axes.imshow(pictures[row[kind]])
            axes.set_title(row[kind], fontsize=6, color=INK, pad=2)
        caption = f"photographs {row['photographs']:.2f}, stimuli {row['stimuli']:.2f}"
        style = {"fontsize": 6, "color": FAINT, "ha": "center", "va": "top"}
        add_text(figure, left + wide / 2, top + 0.25 + side + 0.06, caption, **style)
    return figure
