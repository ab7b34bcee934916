"""A split unit as a picture: a row a part, with what excites it and its examples."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from visioncircuits.dictionaries.splitting import Split
from visioncircuits.errors import InputError
from visioncircuits.examples import crop
from visioncircuits.examples.crops import seen, tile
from visioncircuits.featurevis import Visualization
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

_SIDE, _GAP, _TOP, _LEFT = 1.05, 0.06, 0.62, 0.25
_WORDS = 1.35
"""Inches for the text beside a row."""

_PIXELS = 192
_PART = 2
"""The network's picture is so many times as wide as a crop at most: the receptive fields of late
layers reach far beyond it, and what matters is in their middle."""


def split_panel(
    found: Split,
    pictures: Sequence[Visualization] = (),
    *,
    examples: int = 8,
    figure: Canvas | None = None,
) -> Canvas:
    """Draw a row for each part of a unit: its picture, and the examples that it drives.

    Parameters
    ----------
    found
        From `split`.
    pictures
        From `render_parents`; without them, examples alone are drawn.
    examples
        Of each part, the strongest first, cropped to the middle of the unit's receptive field,
        half as wide as the photograph at most.
    figure
        A figure or subfigure to draw into; by default a new `Figure`.

    Returns
    -------
    Figure or SubFigure
        The one that was given, or the new one. Above each crop is how strongly it activates the
        unit; right of a row, how many examples the part has, and the units of the layer below that
        drive it most, with their shares of the mean pre-activation.

    Raises
    ------
    InputError
        For more or fewer pictures than parts, or where the figure has no room.

    Examples
    --------
    >>> import torch
    >>> from visioncircuits.dictionaries import split
    >>> from visioncircuits.networks import untrained
    >>> found = split(untrained("bvlc_googlenet"), "mixed3b:200", torch.rand(3, 3, 224, 224))
    >>> len(split_panel(found).axes)
    3
    """
    if pictures and len(pictures) != len(found):
        raise InputError(
            f"{found.unit} has {len(found)} parts and there are {len(pictures)} pictures; pass one "
            "for each"
        )
    across = min(examples, max(found.clusters.sizes))
    start = _LEFT + (1.18 * _SIDE + 0.14 if pictures else 0)
    wide = start + across * (_SIDE + _GAP) + _WORDS + 0.1
    row = 1.18 * _SIDE + 0.3 if pictures else _SIDE + 0.3
    figure = figure_or_new(figure, (wide, _TOP + len(found) * row))
    scale = min(inches(figure)[0] / wide, inches(figure)[1] / (_TOP + len(found) * row))

    def axes(left: float, top: float, side: float) -> Axes:
        made = add_axes(figure, left * scale, top * scale, side * scale, side * scale)
        made.set_xticks([])
        made.set_yticks([])
        made.spines[:].set_color(RULE)
        made.spines[:].set_linewidth(0.5)
        return made

    _heading(figure, found, scale)
    crops = _crops(found, across)
    for part in range(len(found)):
        top = _TOP + part * row
        if pictures:
            drawn = axes(_LEFT, top, 1.18 * _SIDE)
            drawn.imshow(np.asarray(pictures[part].image()))
        lower = top + (0.18 * _SIDE if pictures else 0)
        for place, (value, pixels) in enumerate(crops[part]):
            shown = axes(start + place * (_SIDE + _GAP), lower, _SIDE)
            shown.imshow(pixels)
            shown.set_title(f"{value:.3g}", fontsize=6.5 * scale, color=FAINT, pad=2)
        words = start + across * (_SIDE + _GAP) + 0.04
        _beside(figure, found, part, words * scale, lower * scale, scale)
    return figure


def _heading(figure: AnyFigure, found: Split, scale: float) -> None:
    at = _LEFT * scale
    add_text(
        figure, at, 0.12 * scale, str(found.unit), fontsize=12 * scale, weight="bold", color=INK,
        va="top",
    )  # fmt: skip
    kinds = f"{len(found)} kinds" if len(found) > 1 else "one kind"
    line = (
        f"{len(found.drivers.names)} examples, of {kinds} by what drives the unit from "
        f"{found.drivers.below} (p = {found.clusters.p:.2g})"
    )
    add_text(figure, at, 0.34 * scale, line, fontsize=7.5 * scale, color=FAINT, va="top")


def _crops(found: Split, most: int) -> list[list[tuple[float, np.ndarray]]]:
    """Return values and pixels of each part's strongest examples."""
    network, drivers = found.network, found.drivers
    layer = network.layer_at(found.unit.layer, network.size)
    rows = []
    for part in range(len(found)):
        own = (found.clusters.labels == part).nonzero()[:most, 0].tolist()
        row = []
        for place in own:
            picture = found.photographs.read(drivers.names[place], network.size)
            y, x = drivers.positions[place].tolist()
            side = min(max(layer.receptive_field), network.size // _PART)
            cut = crop(layer, seen(network, picture), (y, x), most=side)
            row.append((float(drivers.values[place]), tile(cut, _PIXELS)))
        rows.append(row)
    return rows


def _beside(
    figure: AnyFigure, found: Split, part: int, left: float, top: float, scale: float
) -> None:
    own = found.clusters.labels == part
    mean = found.drivers.contributions[own].mean(0)
    strongest = mean.topk(4)
    shares = strongest.values / found.drivers.values[own].mean()
    lines = [f"part {part}: {int(own.sum())} examples"] + [
        f"{found.drivers.below}:{unit}  {share:.0%}"
        for unit, share in zip(strongest.indices.tolist(), shares.tolist(), strict=True)
    ]
    for number, line in enumerate(lines):
        add_text(
            figure, left, top + 0.04 * scale + 0.19 * number * scale, line, va="top",
            fontsize=7 * scale, color=INK if number == 0 else FAINT,
        )  # fmt: skip
