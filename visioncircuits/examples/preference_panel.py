"""Preferences as a picture: the whole layer, its best units, and what each does in photographs."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from visioncircuits.errors import InputError
from visioncircuits.examples.preference import Preferences
from visioncircuits.figures import FAINT, INK, RULE, Canvas, add_axes, figure_or_new, inches
from visioncircuits.numbers import whole

_IN, _OUT = "#ca0020", "#9aa0a6"
_BINS = 25


def preference_panel(
    preferences: Preferences, *, top: int = 12, figure: Canvas | None = None
) -> Canvas:
    """Draw the areas of all features, and of the best their intervals and their activations.

    Parameters
    ----------
    preferences
        From `prefer`.
    top
        How many of the best are drawn one by one.
    figure
        A figure or subfigure to draw into; by default a new `Figure`.

    Returns
    -------
    Figure or SubFigure
        The one that was given, or the new one. Left, the areas of all, the best first, with their
        intervals. In the middle, those of the best. Right, how strongly each of these activates in
        photographs of the classes (red) and in others (gray): two histograms, each as high as its
        row, over the share of the unit's highest activation.

    Raises
    ------
    InputError
        For preferences without features, or where the figure has no room.

    Examples
    --------
    >>> import torch
    >>> from visioncircuits.examples import prefer
    >>> from visioncircuits.networks import untrained
    >>> pictures = [(picture, label % 2) for label, picture in enumerate(torch.rand(6, 3, 64, 64))]
    >>> found = prefer(untrained("bvlc_googlenet"), "conv2d0", pictures, classes=1)
    >>> len(preference_panel(found, top=5).axes)
    3
    """
    whole("top", top, least=1)
    if not preferences.sizes["unit"]:
        raise InputError("there are no preferences to draw; keep one feature or more")
    best = preferences.isel(unit=slice(top))
    rows = best.sizes["unit"]
    figure = figure_or_new(figure, (9.6, max(0.3 * rows + 1.0, 2.6)))
    wide, high = inches(figure)
    every, forest, strips = (
        add_axes(figure, left * wide, 0.35, width * wide, high - 0.85)
        for left, width in ((0.055, 0.27), (0.43, 0.26), (0.715, 0.27))
    )
    _every(every, preferences)
    _forest(forest, best)
    _strips(strips, best)
    return figure


def _every(axes: Axes, found: Preferences) -> None:
    ranks = np.arange(1, found.sizes["unit"] + 1)
    axes.vlines(ranks, found["low"], found["high"], color=RULE, linewidth=max(1, 120 / len(ranks)))
    axes.plot(ranks, found["auc"], ".", color=INK, markersize=3)
    axes.set_xlabel(f"rank among {len(ranks)}", fontsize=8, color=FAINT)
    axes.set_xlim(0.5 - 0.02 * len(ranks), 0.5 + 1.02 * len(ranks))
    _plain(axes, "area under the ROC curve", bottom=min(0.4, float(found["low"].min())))
    axes.axhline(0.5, color=FAINT, linewidth=0.8, linestyle=":")
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))


def _forest(axes: Axes, best: Preferences) -> None:
    rows = np.arange(best.sizes["unit"])
    axes.hlines(rows, best["low"], best["high"], color=_IN, linewidth=1.4)
    axes.plot(best["auc"], rows, "o", color=_IN, markersize=4)
    axes.axvline(0.5, color=FAINT, linewidth=0.8, linestyle=":")
    axes.set_yticks(rows, [str(unit) for unit in best["unit"].values])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlim(min(0.45, float(best["low"].min()) - 0.02), 1.02)
    axes.set_xlabel(f"the best {len(rows)}", fontsize=8, color=FAINT)
    _plain(axes, "area, with its interval")


def _strips(axes: Axes, best: Preferences) -> None:
    preferred = best["preferred"].values.astype(bool)
    edges = np.linspace(0, 1, _BINS + 1)
    for row, values in enumerate(best["activation"].transpose("unit", "photograph").values):
        low, high = min(float(values.min()), 0.0), float(values.max())
        shares = (values - low) / (high - low) if high > low else np.zeros_like(values)
        for kind, color in ((~preferred, _OUT), (preferred, _IN)):
            counts = np.histogram(shares[kind], edges)[0]
            heights = 0.84 * counts / max(counts.max(), 1)
            axes.stairs(
                row + 0.42 - heights, edges, baseline=row + 0.42, fill=True, color=color,
                alpha=0.5, linewidth=0,
            )  # fmt: skip
    axes.set_yticks([])
    axes.set_ylim(best.sizes["unit"] - 0.4, -0.6)
    axes.set_xlim(0, 1)
    axes.set_xlabel("activation, of the highest", fontsize=8, color=FAINT)
    _plain(axes, "")
    inside = int(preferred.sum())
    axes.set_title(f"{inside} of the classes", fontsize=8, color=_IN, loc="left")
    axes.set_title(f"{len(preferred) - inside} others", fontsize=8, color=FAINT, loc="right")


def _plain(axes: Axes, title: str, *, bottom: float | None = None) -> None:
    axes.set_title(title, fontsize=8, color=INK, loc="left")
    axes.tick_params(labelsize=7, color=RULE, labelcolor=FAINT)
    if bottom is not None:
        axes.set_ylim(bottom, 1.02)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(RULE)
