"""An explained photograph as a figure: a row a layer, its groups, and what they led to."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from visioncircuits.attribution.explaining import ExplainedLayer, Explanation, Ties
from visioncircuits.figures import (
    FAINT,
    INK,
    RULE,
    Canvas,
    add_axes,
    add_text,
    figure_or_new,
)

COLORS = "#e69f00", "#0072b2", "#009e73", "#cc79a7", "#d55e00", "#56b4e9", "#9a8c00", "#6b4fa0"
"""Of classes in their order; for all who see colors differently (Okabe and Ito, 2008)."""

SIDE, GAP, LEFT, TOP, BAR = 1.15, 0.14, 0.2, 0.3, 0.14
"""Inches: a picture's side, between pictures, the left edge, above the first row, a class's bar."""

LEGEND = 0.36
"""Inches below the last row."""

_LEGEND = (
    "Maps: the photograph where a group is, gray elsewhere, outlined at half of the map's largest "
    "value. Bars: attribution in logits.",
    "Lines: what a group led to of one above, as wide as the attribution; red raised its "
    "activation, blue lowered it.",
)

_GRAY, _OUTLINE = 127.5, (255, 211, 61)

TIED = 0.85
"""Inches between layers, where lines tie the groups."""


def explanation_panel(
    found: Explanation,
    pictures: Mapping[str, Image.Image] | None = None,
    *,
    figure: Canvas | None = None,
) -> Canvas:
    """Draw an explained photograph: a row a layer, its groups, and what they led to.

    The latest layer is on top. Each map is outlined at half of its largest value. Below each group
    are bars of its attribution to the classes, and last those of the rest, in no group, on one
    scale a layer; beside a class is its probability. Lines tie a group to those of the layer before
    that it is attributed to, red where they raised its activation, blue where they lowered it.

    Parameters
    ----------
    found
        From `explain`.
    pictures
        Of groups by the direction's name, such as "mixed4d:12+7+3"; without, maps alone.
    figure
        A figure or subfigure to draw into; by default a new `Figure`.

    Returns
    -------
    Figure or SubFigure
        The one that was given, or the new one; `.save(path)` writes it.

    Examples
    --------
    >>> from visioncircuits.attribution import explain
    >>> from visioncircuits.networks import untrained
    >>> network, photograph = untrained("bvlc_googlenet"), torch.rand(1, 3, 224, 224)
    >>> found = explain(network, photograph, "mixed4d", groups=2, top=1)
    >>> len(explanation_panel(found).axes)
    6
    """
    pictures = pictures or {}
    most = max(len(layer.groups) for layer in found.layers) + 1
    shown = SIDE + (SIDE + 0.04 if pictures else 0)
    high = shown + 0.2 + BAR * len(found.classes) + 0.1
    rows = len(found.layers)
    size = (LEFT + SIDE + GAP * 3 + most * (SIDE + GAP) + 0.4,
            TOP + rows * (high + 0.24) + (rows - 1) * TIED + 0.1 + LEGEND)  # fmt: skip
    figure = figure_or_new(figure, size)
    for row, layer in enumerate(reversed(found.layers)):
        top = TOP + row * (high + 0.24 + TIED)
        _layer(figure, found, layer, pictures, top)
        if row + 1 < rows:
            _tied(figure, found.ties[rows - 2 - row], top + 0.2 + high, TIED - 0.2)
    for place, line in enumerate(_LEGEND if rows > 1 else _LEGEND[:1]):
        down = size[1] - LEGEND + 0.18 * place
        add_text(figure, LEFT, down, line, fontsize=7.5, color=FAINT)
    return figure


def _layer(
    figure: Any,
    found: Explanation,
    layer: ExplainedLayer,
    pictures: Mapping[str, Image.Image],
    top: float,
) -> None:
    led, rest = layer.by_group(), layer.remainder()
    scale = float(torch.cat([led, rest[:, None]], 1).abs().max()) or 1.0
    head = (
        f"groups explain {layer.groups.explained:.0%} of the squared activations; "
        f"bars reach ±{scale:.2g}"
    )
    add_text(figure, LEFT, top + 0.02, layer.name, fontsize=11, color=INK, weight="bold")
    add_text(figure, LEFT + SIDE + GAP * 3, top + 0.02, head, fontsize=8, color=FAINT)
    top += 0.12
    photograph = pixels(found.photograph)
    _show(add_axes(figure, LEFT, top, SIDE, SIDE), photograph)
    tall = SIDE + 0.04 + (SIDE + 0.04 if pictures else 0) + 0.18
    for place, name in enumerate(found.classes):
        text = f"{_brief(name, 16)} {100 * float(found.probabilities[place]):.1f} %"
        color, down = COLORS[place % len(COLORS)], top + tall + BAR * (place + 0.5)
        add_text(figure, LEFT, down, text, fontsize=7, color=color, va="center", weight="bold")
    for group, direction in enumerate(layer.groups.directions):
        left, below = LEFT + SIDE + GAP * 3 + group * (SIDE + GAP), top
        lit_up = lit(photograph, layer.groups.maps[group])
        _show(add_axes(figure, left, below, SIDE, SIDE), lit_up)
        below += SIDE + 0.04
        if pictures:
            axes = add_axes(figure, left, below, SIDE, SIDE)
            if str(direction) in pictures:
                _show(axes, np.asarray(pictures[str(direction)].convert("RGB")))
            axes.set_axis_off()
        _bars(figure, led[:, group], _brief(direction.name, 16), left, top + tall, scale)
    left = LEFT + SIDE + GAP * 3 + len(layer.groups) * (SIDE + GAP)
    _bars(figure, rest, "the rest", left, top + tall, scale)


def _bars(figure: Any, values: Tensor, name: str, left: float, top: float, scale: float) -> None:
    """Draw a bar a class, below a name."""
    add_text(figure, left, top - 0.06, name, fontsize=8, color=INK)
    axes = add_axes(figure, left, top, SIDE, BAR * len(values))
    colors = [COLORS[place % len(COLORS)] for place in range(len(values))]
    axes.barh(range(len(values)), values.numpy(), color=colors, height=0.72)
    axes.set_xlim(-scale, scale)
    axes.set_ylim(len(values) - 0.5, -0.5)
    axes.axvline(0, color=RULE, lw=0.8)
    axes.set_axis_off()


def lit(photograph: np.ndarray, strength: Tensor) -> np.ndarray:
    """Return the photograph, gray where a map is 0, as it is where the map is largest.

    A line surrounds where the map is half of its largest value or more.
    """
    size = photograph.shape[:2]
    smooth = torch.nn.functional.interpolate(
        (strength / strength.max())[None, None].float(), size, mode="bilinear", align_corners=False
    )
    light = smooth[0, 0].clamp(0, 1).sqrt().numpy()[..., None]
    shown = (photograph - _GRAY) * (0.12 + 0.88 * light) + _GRAY
    inside = (smooth >= 0.5).float()
    wide = 2 * max(min(size) // 150, 1) + 1
    around = torch.nn.functional.max_pool2d(inside, wide, 1, wide // 2) - inside
    shown[around[0, 0].numpy() > 0] = _OUTLINE
    return shown.round().clip(0, 255).astype(np.uint8)


def _tied(figure: Any, ties: Ties, top: float, high: float) -> None:
    """Draw lines from each later group, above, to those of the layer before."""
    earlier, later = ties.values.shape
    count = max(earlier, later)
    wide = count * (SIDE + GAP)
    axes = add_axes(figure, LEFT + SIDE + GAP * 3, top, wide, high)
    scale = float(ties.values.abs().max()) or 1.0
    for after in range(later):
        for before in range(earlier):
            share = float(ties.values[before, after]) / scale
            if abs(share) < 0.05:
                continue
            ends = (after * (SIDE + GAP) + SIDE / 2, before * (SIDE + GAP) + SIDE / 2)
            axes.plot(ends, (0, 1), color="#ca0020" if share > 0 else "#0571b0",
                      lw=0.3 + 5 * abs(share), alpha=0.25 + 0.6 * abs(share),
                      solid_capstyle="round")  # fmt: skip
    axes.set_xlim(0, wide)
    axes.set_ylim(1.04, -0.04)
    axes.set_axis_off()


def _brief(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _show(axes: Any, pixels: np.ndarray) -> None:
    axes.imshow(pixels)
    axes.set_axis_off()


def pixels(photograph: Tensor) -> np.ndarray:
    """Return one photograph as bytes, in gray where it has other channels than colors."""
    colors = photograph[0] if photograph.shape[1] == 3 else photograph[0].mean(0).expand(3, -1, -1)
    return colors.clamp(0, 1).mul(255).round().byte().permute(1, 2, 0).numpy()
