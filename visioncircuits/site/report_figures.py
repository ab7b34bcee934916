"""The figure of the damage that is repaired, in a comparison's report."""

import io
from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
import xarray as xr
from matplotlib.ticker import PercentFormatter

from visioncircuits.figures import Figure

STYLE: Any = {"font.size": 8, "axes.titlesize": 8, "axes.labelsize": 8}

INK, SOFT = "#1b1c1e", "#63676d"


@matplotlib.rc_context(STYLE)
def repair_figure(found: xr.Dataset, conditions: Sequence[str]) -> Figure:
    """Draw how much of the damage each condition repairs, with intervals; the first in blue."""
    figure = _figure(8.2, 0.32 * len(conditions) + 0.7)
    axes = figure.subplots(1, 2, sharey=True)
    for panel, (name, title) in zip(
        axes,
        (("cross_entropy", "cross-entropy"), ("divergence", "divergence from original")),
        strict=True,
    ):
        low, high = -0.5, 1.15
        for row, condition in enumerate(conditions):
            mean, least, most = found[name].sel(condition=condition).values
            color = INK if row else "#0571B0"
            panel.plot([max(least, low), min(most, high)], [row, row], color=color, lw=2)
            panel.plot([np.clip(mean, low, high)], [row], "o", color=color, ms=5)
        panel.axvline(0, color=SOFT, lw=0.8)
        panel.axvline(1, color=SOFT, lw=0.8, ls=(0, (3, 3)))
        panel.set_xlim(low - 0.05, high)
        panel.set_title(title, loc="left")
        panel.set_xticks([low, 0, 0.5, 1])
        panel.xaxis.set_major_formatter(PercentFormatter(1.0))
        panel.set_yticks(range(len(conditions)), conditions)
        panel.invert_yaxis() if panel is axes[0] else None
        for side in ("top", "right", "left"):
            panel.spines[side].set_visible(False)
        panel.tick_params(axis="y", length=0)
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
