"""Pictures of what a circuit is written with, contours and rules, and of what comes of them."""

from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
from jaxtyping import Float, Float64

from visioncircuits.colors import signed_colors
from visioncircuits.errors import InputError
from visioncircuits.figures import (
    FAINT,
    INK,
    RULE,
    Canvas,
    Drawn,
    add_axes,
    axes_or_new,
    figure_or_new,
    inches,
)
from visioncircuits.handwritten.circuit import PIXELS, Stage, handwritten
from visioncircuits.handwritten.contours import Contour
from visioncircuits.handwritten.labels import Label
from visioncircuits.handwritten.plane import Positions, cosd, sind
from visioncircuits.handwritten.rules import Rule, gaussian
from visioncircuits.networks.network import Network

_STYLE: Any = {"font.size": 8, "axes.titlesize": 9}
_RED, _BLUE = "#ca0020", "#0571b0"

_BOX: Any = {"boxstyle": "square,pad=0.15", "color": "white", "alpha": 0.85}
"""Around text on a picture."""

_HUES = {0: "red", 60: "yellow", 120: "green", 180: "cyan", 240: "blue", 300: "magenta"}

_MOST = 24
"""Kernels in a row of `circuit_panel`."""

_SIDE = 24
"""Pixels of a kernel, at least."""


@matplotlib.rc_context(_STYLE)
def contour_panel(
    contour: Contour,
    target: Label,
    *,
    spread: float = 4.0,
    reach: float = 32.0,
    ax: Drawn | None = None,
) -> Drawn:
    """Draw a contour in the frame of a unit: where it excites, by sources of which orientation.

    A dash is where a source would be aligned with the contour, and how; it fades with the distance.
    The short stroke on it points along the contour's normal there. The red arrow is the unit's
    orientation, `along`; the blue one, a quarter turn clockwise from it, is `across`; angles are
    positive from red to blue.

    Parameters
    ----------
    contour
        One of `arc`, `ring`, `rays` and their opposites, or your own.
    target
        Gives the contour its orientation and radius.
    spread
        Of the distance, in pixels, as of the rule `along`.
    reach
        How far the picture shows, from its center, in pixels.
    ax
        Axes to draw into; by default those of a new `Figure`.

    Returns
    -------
    Figure or Axes
        The axes that were given, or the new figure; `.save(path)` writes it.

    Examples
    --------
    >>> from visioncircuits.handwritten import arc
    >>> figure = contour_panel(arc, Label("curve", 270.0, radius=24.0))
    >>> figure.axes[0].get_title()
    'arc: curve 270°, radius 24 px'

    A right angle with its apex at the center, of your own:

    >>> def corner(target, along, across):
    ...     return (along + np.abs(across)) / np.sqrt(2), 45.0 * np.sign(across)
    >>> own: Contour = corner
    >>> contour_panel(own, Label("corner", 270.0)).axes[0].get_title()
    'corner: corner 270°'
    """
    turn = target.orientation or 0.0
    count = 21
    spacing = 2 * reach / count
    positions = Positions.grid(count, spacing)
    distance, normal = contour(target, *positions.frame(turn))
    shown = gaussian(distance, spread)
    facing = np.radians(normal + turn)
    axes, drawn = axes_or_new(ax, (4.2, 4.4))
    for length, angle, color, width in (
        (0.45 * spacing, facing + np.pi / 2, INK, 0.006),
        (0.4 * spacing, facing, FAINT, 0.003),
    ):
        u, v = length * np.cos(angle), length * np.sin(angle)
        for side in (-1, 1) if color == INK else (1,):
            axes.quiver(
                positions.x, positions.y, side * u, side * v, alpha=shown, color=color, width=width,
                angles="xy", scale_units="xy", scale=1, headwidth=0, headlength=0, headaxislength=0,
            )  # fmt: skip
    for name, way, color in (("along", turn, _RED), ("across", turn + 90, _BLUE)):
        x, y = reach * cosd(way), reach * sind(way)
        arrow = {"arrowstyle": "-|>", "color": color, "lw": 1.8, "shrinkA": 0, "shrinkB": 0}
        axes.annotate("", (0.72 * x, 0.72 * y), (0, 0), arrowprops=arrow)
        axes.text(0.84 * x, 0.84 * y, name, color=color, ha="center", va="center", bbox=_BOX)
    turned = np.radians(turn + np.linspace(12, 74, 32))
    around = 0.3 * reach * np.stack([np.cos(turned), np.sin(turned)])
    axes.plot(*around, color=INK, lw=1)
    arrow = {"arrowstyle": "-|>", "color": INK, "lw": 1, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", tuple(around[:, -1]), tuple(around[:, -3]), arrowprops=arrow)
    x, y = 0.4 * reach * cosd(turn + 45), 0.4 * reach * sind(turn + 45)
    axes.text(x, y, "+", ha="center", va="center", fontsize=11, bbox=_BOX)
    axes.set(xlim=(-reach, reach), ylim=(reach, -reach), aspect="equal")
    axes.set(xlabel="pixels of the input", title=f"{_name(contour)}: {target}")
    axes.spines[:].set_color(RULE)
    return drawn


@matplotlib.rc_context(_STYLE)
def rule_panel(
    rule: Rule,
    sources: Sequence[Label],
    target: Label,
    *,
    size: int = 5,
    spacing: float = 8.0,
    figure: Canvas | None = None,
) -> Canvas:
    """Draw the kernels that a rule sets, from several sources to one target.

    Red excites, blue inhibits; below each kernel is its source's orientation.

    Parameters
    ----------
    rule
        `along(arc, …)`, `straight(…)` and so on, or your own.
    sources, target
        Labels of units.
    size
        Of a kernel, in positions.
    spacing
        Of positions, in pixels of the input: the stride of the layer of the sources.
    figure
        A figure or subfigure to draw into; by default a new `Figure`.

    Raises
    ------
    InputError
        Where there is no source, or the figure has no room.

    Examples
    --------
    >>> from visioncircuits.handwritten import along, arc, around
    >>> follow = along(arc, spread=4.0, tolerance=10.0)
    >>> figure = rule_panel(follow, around("line", 6, period=180.0), Label("curve", 270.0))
    >>> [label.get_text() for label in figure.axes[0].get_xticklabels()]
    ['0°', '30°', '60°', '90°', '120°', '150°']
    """
    if not sources:
        raise InputError("there is no source to draw a kernel of; give one label or more")
    positions = Positions.grid(size, spacing)
    kernels = np.stack([rule(source, target, positions) for source in sources])
    kind = ", ".join(sorted({source.kind for source in sources}))
    row = f"{kind} → {target}", kernels, [_caption(source) for source in sources]
    return _rows([row], figure)


@matplotlib.rc_context(_STYLE)
def circuit_panel(network: Network, *, figure: Canvas | None = None) -> Canvas:
    """Draw a handwritten circuit: from each stage's sources, the kernels of one unit of each kind.

    Red excites, blue inhibits, each row to its own scale; below each kernel is its source's
    orientation, or hue. Of many sources the 24 with the largest weights are drawn.

    Parameters
    ----------
    network
        From `build`, `load` or a function such as `curves`; a notebook shows this for it.
    figure
        A figure or subfigure to draw into; by default a new `Figure`.

    Raises
    ------
    InputError
        For a network that is not handwritten, or where the figure has no room.

    Examples
    --------
    >>> from visioncircuits.handwritten import line_divergence
    >>> [axes.get_title(loc="left") for axes in circuit_panel(line_divergence()).axes][2:]
    ['conv2d2: complex gabor → line 0°', 'mixed3a: line → line divergence 0°, radius 16 px']
    """
    module = handwritten(network)
    rows = []
    sources: Sequence[Label] = PIXELS
    for stage in module.stages:
        weight = module.operation(f"{stage.layer}_pre_relu").get_parameter("weight")
        rows += _stage_rows(stage, sources, weight.detach().cpu().double().numpy())
        sources = stage.units
    return _rows(rows, figure)


_Row = tuple[str, Float[np.ndarray, "_ _ _"], list[str]]


def _stage_rows(
    stage: Stage, sources: Sequence[Label], weight: Float64[np.ndarray, "out in size size"]
) -> list[_Row]:
    """Choose the first unit of each kind, and its kernels from each kind of sources."""
    rows = []
    first = {label.kind: place for place, label in reversed(list(enumerate(stage.units)))}
    for place in sorted(first.values()):
        for kind in dict.fromkeys(source.kind for source in sources):
            strength = np.abs(weight[place]).max((1, 2))
            of_kind = [at for at, source in enumerate(sources) if source.kind == kind]
            strongest = sorted(of_kind, key=lambda at: -strength[at])[:_MOST]
            if strength[strongest].max() > 0:
                drawn = sorted(strongest)
                title = f"{stage.layer}: {kind} → {stage.units[place]}"
                if len(of_kind) > _MOST:
                    title += f", {_MOST} of {len(of_kind)}"
                rows.append((title, weight[place, drawn], [_caption(sources[at]) for at in drawn]))
    return rows


def _rows(rows: Sequence[_Row], figure: Canvas | None) -> Canvas:
    """Draw kernels side by side, row by row."""
    widest = max(8, *(len(kernels) for _, kernels, _ in rows))
    figure = figure_or_new(figure, (0.38 * widest + 0.2, 0.84 * len(rows)))
    wide, high = inches(figure)
    for place, (title, kernels, captions) in enumerate(rows):
        top, tall = place * high / len(rows), high / len(rows)
        axes = add_axes(figure, 0.1, top + 0.24, wide - 0.2, tall - 0.44)
        scale = float(np.abs(kernels).max())
        zoom = max(_SIDE // kernels.shape[1], 1)
        tiles = signed_colors(kernels.repeat(zoom, 1).repeat(zoom, 2), scale)
        framed = np.pad(tiles, [(0, 0), (1, 1), (1, 1), (0, 0)], constant_values=200)
        spaced = np.pad(framed, [(0, 0), (0, 0), (2, 2), (0, 0)], constant_values=255)
        axes.imshow(np.concatenate(list(spaced), 1), interpolation="nearest", aspect="equal")
        across = spaced.shape[2]
        axes.set_xlim(0, across * widest)
        middles = [across * (at + 0.5) for at in range(len(captions))]
        axes.set_xticks(middles, captions, fontsize=6.5)
        axes.set_yticks([])
        axes.tick_params(length=0, labelcolor=FAINT, pad=1)
        axes.spines[:].set_visible(False)
        axes.set_title(title, loc="left", color=INK)
        axes.set_title(f"± {scale:.2g}", loc="right", color=FAINT, fontsize=7)
    return figure


def _caption(label: Label) -> str:
    if label.orientation is not None:
        return f"{label.orientation:g}°"
    return "" if label.hue is None else _HUES.get(round(label.hue), f"{label.hue:g}°")


def _name(contour: Contour) -> str:
    return getattr(contour, "__name__", type(contour).__name__).replace("_", " ")
