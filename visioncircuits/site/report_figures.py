"""The figures of a comparison's report: tuning, kernels, and the damage that is repaired."""

import io
from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
import xarray as xr
from matplotlib.ticker import PercentFormatter

from visioncircuits.comparison import Comparison
from visioncircuits.figures import Figure
from visioncircuits.weights import signed_colors

STYLE: Any = {"font.size": 8, "axes.titlesize": 8, "axes.labelsize": 8}

INK, SOFT, RULE = "#1b1c1e", "#63676d", "#e3e4e6"


@matplotlib.rc_context(STYLE)
def tuning_figure(comparison: Comparison) -> Figure:
    """Draw every trained unit's responses to curves beside its counterpart's, as heat maps."""
    tuned = comparison.tuning["curves"]
    count = len(comparison.trained)
    figure = _figure(9.6, 0.52 * count + 0.9)
    axes = figure.subplots(count, 2, squeeze=False)
    sides = (("trained", tuned.trained), ("handwritten", tuned.handwritten))
    names = (comparison.trained.names, comparison.handwritten.names)
    for column, (which, responses) in enumerate(sides):
        surfaces = responses.transpose("unit", "radius", "orientation").values.clip(0)
        for row, surface in enumerate(surfaces):
            panel = axes[row, column]
            panel.imshow(
                surface,
                aspect="auto",
                cmap=_turbo_on_black(),
                vmin=0,
                vmax=surface.max() or 1,
                extent=(-5, 355, 4, 0),
                interpolation="nearest",
            )
            panel.set_yticks([])
            panel.set_xticks(range(0, 360, 90) if row == count - 1 else [])
            panel.set_ylabel(names[column][row], rotation=0, ha="right", va="center")
            for spine in panel.spines.values():
                spine.set_visible(False)
        axes[0, column].set_title(which, loc="left")
        axes[-1, column].set_xlabel("orientation, degrees")
    return figure


def _turbo_on_black() -> Any:
    colors = matplotlib.colormaps["turbo"].with_extremes(under="black", bad="black")
    table = colors(np.linspace(0, 1, 256))
    table[0] = (0, 0, 0, 1)
    return matplotlib.colors.ListedColormap(table)


@matplotlib.rc_context(STYLE)
def kernel_figure(comparison: Comparison) -> Figure:
    """Draw every kernel from early curves to curves, the trained above the handwritten."""
    connected = comparison.kernels
    assert connected is not None
    kernels = [_over_largest(each.values) for each in (connected.trained, connected.handwritten)]
    targets, sources = kernels[0].shape[:2]
    figure = _figure(0.42 * sources + 1.3, 0.92 * targets + 0.5)
    axes = figure.subplots(2 * targets, sources, squeeze=False)
    for row in range(targets):
        for column in range(sources):
            for below in (0, 1):
                panel = axes[2 * row + below, column]
                panel.imshow(signed_colors(kernels[below][row, column], 1.0))
                panel.set_xticks([])
                panel.set_yticks([])
                for spine in panel.spines.values():
                    spine.set_edgecolor(RULE)
        name = str(connected.trained["target"].values[row])
        axes[2 * row, 0].set_ylabel(name, rotation=0, ha="right", va="center")
        axes[2 * row + 1, 0].set_ylabel("by hand", rotation=0, ha="right", va="center", color=SOFT)
    for column, source in enumerate(connected.trained["source"].values):
        axes[0, column].set_title(str(source).rpartition(":")[2])
    return figure


def _over_largest(kernels: np.ndarray) -> np.ndarray:
    """Scale each target's kernels to its largest weight, so that units can be compared."""
    largest: np.ndarray = np.abs(kernels).max((1, 2, 3), keepdims=True)
    scaled: np.ndarray = kernels / largest
    return scaled


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
