"""The radial panel: a family's tuning to orientation, wrapped around one circle."""

from typing import Any

import numpy as np
import xarray as xr
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.patches import Circle
from scipy.interpolate import PchipInterpolator

from visioncircuits.errors import InputError
from visioncircuits.figures import FAINT, INK, RULE, Drawn, axes_or_new
from visioncircuits.tuning import orientation
from visioncircuits.tuning.plots import Thumbnails, hsl, number, quantity

INNER, OUTER = 0.3, 1.75
"""Radii of the disc in the middle and of the circle around, the highest response being 1."""

DEGREES = 1.36
"""Radius at which the angles are written: between the curves and the units."""

THUMBNAIL = 0.24
"""Radius of a thumbnail, where the circle has room for all."""


def radial_panel(
    responses: xr.DataArray,
    thumbnails: Thumbnails | None = None,
    *,
    title: str = "",
    ax: Drawn | None = None,
) -> Drawn:
    """Draw a family's radial tuning curves over one another, as in "Curve Detectors".

    A unit's curve is its distance from the disc in the middle; all curves have the scale written
    below. A curve's hue is its peak orientation, where its unit is drawn on the circle around.
    Orientations run clockwise from the right. Curves with a period of 180 degrees, as lines have,
    are drawn twice around.

    Parameters
    ----------
    responses
        From `measure`, of a family; one of the axes is `orientation`. Their attribute `units` is
        written at the scale, by default "activation".
    thumbnails
        A picture of each unit, by its name.
    title
        Written above.
    ax
        Axes to draw into; by default those of a new `Figure`, 5 inches wide.

    Returns
    -------
    Axes or Figure
        `ax`, or the figure; `.save(path)` writes it.

    Raises
    ------
    InputError
        As `radial_tuning`; where no response is above 0, and if `ax` is not axes.

    Notes
    -----
    The published drawing's proportions and colors (Cammarata et al., 2020).

    Examples
    --------
    >>> angles = np.arange(0, 360, 15)
    >>> responses = xr.DataArray(
    ...     np.exp(4 * np.cos(np.radians(angles - np.array([[30], [200]])))),
    ...     coords={"unit": ["a:0", "a:1"], "orientation": angles},
    ...     dims=("unit", "orientation"),
    ... )
    >>> radial_panel(responses).get_size_inches().tolist()
    [5.0, 5.4]

    Two families beside each other:

    >>> from visioncircuits.figures import Figure
    >>> figure = Figure(figsize=(7, 3.8), layout="constrained")
    >>> left, right = figure.subplots(1, 2)
    >>> radial_panel(responses, title="one network", ax=left) is left
    True
    """
    numbers = orientation.orientation_tuning(responses)
    curves = orientation.radial_tuning(responses)
    driven = np.isfinite(numbers["peak"].values)
    if not driven.any():
        raise InputError(
            "none of these units responds to any of the stimuli, so there is nothing to draw; "
            "choose other units or other stimuli"
        )
    period = orientation.period(responses)
    highest = float(numbers["peak"].max())
    peaks = numbers["orientation"].values

    axes, drawn = axes_or_new(ax, (5.0, 5.4))
    _ground(axes)
    # The highest first, so that no curve hides a smaller one.
    for place in np.argsort(-numbers["peak"].fillna(-1).values, kind="stable"):
        if driven[place]:
            share, first = curves.values[place] / highest, float(curves["orientation"][0])
            x, y = outline(share, first=first, period=period).T
            hue = float(peaks[place]) * 360 / period
            axes.fill(x, y, facecolor=(*hsl(hue, 0.66, 0.6), 0.4), edgecolor="none")
            axes.plot(x, y, color=hsl(hue, 0.96, 0.3), linewidth=0.9)
    _units(axes, numbers.isel(unit=driven), period, thumbnails or {})
    caption = f"farthest from the disc: {number(highest)},\nmean positive {quantity(responses)}"
    axes.text(
        0.5, 0, caption, transform=axes.transAxes, ha="center", va="top", color=FAINT, fontsize=7.5
    )
    limit = OUTER + 2.5 * THUMBNAIL  # which a layout may extend, but no artist
    axes.dataLim.set_points(np.array([[-limit, -limit], [limit, limit]]))
    axes.set_autoscale_on(True)
    axes.margins(0)
    if title:
        axes.set_title(title, loc="left", color=INK, fontsize=10, weight="bold")
    return drawn


def _ground(axes: Axes) -> None:
    """Draw the background: the outer circle, the cross-hair and the inner disc."""
    limit = OUTER + 2.5 * THUMBNAIL
    axes.set(xlim=(-limit, limit), ylim=(limit, -limit))
    axes.set_aspect("equal", adjustable="datalim")  # a constrained layout knows the axes' box
    axes.set_autoscale_on(False)
    axes.axis("off")
    dashed: dict[str, Any] = {"linestyle": (0, (3, 3)), "linewidth": 0.7, "zorder": 0.5}
    axes.add_patch(Circle((0, 0), OUTER, fill=False, edgecolor=RULE, **dashed))
    for ends in ([-OUTER, OUTER], [0, 0]), ([0, 0], [-OUTER, OUTER]):
        axes.plot(*ends, color=RULE, **dashed)
    axes.add_patch(Circle((0, 0), INNER, facecolor="#f1f2f4", edgecolor=RULE, zorder=3))
    paper = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
    for angle in (0, 90, 180, 270):
        at = _at(angle, DEGREES)
        how: dict[str, Any] = {
            "fontsize": 5.5,
            "ha": "center",
            "va": "center",
            "zorder": 3,
            "bbox": paper,
        }
        axes.text(*at, f"{angle}°", color=FAINT, **how)


def outline(
    curve: Float[np.ndarray, " angles"], *, first: float, period: float, step: float = 1.0
) -> Float[np.ndarray, "points 2"]:
    """Wrap a tuning curve around the disc.

    The interpolation goes through all values and does not overshoot them.

    Parameters
    ----------
    curve
        Values at equal steps around the period, the family's highest being 1.
    first
        The orientation of the first, in degrees.
    period
        In degrees; 180 goes around twice.
    step
        Degrees between the outline's points.

    Returns
    -------
    ndarray
        Points `(x, y)` from the middle, y down, the first repeated at the end.

    Examples
    --------
    >>> outline(np.array([1.0, 0, 0, 0]), first=0, period=360, step=90).round(2).tolist()
    [[1.3, 0.0], [0.0, 0.3], [-0.3, 0.0], [-0.0, -0.3], [1.3, -0.0]]
    """
    steps = len(curve)
    # Three periods, so that the ends join smoothly.
    angles = first % period + np.arange(-steps, 2 * steps) * (period / steps)
    around = np.arange(0, 360 + step, step)
    heights = PchipInterpolator(angles, np.tile(curve, 3))(around % period)
    return np.stack(_at(around, INNER + heights), -1)


def _units(axes: Axes, numbers: xr.Dataset, period: float, thumbnails: Thumbnails) -> None:
    """Draw each unit on the circle at its peak, or as near to it as there is room."""
    peaks, names = numbers["orientation"].values, [str(name) for name in numbers["unit"].values]
    heights = INNER + numbers["peak"].values / float(numbers["peak"].max())
    if period < 360:  # a unit has two peaks: neighbors take one each
        peaks = peaks + period * (np.argsort(np.argsort(peaks, kind="stable")) % 2)
    radius = min(THUMBNAIL, np.pi * OUTER / len(names) * 0.95)
    apart = float(np.degrees(2 * np.arcsin(radius * 1.04 / OUTER)))
    for name, peak, height, angle in zip(names, peaks, heights, _spread(peaks, apart), strict=True):
        color = hsl(float(peak) * 360 / period, 0.8, 0.45)
        (x, y), tip, near = _at(angle, OUTER), _at(peak, height), _at(angle, OUTER - radius)
        axes.plot([tip[0], near[0]], [tip[1], near[1]], color=color, linewidth=0.6, alpha=0.7)
        axes.add_patch(Circle((x, y), radius, facecolor="white", edgecolor="none", zorder=4))
        ring = Circle((x, y), radius, fill=False, edgecolor=color, linewidth=1.5, zorder=6)
        axes.add_patch(ring)
        label = (x, y)
        if name in thumbnails:
            extent = (x - radius, x + radius, y + radius, y - radius)
            shown = axes.imshow(thumbnails[name].convert("RGB"), extent=extent, zorder=5)
            shown.set_clip_path(Circle((x, y), radius, transform=axes.transData))
            label = _at(angle, OUTER + radius + 0.2)
        short = name.rsplit(":", 1)[-1]
        axes.text(*label, short, color=INK, fontsize=7, ha="center", va="center", zorder=7)


def _spread(angles: np.ndarray, apart: float) -> np.ndarray:
    """Move angles so that all are at least `apart` from their neighbors."""
    order = np.argsort(angles, kind="stable")
    placed = angles[order].astype(np.float64)
    for _ in range(200 if len(placed) > 1 else 0):
        gaps = np.diff(placed, append=placed[0] + 360)
        push = np.clip(apart - gaps, 0, None) / 2
        placed += np.roll(push, 1) - push
    spread = np.empty_like(placed)
    spread[order] = placed
    return spread


def _at(angle: Any, radius: Any) -> tuple[Any, Any]:
    """Convert polar to page coordinates `(x, y)`, y down."""
    radians = np.radians(angle)
    return radius * np.cos(radians), radius * np.sin(radians)
