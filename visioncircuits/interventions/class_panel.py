"""Which classes suffer most and least, as a picture."""

import textwrap
from typing import Any

import matplotlib
import numpy as np
import xarray as xr
from matplotlib.ticker import MaxNLocator

from visioncircuits.figures import FAINT, INK, RULE, Drawn, axes_or_new
from visioncircuits.interventions.class_damage import ClassDamage
from visioncircuits.numbers import whole

_LOSS, _GAIN, _DRAW = "#ca0020", "#0571b0", "#b6bac0"

_STYLE: Any = {"font.size": 8, "axes.titlesize": 9, "axes.labelsize": 8}

_TITLES = {
    "cross_entropy": "rise in cross-entropy on a class's photographs, nats",
    "logit": "fall of a class's logit on all photographs",
}


@matplotlib.rc_context(_STYLE)
def class_panel(damage: ClassDamage, *, most: int = 10, ax: Drawn | None = None) -> Drawn:
    """Draw the classes that suffer most and those that suffer least, with 95 % intervals.

    Parameters
    ----------
    damage
        From `damage_by_class`. Red and blue classes differ from the control draws at q < 0.05, the
        others are white; the draws themselves are gray.
    most
        How many classes at each end.
    ax
        Axes to draw into; by default those of a new `Figure`.

    Returns
    -------
    Figure or Axes
        The axes that were given, or the new figure; `.save(path)` writes it.

    Examples
    --------
    >>> import torch
    >>> from visioncircuits.datasets import photographs
    >>> from visioncircuits.interventions import ablate, damage_by_class
    >>> from visioncircuits.networks import untrained
    >>> pictures = photographs(torch.rand(2, 3, 64, 64), labels=[281, 207])
    >>> scores = ablate(untrained("bvlc_googlenet"), "mixed5a:7", pictures)
    >>> figure = class_panel(damage_by_class(scores), most=3)
    >>> [len(axes.get_yticklabels()) for axes in figure.axes]
    [6]
    """
    whole("most", most, least=1)
    ordered = damage.sortby("effect", ascending=False)
    count = ordered.sizes["label"]
    places = [n for n in range(count) if n < most or n >= count - most]
    shown = ordered.isel(label=places)
    split = count > len(places)
    heights = np.arange(len(places)) + np.where(split & (np.arange(len(places)) >= most), 0.8, 0)
    axes, drawn = axes_or_new(ax, (6.8, 0.21 * len(places) + 1.25))
    for height, place in zip(heights, range(len(places)), strict=True):
        _draw(axes, height, shown.isel(label=place))
    axes.axvline(0, color=RULE, lw=0.8, zorder=0)
    axes.set_yticks(heights, [str(label) for label in shown["label"].values])
    axes.set_ylim(heights[-1] + 0.7, -0.7)
    if split:
        axes.text(
            0, heights[most] - 0.9, f"… {count - len(places)} others", color=FAINT, fontsize=7,
            ha="center", va="center", bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
        )  # fmt: skip
    axes.tick_params(length=0, labelcolor=INK)
    axes.spines[:].set_visible(False)
    axes.grid(axis="x", color="#eceef0", lw=0.6)
    axes.set_axisbelow(True)
    draws = ordered.sizes["draw"]
    beyond = f"beyond the mean of {draws} control draws (gray)" if draws else "of the original"
    line = int(13 * axes.get_window_extent().width / axes.figure.dpi)  # characters
    axes.xaxis.set_major_locator(MaxNLocator(max(line // 13, 2)))
    what = f"{_TITLES[ordered.attrs['measure']]}, {beyond}"
    axes.set_xlabel(textwrap.fill(what, line), color=INK, loc="right")
    found = int((ordered["q"] < 0.05).sum())
    title = f"{ordered.attrs['condition']}: {found} of {count} classes differ at q < 0.05 (filled)"
    axes.set_title(textwrap.fill(title, line), loc="left", color=INK)
    return drawn


def _draw(axes: Any, height: float, row: xr.Dataset) -> None:
    effect, low, high = (float(row[name]) for name in ("effect", "low", "high"))
    clear = float(row["q"]) < 0.05
    color = (_LOSS if effect > 0 else _GAIN) if clear else INK
    draws = row["draws"].values
    axes.plot(draws, np.full(len(draws), height), "o", color=_DRAW, ms=3.5, mew=0)
    if low <= high:
        axes.plot([low, high], [height, height], color=color, lw=1.2, solid_capstyle="butt")
    axes.plot([effect], [height], "o", color=color, mfc=color if clear else "white", ms=4.5)
