"""A trained curve network as a picture: its units' kernels and tuning, and where directions lie."""

import matplotlib
import numpy as np
import xarray as xr
from matplotlib.axes import Axes

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
from visioncircuits.toy.curve_measures import curve_tuning, preferences
from visioncircuits.toy.curves import orientations_of

_SIDE, _GAP, _EDGE = 0.9, 0.22, 0.12
"""Inches of a unit's kernel and of its tuning, between units, and at the border."""

_HEAD, _SQUARE = 0.42, 2.0
"""Inches above a row, and of the two plots below."""


def curve_panel(
    solutions: xr.Dataset, *, instance: int = 0, figure: Canvas | None = None
) -> Canvas:
    """Draw what the units of a curve network are, and how its orientations share them.

    Above, each unit's kernel, and below it its tuning curve around the circle, 0° at the right and
    90° at the bottom, as orientations are on the screen; beside its number, how many separate
    ranges of orientation it prefers. Below, what is read of each orientation for every curve,
    before the bias, and the directions of the orientations on their first two principal components,
    in the colors of the ticks and joined in order: a circle, if neighbors lie side by side.

    Parameters
    ----------
    solutions
        From `train`, of `CurveNetwork` or `LinearCurveNetwork`.
    instance
        Which.
    figure
        To draw into; by default a new `Figure`.

    Raises
    ------
    InputError
        For solutions of other models, or where the figure has no room.

    Examples
    --------
    >>> from visioncircuits.toy import CurveNetwork, Task, train
    >>> found = train([Task(features=8, hidden=3)], model=CurveNetwork, steps=2, batch=32)
    >>> len(curve_panel(found).axes)
    8
    """
    one = solutions.isel(instance=instance)
    tuning = curve_tuning(solutions).isel(instance=instance)
    units = one.sizes["hidden"]
    across = max(units * (_SIDE + _GAP), 2 * _SQUARE + 1.3) + 2 * _EDGE
    high = _HEAD + 2 * _SIDE + 0.2 + _HEAD + _SQUARE + 0.45
    canvas = figure_or_new(figure, (across, high))
    scale = min(inches(canvas)[0] / across, inches(canvas)[1] / high)
    counts = preferences(tuning.values)
    most = float(np.abs(one["kernels"].values).max())
    for unit in range(units):
        left = _EDGE + unit * (_SIDE + _GAP)
        place = (left * scale, _HEAD * scale, _SIDE * scale, _SIDE * scale)
        shown = _plain(add_axes(canvas, *place))
        shown.imshow(one["kernels"].values[unit], cmap="RdBu_r", vmin=-most, vmax=most)
        shown.set_title(f"unit {unit}: {counts[unit]}", fontsize=7.5 * scale, color=INK, pad=3)
        lower = (_HEAD + _SIDE + 0.12) * scale
        around = add_axes(canvas, place[0], lower, _SIDE * scale, _SIDE * scale)
        _around(around, tuning.orientation.values, tuning.values[unit], scale)
    heading = "Kernels, tuning, and number of separate ranges of orientation preferred"
    _words(canvas, _EDGE, 0.08, heading, scale)
    top = _HEAD + 2 * _SIDE + 0.2
    _words(canvas, _EDGE, top + 0.08, "What is read of each orientation", scale)
    lower_left = (_EDGE + 0.45) * scale, (top + _HEAD) * scale, _SQUARE * scale, _SQUARE * scale
    _read(add_axes(canvas, *lower_left), one, scale)
    start = max(across / 2, _EDGE + _SQUARE + 0.8)
    _words(canvas, start, top + 0.08, "Directions of the orientations, joined in order", scale)
    right = start * scale, (top + _HEAD) * scale, _SQUARE * scale, _SQUARE * scale
    _directions(add_axes(canvas, *right), one["weights"].values, scale)
    return canvas


def _colors(count: int) -> np.ndarray:
    """Return a color for each orientation, dark enough for text."""
    hues = matplotlib.colormaps["hsv"](orientations_of(count) / 360)
    return np.asarray(hues) * [0.8, 0.8, 0.8, 1.0]


def _words(figure: AnyFigure, left: float, top: float, text: str, scale: float) -> None:
    add_text(figure, left * scale, top * scale, text, va="top", fontsize=8 * scale, color=FAINT)


def _plain(axes: Axes) -> Axes:
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_color(RULE)
    axes.spines[:].set_linewidth(0.5)
    return axes


def _around(axes: Axes, orientations: np.ndarray, values: np.ndarray, scale: float) -> None:
    """Draw a tuning curve around the circle, its peak at the radius 1; y is down."""
    angle = np.radians(np.append(orientations, orientations[0]))
    ring = np.linspace(0, 2 * np.pi, 100)
    axes.plot(np.cos(ring), np.sin(ring), color=RULE, linewidth=0.5)
    axes.plot(np.cos(ring) / 2, np.sin(ring) / 2, color=RULE, linewidth=0.4)
    radius = np.append(values, values[0]).clip(0) / (values.max() if values.max() > 0 else 1)
    axes.fill(radius * np.cos(angle), radius * np.sin(angle), color=INK, alpha=0.15, linewidth=0)
    axes.plot(radius * np.cos(angle), radius * np.sin(angle), color=INK, linewidth=1.0 * scale)
    axes.set(xlim=(-1.08, 1.08), ylim=(1.08, -1.08), aspect="equal")
    axes.set_axis_off()


def _read(axes: Axes, one: xr.Dataset, scale: float) -> None:
    products = one["output_weights"].values @ one["weights"].values
    most = float(np.abs(products).max()) or 1.0
    axes.imshow(products, cmap="RdBu_r", vmin=-most, vmax=most)
    count = len(products)
    ticks = np.arange(0, count, max(count // 4, 1))
    names = [f"{each:.0f}°" for each in orientations_of(count)[ticks]]
    axes.set_xticks(ticks, names, fontsize=6.5 * scale)
    axes.set_yticks(ticks, names, fontsize=6.5 * scale)
    for labels in (axes.get_xticklabels(), axes.get_yticklabels()):
        for label, color in zip(labels, _colors(count)[ticks], strict=True):
            label.set_color(color)
    axes.tick_params(length=2, color=RULE)
    axes.spines[:].set_color(RULE)
    axes.set_xlabel("curve", fontsize=7 * scale, color=FAINT, labelpad=2)
    axes.set_ylabel("read as", fontsize=7 * scale, color=FAINT, labelpad=2)


def _directions(axes: Axes, weights: np.ndarray, scale: float) -> None:
    points = weights.T - weights.mean(1)
    two = np.linalg.svd(points, full_matrices=False)[2][:2]
    x, y = two @ points.T
    order = np.arange(len(x) + 1) % len(x)
    axes.plot(x[order], y[order], color=RULE, linewidth=0.8, zorder=1)
    axes.scatter(x, y, c=_colors(len(x)), s=30 * scale**2, zorder=2, linewidths=0)
    reach = 1.25 * float(np.abs([x, y]).max()) or 1.0
    axes.set(xlim=(-reach, reach), ylim=(reach, -reach))
    _plain(axes)
