"""A discovered circuit as a picture: how much so many parts keep, beside random ones."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, NullLocator, PercentFormatter

from visioncircuits.attribution.discovery import Discovery
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

_FOUND, _RANDOM = "#0571b0", "#8a8f96"


def discovery_panel(found: Discovery, *, listed: int = 16, figure: Canvas | None = None) -> Canvas:
    """Draw what parts keep of a feature's behavior against their number, and the strongest.

    Parameters
    ----------
    found
        From `discover`.
    listed
        How many of the parts that were kept are listed.
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
    >>> from visioncircuits.attribution import discover
    >>> from visioncircuits.networks import Preprocessing, wrap
    >>> layers = nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 2, 3)
    >>> network = wrap(nn.Sequential(*layers), Preprocessing(), size=24)
    >>> found = discover(network, "1", "2:0", torch.rand(6, 3, 28, 28), draws=2)
    >>> curve, bars = discovery_panel(found, listed=3).axes
    """
    figure = figure_or_new(figure, (9.6, 4.4))
    width, height = inches(figure)
    left, names, right, top, foot = 0.67, 2.1, 0.3, 0.84, 0.57
    add_text(figure, left, 0.31, found.target, fontsize=13, color=INK, weight="bold")
    add_text(figure, left, 0.53, _summary(found), fontsize=9, color=FAINT)
    wide, high = width - left - names - right, height - top - foot
    _curve(add_axes(figure, left, top, 0.735 * wide, high), found)
    bars = add_axes(figure, width - right - 0.265 * wide, top, 0.265 * wide, high)
    _strongest(bars, found, listed)
    return figure


def _summary(found: Discovery) -> str:
    low, high = found.interval
    return (
        f"{len(found.kept)} of {found.attribution.size} units of {found.source} keep "
        f"{float(found.explained.sel(half='held-out')):.0%} ({low:.0%} … {high:.0%}) of its "
        f"variance on pictures held out; as many random ones {float(found.random.mean()):.0%}"
    )


def _curve(axes: Axes, found: Discovery) -> None:
    sizes = found.curve["size"].values
    draws = np.clip(found.random_curve.values, 0, 1)
    axes.fill_between(sizes, *np.quantile(draws, [0.025, 0.975], axis=0), color="#e6e8eb", lw=0)
    axes.plot(sizes, draws.mean(0), color=_RANDOM, lw=1.2)
    for half, line in (("selection", (0, (1, 1.5))), ("held-out", "-")):
        kept = np.clip(found.curve.sel(half=half).values, 0, 1)
        axes.plot(sizes, kept, color=_FOUND, ls=line, lw=1.6 if half == "held-out" else 1)
    axes.axhline(found.share, color=RULE, lw=0.8, zorder=0)
    count, value = len(found.kept), float(found.explained.sel(half="held-out"))
    low, high = found.interval
    axes.plot([count, count], [low, high], color="#ca0020", lw=1.4)
    axes.plot([count], [value], "o", color="#ca0020", ms=5)
    axes.annotate(
        f"{count} chosen by ablation", (count, value), (-8, 6), textcoords="offset points",
        fontsize=8, color="#ca0020", ha="right",
    )  # fmt: skip
    early, late = len(sizes) // 3, -3
    axes.annotate(
        "first by attribution", (sizes[early], np.clip(found.curve[1, early], 0, 1)), (9, -9),
        textcoords="offset points", fontsize=8, color=_FOUND, va="center",
    )  # fmt: skip
    axes.annotate(
        "random", (sizes[late], draws.mean(0)[late]), (9, -12),
        textcoords="offset points", fontsize=8, color=FAINT,
    )  # fmt: skip
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_locator(FixedLocator(_ticks(int(sizes[-1]))))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.set_ylim(0, 1.02)
    axes.set_xlim(1, sizes[-1])
    axes.set_xlabel("units left as they are, all others at their mean", fontsize=8, color=INK)
    axes.set_title(
        "explained variance of the activation; dotted: of the pictures that they were chosen on",
        fontsize=8, color=FAINT, loc="left",
    )  # fmt: skip
    _plain(axes)


def _ticks(most: int) -> list[int]:
    """Choose powers of 2, and the end.

    Examples
    --------
    >>> _ticks(192)
    [1, 2, 4, 8, 16, 32, 64, 192]
    """
    powers = [2**step for step in range(most.bit_length())]
    return [power for power in powers if power <= most / 1.6] + [most]


def _strongest(axes: Axes, found: Discovery, listed: int) -> None:
    parts = [str(part) for part in found.attribution["part"].values if str(part) in found.kept]
    shown = parts[:listed]
    values = found.attribution.sel(part=shown).values
    axes.barh(range(len(shown)), values, color=_FOUND, height=0.66)
    axes.set_yticks(range(len(shown)), shown)
    axes.set_ylim(max(len(shown), 6) - 0.4, -0.6)
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.set_xlabel("mean square effect, of the variance", fontsize=8, color=INK)
    axes.set_title(f"the strongest of {len(parts)}", fontsize=8, color=FAINT, loc="left")
    _plain(axes)
    axes.tick_params(axis="y", length=0, labelcolor=INK)


def _plain(axes: Axes) -> None:
    axes.tick_params(labelsize=7, color=FAINT, labelcolor=FAINT)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(RULE)
