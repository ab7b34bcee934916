"""The figure of the damage that is repaired, in a comparison's report."""

import io
from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
import xarray as xr
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter

from visioncircuits.figures import Figure
from visioncircuits.interventions import repair, strictest

STYLE: Any = {"font.size": 8, "axes.titlesize": 8, "axes.labelsize": 8}

INK, SOFT = "#1b1c1e", "#63676d"


OVER = {"zero": "zero", "mean": "the mean", "resample": "another photograph"}
"""A name for each baseline."""

MARKS = {"zero": "o", "mean": "D", "resample": "s"}


@matplotlib.rc_context(STYLE)
def repair_figure(scores: xr.Dataset, conditions: Sequence[str]) -> Figure:
    """Draw how much of the damage each condition repairs; the first in blue.

    Full marks with intervals are over the strictest baseline, hollow ones over the others.
    """
    figure = _figure(8.2, 0.32 * len(conditions) + 1.0)
    axes = figure.subplots(1, 2, sharey=True)
    chosen = strictest(scores)
    shares = {
        name: repair(scores, over=name) for name in MARKS if name in scores["condition"].values
    }
    low, high = -0.5, 1.15
    for panel, (name, title) in zip(
        axes,
        (("cross_entropy", "cross-entropy"), ("divergence", "divergence from original")),
        strict=True,
    ):
        for row, condition in enumerate(conditions):
            color = INK if row else "#0571B0"
            for baseline, found in shares.items():
                mean, least, most = found[name].sel(condition=condition).values
                full = baseline == chosen
                if full:
                    panel.plot([max(least, low), min(most, high)], [row, row], color=color, lw=2)
                panel.plot(
                    [np.clip(mean, low, high)],
                    [row],
                    MARKS[baseline],
                    color=color if full else SOFT,
                    mfc=color if full else "white",
                    ms=5 if full else 4,
                    mew=0.8,
                    zorder=3 if full else 2,
                )
        panel.axvline(0, color=SOFT, lw=0.8, zorder=0)
        panel.axvline(1, color=SOFT, lw=0.8, ls=(0, (3, 3)), zorder=0)
        panel.set_xlim(low - 0.05, high)
        panel.set_title(title, loc="left")
        panel.set_xticks([low, 0, 0.5, 1])
        panel.xaxis.set_major_formatter(PercentFormatter(1.0))
        panel.set_yticks(range(len(conditions)), conditions)
        panel.invert_yaxis() if panel is axes[0] else None
        for side in ("top", "right", "left"):
            panel.spines[side].set_visible(False)
        panel.tick_params(axis="y", length=0)
    marks = [
        Line2D(
            [],
            [],
            ls="",
            marker=MARKS[name],
            color=INK,
            mfc=INK if name == chosen else "w",
            ms=4,
            label=f"over {OVER[name]}{' (strictest)' if name == chosen else ''}",
        )
        for name in shares
    ]
    figure.legend(handles=marks, loc="outside lower right", ncols=len(marks), frameon=False)
    return figure


def _figure(width: float, height: float) -> Figure:
    return Figure(figsize=(width, height), dpi=150, layout="constrained")


def rendered(figure: Figure, kind: str) -> bytes:
    """Render a figure to a file of this kind, "png" or "svg", the same bytes each time."""
    buffer = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "visioncircuits", "svg.fonttype": "path"}):
        metadata = {"Date": None} if kind == "svg" else {"Software": None}
        figure.savefig(buffer, format=kind, metadata=metadata)
    return buffer.getvalue()
