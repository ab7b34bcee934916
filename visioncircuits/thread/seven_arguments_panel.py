"""The seven arguments as a figure for a paper."""

import textwrap
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import xarray as xr
from PIL import Image

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
from visioncircuits.thread.seven_arguments import ARGUMENTS, SevenArguments
from visioncircuits.tuning.plots import hsl, number
from visioncircuits.weights import Connection, signed_colors

WIDTH, HIGH, TITLE, COLUMNS = 7.0, 2.0, 0.4, 4
"""Inches: of the figure, of a row of panels, of a panel's title; and panels in a row."""

_LENGTHS = {"radius": "radius (px)", "width": "width (px)", "extent": "extent (px)"}
_SMALL: dict[str, Any] = {"fontsize": 5.5, "color": FAINT}

Box = tuple[float, float, float, float]
"""Left, top, width and height in inches."""


def seven_arguments_panel(found: SevenArguments, *, figure: Canvas | None = None) -> Canvas:
    """Draw the seven arguments, each a lettered panel, 7 inches wide.

    Arguments without data are left out, and their reasons are written below.

    Parameters
    ----------
    found
        From `seven_arguments`.
    figure
        A figure or subfigure to draw into; by default a new `Figure`.

    Returns
    -------
    Figure or SubFigure
        The one that was given, or the new one; `.save(path)` writes it.

    Examples
    --------
    >>> picture = Image.new("RGB", (512, 512))
    >>> found = SevenArguments("a:0", picture, missing=dict.fromkeys(ARGUMENTS[1:], "not measured"))
    >>> [text.get_text() for text in seven_arguments_panel(found).texts][:3]
    ['a:0', 'a', 'feature visualization']
    """
    drawing: dict[str, tuple[str, Callable[[AnyFigure, Box], None]]] = {}
    if found.visualization is not None:
        drawing[ARGUMENTS[0]] = "", partial(_picture, found.visualization)
    if found.crops:
        about = f"{len(found.crops)} strongest, receptive fields"
        drawing[ARGUMENTS[1]] = about, partial(_crops, found.crops)
    if found.synthetic is not None:
        drawing[ARGUMENTS[2]] = _scale(found.synthetic), partial(_map, found.synthetic)
    if found.joint is not None:
        about = f"{found.joint.attrs['photographs']} turning photographs"
        drawing[ARGUMENTS[3]] = about, partial(_curves, found.joint)
    for name, side, connections in (
        (ARGUMENTS[4], "from", found.inputs), (ARGUMENTS[5], "to", found.outputs),
    ):  # fmt: skip
        if connections:
            end = connections[0].source if side == "from" else connections[0].target
            largest = max(float(each.kernel.abs().max()) for each in connections)
            about = f"{side} {end.layer}, weights ±{number(largest)}"
            drawing[name] = about, partial(_kernels, connections, side, found.thumbnails, largest)
    if found.handwritten is not None:
        about = f"{found.handwritten.attrs['correlation']:.2f} correlated with it"
        drawing[ARGUMENTS[6]] = about, partial(_map, found.handwritten)

    reasons = [f"without {name}: {why}" for name, why in found.missing.items()]
    notes = [line for reason in reasons for line in textwrap.wrap(reason, 120)]
    rows, foot = max(-(-len(drawing) // COLUMNS), 1), 0.1 * len(notes) + 0.08
    figure = figure_or_new(figure, (WIDTH, 0.3 + rows * HIGH + foot))
    width, height = inches(figure)
    wide, high = width / COLUMNS, (height - 0.3 - foot) / rows
    add_text(figure, 0.08, 0.08, found.unit, fontsize=9, weight="bold", color=INK, va="top")
    for place, (name, (about, draw)) in enumerate(drawing.items()):
        left, top = place % COLUMNS * wide + 0.08, place // COLUMNS * high + 0.3
        style: dict[str, Any] = {"color": INK, "va": "top"}
        add_text(figure, left, top + 0.03, "abcdefg"[place], fontsize=9, weight="bold", **style)
        add_text(figure, left + 0.15, top + 0.045, name, fontsize=7, **style)
        if about:
            add_text(figure, left + 0.15, top + 0.19, about, va="top", **_SMALL)
        draw(figure, (left, top + TITLE, wide - 0.16, high - TITLE - 0.06))
    for line, note in enumerate(notes):
        add_text(figure, 0.08, height - foot + 0.1 * line, note, va="top", **_SMALL)
    return figure


def _shown(figure: AnyFigure, box: Box, picture: Any, **options: Any) -> None:
    axes = add_axes(figure, *box)
    axes.imshow(picture, **options)
    axes.set_axis_off()


def _picture(picture: Image.Image, figure: AnyFigure, box: Box) -> None:
    left, top, wide, high = box
    side = min(wide, high)
    _shown(figure, (left, top, side, side), picture)


def _crops(crops: Sequence[np.ndarray], figure: AnyFigure, box: Box) -> None:
    left, top, wide, high = box
    across = int(np.ceil(np.sqrt(len(crops))))
    side = min(wide, high) / across
    for place, each in enumerate(crops):
        at = left + place % across * side, top + place // across * side
        _shown(figure, (*at, side * 0.95, side * 0.95), each)


def _scale(responses: xr.DataArray) -> str:
    return f"{responses.attrs['stimuli']}, activation from 0 to {number(float(responses.max()))}"


def _map(responses: xr.DataArray, figure: AnyFigure, box: Box) -> None:
    """Draw responses over orientation, across, and the second axis."""
    left, top, wide, high = box
    axes = add_axes(figure, left + 0.36, top, wide - 0.42, high - 0.32)
    (other,) = (str(dim) for dim in responses.dims if dim not in ("unit", "orientation"))
    values = responses[0].transpose(other, "orientation").values.clip(0)
    angles, rows = responses["orientation"].values, responses[other].values
    half = (angles[1] - angles[0]) / 2 if len(angles) > 1 else 90
    axes.imshow(
        values, cmap="turbo", vmin=0, vmax=values.max() or 1, aspect="auto",
        extent=(angles[0] - half, angles[-1] + half, len(rows), 0), interpolation="nearest",
    )  # fmt: skip
    each = -(-len(rows) // 6)
    axes.set_yticks(
        np.arange(len(rows))[::each] + 0.5, [number(float(value)) for value in rows[::each]]
    )
    axes.set_xticks([angle for angle in range(0, 360, 90) if angle <= angles[-1] + half])
    _labeled(axes, "orientation (°)", _LENGTHS.get(other, other))


def _curves(joint: xr.DataArray, figure: AnyFigure, box: Box) -> None:
    """Draw the unit's curve, thick, and those of its siblings, in the hue of their peaks."""
    left, top, wide, high = box
    axes = add_axes(figure, left + 0.36, top, wide - 0.42, high - 0.32)
    angles = np.append(joint["rotation"].values, 180.0)
    for place, curve in enumerate(joint.values):
        color = hsl(float(angles[curve.argmax()]), 0.85, 0.4)
        width = 1.6 if place == 0 else 0.8
        axes.plot(angles, np.append(curve, curve[0]), color=color, lw=width, zorder=3 - (place > 0))
    axes.set(xlim=(-180, 180), ylim=(0, None), xticks=[-180, -90, 0, 90, 180])
    axes.spines[["top", "right"]].set_visible(False)
    _labeled(axes, "rotation from its peak (°)", "activation")


def _labeled(axes: Any, across: str, up: str) -> None:
    axes.set_xlabel(across, fontsize=6, color=INK, labelpad=1.5)
    axes.set_ylabel(up, fontsize=6, color=INK, labelpad=1.5)
    axes.tick_params(labelsize=5.5, length=2, width=0.5, color=RULE, labelcolor=FAINT, pad=1.5)
    for spine in axes.spines.values():
        spine.set(color=RULE, linewidth=0.5)


def _kernels(
    connections: Sequence[Connection],
    side: str,
    thumbnails: Mapping[str, Image.Image],
    largest: float,
    figure: AnyFigure,
    box: Box,
) -> None:
    """Draw each connected unit's picture, and its kernel: red excites, blue inhibits."""
    left, top, wide, high = box
    row = high / 4
    size = min(row - 0.06, wide / 3)
    for place, each in enumerate(connections[:4]):
        end = str(each.source if side == "from" else each.target)
        at = top + place * row
        if end in thumbnails:
            _shown(figure, (left, at, size, size), thumbnails[end])
        kernel = signed_colors(each.kernel.cpu(), largest or 1.0)
        _shown(figure, (left + size + 0.06, at, size, size), kernel, interpolation="nearest")
        name = end.rpartition(":")[2]
        x = left + 2 * size + 0.14
        add_text(figure, x, at + size / 2, name, fontsize=6, color=INK, va="center")
