"""Kernels as pictures: tiles, grids with the units' pictures along both axes, and cards.

All are laid out on the same sheet, which is why they are here together, in some 330 lines.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from math import ceil
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from jaxtyping import Float
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from visioncircuits.colors import signed_colors
from visioncircuits.networks import Feature, Unit
from visioncircuits.networks import channels as channel_names
from visioncircuits.weights.expanded import ExpandedWeights
from visioncircuits.weights.factors import Factors
from visioncircuits.weights.ranking import Connection
from visioncircuits.weights.tracing import INPUT

Thumbnails = Mapping[str, Image.Image]
"""Small pictures of features, by name; a feature without one is shown by its name only."""

GROUND, INK, FAINT, EMPTY = (255, 255, 255), (34, 34, 34), (110, 110, 110), (238, 238, 238)
GAP, LINE, TYPE = 12, 32, 20
BAR, EDGE, LEGEND = 201, 72, 600
"""Pixels: the color bar, the margin on either side for a number, and the whole legend."""


def tile(kernel: Float[Tensor, "height width"], scale: float, size: int) -> Image.Image:
    """Draw one kernel, each weight as a square of whole pixels, about `size` across.

    It is larger than `size` only if one pixel for each weight requires it.

    Examples
    --------
    >>> import torch
    >>> tile(torch.eye(5), scale=1.0, size=48).size
    (45, 45)
    """
    zoom = max(size // max(kernel.shape), 1)
    return Image.fromarray(signed_colors(kernel.cpu(), scale).repeat(zoom, 0).repeat(zoom, 1))


def kernel_grid(
    weights: ExpandedWeights,
    thumbnails: Thumbnails | None = None,
    *,
    scale: float | None = None,
    size: int = 96,
) -> Image.Image:
    """Draw every kernel between some features: inputs across, outputs down.

    Parameters
    ----------
    thumbnails
        Drawn along both axes; without them only names are drawn.
    scale
        The weight drawn in the deepest color; by default the largest. It is printed below the
        grid.
    size
        Of a kernel, in pixels.

    Returns
    -------
    PIL.Image.Image
        RGB.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> from visioncircuits.weights import expanded_weights
    >>> units = ["mixed3a:7", "mixed3a:9"]
    >>> weights = expanded_weights(untrained("bvlc_googlenet"), ["conv2d2:1", "conv2d2:4"], units)
    >>> kernel_grid(weights, size=48).mode
    'RGB'
    """
    scale = scale or float(weights.weight.abs().max())
    tiles = [[tile(kernel, scale, size) for kernel in row] for row in weights.weight]
    side = max(size, *tiles[0][0].size)
    labels = channel_labels(weights.record)
    names = _names(weights.inputs, size, labels) + _names(weights.outputs, size, labels)
    across, named, columns = side + GAP, names[len(weights.inputs) :], names[: len(weights.inputs)]
    if thumbnails:
        left, down = size + GAP, max(side, size + LINE) + GAP
    else:
        left, down = ceil(max(map(_font().getlength, named))) + GAP, side + GAP
    upper = (size if thumbnails else 0) + LINE + GAP
    width = left + len(columns) * across
    height = upper + len(named) * down
    sheet = _Sheet(max(width, LEGEND), height + LINE, thumbnails or {})
    for column, feature in enumerate(weights.inputs):
        corner = (left + column * across, 0)
        if thumbnails:
            sheet.unit(feature, columns[column], corner, size)
        else:
            sheet.write((corner[0] + side // 2, 0), columns[column], anchor="ma")
    for row, feature in enumerate(weights.outputs):
        top = upper + row * down
        if thumbnails:
            sheet.unit(feature, named[row], (0, top), size)
        else:
            sheet.write((left - GAP, top + side // 2), named[row], anchor="rm")
        for column, kernel in enumerate(tiles[row]):
            sheet.picture.paste(kernel, (left + column * across, top))
    sheet.legend(scale, f"{weights.source} → {weights.target}")
    return sheet.picture


def connection_cards(
    connections: Sequence[Connection],
    thumbnails: Thumbnails | None = None,
    *,
    scale: float | None = None,
    size: int = 144,
    columns: int = 6,
    channels: Sequence[str] = (),
) -> Image.Image:
    """Draw the strongest inputs or outputs of a feature: each one's picture above its kernel.

    Below each are the L2 norms of the positive and of the negative weights.

    Parameters
    ----------
    connections
        From `strongest_inputs` or `strongest_outputs`.
    thumbnails, scale, size
        As for `kernel_grid`.
    columns
        Number of cards in a row.
    channels
        What the channels of the picture are called, where they are the inputs: the names in the
        network's preprocessing.

    Returns
    -------
    PIL.Image.Image
        RGB.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> from visioncircuits.weights import expanded_weights, strongest_inputs
    >>> weights = expanded_weights(untrained("bvlc_googlenet"), "conv2d2", "mixed3a:7")
    >>> pictures = {"mixed3a:7": Image.new("RGB", (64, 64), "red")}
    >>> connection_cards(strongest_inputs(weights, top=4), pictures, size=100).width
    600
    """
    scale = scale or max(float(connection.kernel.abs().max()) for connection in connections)
    tiles = [tile(connection.kernel, scale, size) for connection in connections]
    inwards = len({str(connection.target) for connection in connections}) == 1
    ends = [(c.source, c.target) if inwards else (c.target, c.source) for c in connections]
    others, feature = [other for other, _ in ends], ends[0][1]
    side = max(size, *tiles[0].size)
    across, down = side + GAP, size + LINE + side + LINE + GAP
    first = size + LINE + GAP
    rows = -(-len(connections) // columns)
    width = min(columns, len(connections)) * across
    sheet = _Sheet(max(width, LEGEND), first + rows * down + LINE, thumbnails or {})
    sheet.unit(feature, str(feature), (0, 0), size)
    covered = sum(connection.share for connection in connections)
    sheet.write(
        (size + GAP, size // 2),
        f"{len(connections)} strongest {'inputs' if inwards else 'outputs'} in {others[0].layer},\n"
        f"{covered:.0%} of the squared weight",
        anchor="lm",
    )
    for at, (connection, kernel) in enumerate(zip(connections, tiles, strict=True)):
        left, top = at % columns * across, first + at // columns * down
        sheet.unit(others[at], _names(others, size, channels)[at], (left, top), size)
        sheet.picture.paste(kernel, (left + (size - kernel.width) // 2, top + size + LINE))
        numbers = f"+{number(connection.positive)} −{number(connection.negative)}"
        sheet.write((left + size // 2, top + size + LINE + side), numbers, FAINT, anchor="ma")
    arrow = (others[0].layer, feature.layer) if inwards else (feature.layer, others[0].layer)
    sheet.legend(scale, " → ".join(arrow))
    return sheet.picture


def factor_grid(
    factors: Factors,
    thumbnails: Thumbnails | None = None,
    *,
    scale: float | None = None,
    size: int = 96,
    units: int = 4,
) -> Image.Image:
    """Draw factors, one in a row: its picture, its strongest units, its map to each output.

    Parameters
    ----------
    thumbnails
        Of the factors (their directions' names), their units and the outputs; without them only
        names are drawn.
    scale, size
        As for `kernel_grid`.
    units
        Number of each factor's units to draw, with their weights in it.

    Returns
    -------
    PIL.Image.Image
        RGB.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> from visioncircuits.weights import expanded_weights, one_sided_nmf
    >>> weights = expanded_weights(untrained("bvlc_googlenet"), "conv2d2", "mixed3a:99")
    >>> factor_grid(one_sided_nmf(weights, 2), size=64).mode
    'RGB'
    """
    spatial = factors.spatial
    scale = scale or float(spatial.weight.abs().max())
    tiles = [[tile(kernel, scale, size) for kernel in row] for row in spatial.weight]
    side = max(size, *tiles[0][0].size)
    across, down = side + GAP, max(side, size + LINE) + GAP
    first = (1 + units) * (size + GAP) + 2 * GAP
    top = (size if thumbnails else 0) + LINE + GAP
    width, height = first + len(tiles) * across, top + len(tiles[0]) * down
    sheet = _Sheet(max(width, LEGEND), height + LINE, thumbnails or {})
    names = _names(spatial.outputs, size)
    for column, feature in enumerate(spatial.outputs):
        left = first + column * across
        if thumbnails:
            sheet.unit(feature, names[column], (left, 0), size)
        else:
            sheet.write((left + side // 2, 0), names[column], anchor="ma")
    for row, direction in enumerate(factors.directions):
        at = top + row * down
        sheet.unit(direction, f"factor {row + 1}", (0, at), size)
        for place, (unit, weight) in enumerate(factors.units(row, units)):
            name = f"{unit.index}: {number(weight)}"
            sheet.unit(unit, name, ((1 + place) * (size + GAP), at), size)
        for column, kernels in enumerate(tiles):
            sheet.picture.paste(kernels[row], (first + column * across, at))
    sheet.legend(scale, f"{spatial.source} → {spatial.target}, {factors.explained:.0%} explained")
    return sheet.picture


SMALL = 1e-3
"""Numbers closer to zero are formatted in scientific notation."""


def number(value: float) -> str:
    """Format a number with two significant digits and without a leading zero.

    Numbers below `SMALL` have at most seven characters, so that they fit under a kernel.

    Examples
    --------
    >>> number(0.0731), number(1.26), number(240.0), number(0.0)
    ('.073', '1.3', '240', '0')
    >>> number(-0.0731), number(-8.61e-5), number(2e-4), number(-8.6e-10)
    ('−.073', '−8.6e-5', '2e-4', '−9e-10')
    """
    if value == 0:
        return "0"
    sign, value = "−" if value < 0 else "", abs(value)
    if value < SMALL:
        mantissa, exponent = f"{value:.{int(value > 9.95e-10)}e}".split("e")
        return f"{sign}{mantissa.removesuffix('.0')}e{int(exponent)}"
    text = f"{value:#.2g}" if value < 100 else f"{value:.0f}."
    return sign + text.removeprefix("0").removesuffix(".")


class _Sheet:
    """A white picture on which units, text and the scale are drawn."""

    def __init__(self, width: int, height: int, thumbnails: Thumbnails) -> None:
        self.picture = Image.new("RGB", (width, height), GROUND)
        self.draw = ImageDraw.Draw(self.picture)
        self.thumbnails = thumbnails

    def unit(self, feature: Feature, name: str, corner: tuple[int, int], size: int) -> None:
        """Draw a feature's picture with its name below; its name alone where nothing has one."""
        left, top = corner
        if not self.thumbnails:
            self.write((left + size // 2, top + size // 2), name, anchor="mm")
            return
        if str(feature) in self.thumbnails:
            small = self.thumbnails[str(feature)].convert("RGB")
            self.picture.paste(small.resize((size, size), Image.Resampling.LANCZOS), corner)
        else:
            self.draw.rectangle((left, top, left + size - 1, top + size - 1), EMPTY)
        half = ceil(_font().getlength(name) / 2)  # so that a long name stays within the left edge
        self.write((max(left + size // 2, half), top + size), name, anchor="ma")

    def legend(self, scale: float, text: str) -> None:
        """Draw the color scale along the lower edge."""
        top = self.picture.height - LINE
        for at, color in enumerate(signed_colors(np.linspace(-1, 1, BAR), 1.0)):
            left = EDGE + at
            self.draw.line((left, top + 6, left, top + 24), tuple(color.tolist()))
        self.write((EDGE - 6, top + 2), f"−{number(scale)}", FAINT, anchor="ra")
        self.write((EDGE + BAR + 6, top + 2), f"+{number(scale)}", FAINT, anchor="la")
        self.write((2 * EDGE + BAR, top + 2), text, FAINT, anchor="la")

    def write(
        self, at: tuple[int, int], text: str, ink: tuple[int, ...] = INK, *, anchor: str
    ) -> None:
        """Draw text with its Pillow anchor `anchor` at a point."""
        self.draw.text(at, text, ink, _font(), anchor=anchor)


def channel_labels(record: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what the picture's channels are called, from the record of weights."""
    preprocessing = record.get("network", {}).get("preprocessing")
    return () if preprocessing is None else channel_names.labels(preprocessing)


def _names(features: Sequence[Feature], width: int, labels: Sequence[str] = ()) -> list[str]:
    """Return the features' names, without the layer unless all fit in `width` pixels."""
    if labels and all(isinstance(f, Unit) and f.layer == INPUT for f in features):
        return [labels[f.index] for f in features if isinstance(f, Unit)]
    names = [str(feature) for feature in features]
    if max(map(_font().getlength, names)) <= width:
        return names
    return [name.rpartition(":")[2] for name in names]


@cache
def _font() -> Any:
    return ImageFont.truetype(Path(matplotlib.get_data_path()) / "fonts/ttf/DejaVuSans.ttf", TYPE)
