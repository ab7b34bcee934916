"""Two families side by side as a picture: heat maps of responses, or kernels."""

from typing import Any

import matplotlib
import numpy as np
import xarray as xr

from visioncircuits.comparison.similarity import Compared
from visioncircuits.errors import InputError
from visioncircuits.figures import FAINT, INK, Canvas, add_axes, figure_or_new, inches
from visioncircuits.weights import signed_colors

_STYLE: Any = {"font.size": 8, "axes.titlesize": 8, "axes.labelsize": 8}

_NAMES = 0.95
"""Inches for the names of units."""

_SIDE = 21
"""Pixels of a kernel, at least."""


@matplotlib.rc_context(_STYLE)
def compared_panel(compared: Compared, *, figure: Canvas | None = None) -> Canvas:
    """Draw what was compared: the trained family's on the left or above, the other's beside it.

    Parameters
    ----------
    compared
        From `compare_tuning`, drawn as a heat map a unit, each relative to its strongest response;
        or from `compare_kernels`, drawn as kernels, each target's relative to its largest weight.

    figure
        A figure or subfigure to draw into; by default a new `Figure`.

    Returns
    -------
    Figure or SubFigure
        The one that was given, or the new one; `.save(path)` writes it.

    Examples
    --------
    >>> from visioncircuits.comparison import compare_kernels, family
    >>> from visioncircuits.handwritten import curves
    >>> network = curves()
    >>> two = family(network, ["mixed3b:3", "mixed3b:9"], "curve")
    >>> early = family(network, ["mixed3a:3", "mixed3a:9"], "curve")
    >>> figure = compared_panel(compare_kernels(two, early, two, early))
    >>> [label.get_text() for label in figure.axes[0].get_yticklabels()]
    ['mixed3b:3', 'by hand', 'mixed3b:9', 'by hand']
    """
    if not compared.trained.size:
        raise InputError("there is no unit to draw")
    kernels = "target" in compared.trained.dims
    return _kernels(compared, figure) if kernels else _responses(compared, figure)


def _responses(compared: Compared, figure: Canvas | None) -> Canvas:
    count = compared.trained.sizes["unit"]
    figure = figure_or_new(figure, (9.6, 0.52 * count + 0.75))
    width, height = inches(figure)
    wide, high = width / 2 - _NAMES - 0.15, (height - 0.75) / count
    lefts = _NAMES, width / 2 + _NAMES
    axes = np.array([
        [add_axes(figure, left, 0.25 + row * high, wide, 0.9 * high) for left in lefts]
        for row in range(count)
    ])  # fmt: skip
    sides = (("trained", compared.trained), ("handwritten", compared.handwritten))
    for column, (which, responses) in enumerate(sides):
        axis = _across(responses)
        around = responses.transpose("unit", ..., axis)
        steps = around[axis].values
        for row, values in enumerate(np.nan_to_num(around.values).clip(0)):
            panel, surface = axes[row, column], values.reshape(-1, len(steps))
            panel.imshow(
                surface,
                aspect="auto",
                cmap=_turbo_on_black(),
                vmin=0,
                vmax=surface.max() or 1,
                extent=(-0.5, len(steps) - 0.5, len(surface), 0),
                interpolation="nearest",
            )
            panel.set_yticks([])
            panel.set_xticks([])
            name = str(around["unit"].values[row])
            panel.set_ylabel(name, rotation=0, ha="right", va="center")
            panel.spines[:].set_visible(False)
        marked = range(0, len(steps), max(len(steps) // 4, 1))
        axes[-1, column].set_xticks(marked, [_text(steps[place]) for place in marked])
        axes[0, column].set_title(which, loc="left")
        axes[-1, column].set_xlabel(f"{axis}, degrees" if axis == "orientation" else axis)
    return figure


def _across(responses: xr.DataArray) -> str:
    """Choose the axis that is drawn across: the orientation, else the longest."""
    axes = {str(dim): size for dim, size in responses.sizes.items() if dim != "unit"}
    return "orientation" if "orientation" in axes else max(axes, key=lambda axis: axes[axis])


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, int | float | np.number) else str(value)


def _turbo_on_black() -> Any:
    table = matplotlib.colormaps["turbo"](np.linspace(0, 1, 256))
    table[0] = (0, 0, 0, 1)
    return matplotlib.colors.ListedColormap(table)


def _kernels(compared: Compared, figure: Canvas | None) -> Canvas:
    """Draw all kernels as one image: matplotlib takes seconds for hundreds of axes."""
    rows = [_row(kernels) for pair in zip(*map(_drawn, (compared.trained, compared.handwritten)),
                                          strict=True) for kernels in pair]  # fmt: skip
    height, width = len(rows[0]), len(rows[0][0]) // compared.trained.sizes["source"]
    sources = compared.trained["source"].values
    size = 0.42 * len(sources) + _NAMES + 0.15, 0.44 * len(rows) + 0.4
    figure = figure_or_new(figure, size)
    wide, high = inches(figure)
    axes = add_axes(figure, _NAMES, 0.3, wide - _NAMES - 0.15, high - 0.4)
    axes.imshow(np.concatenate(rows), interpolation="nearest")
    names = [n for target in compared.trained["target"].values for n in (str(target), "by hand")]
    axes.set_yticks([height * (row + 0.5) for row in range(len(rows))], names)
    axes.set_xticks(
        [width * (column + 0.5) for column in range(len(sources))],
        [str(source).rpartition(":")[2] for source in sources],
    )
    axes.xaxis.tick_top()
    axes.tick_params(length=0, labelcolor=INK)
    for label in axes.get_yticklabels()[1::2]:
        label.set_color(FAINT)
    axes.spines[:].set_visible(False)
    return figure


def _drawn(kernels: xr.DataArray) -> np.ndarray:
    """Color kernels, each target's relative to its largest weight."""
    values = np.nan_to_num(kernels.transpose("target", "source", "y", "x").values)
    largest = np.abs(values).max((1, 2, 3), keepdims=True)
    return signed_colors(values / np.where(largest > 0, largest, 1), 1.0)


def _row(kernels: np.ndarray) -> np.ndarray:
    """Set kernels side by side, with white around each."""
    zoom = max(_SIDE // max(kernels.shape[1:3]), 1)
    large = kernels.repeat(zoom, 1).repeat(zoom, 2)
    around = np.pad(large, [(0, 0), (1, 1), (1, 1), (0, 0)], constant_values=255)
    return np.concatenate(list(around), 1)
