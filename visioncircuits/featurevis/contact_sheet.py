"""Visualizations on one sheet, in the order given."""

from collections.abc import Iterable, Sequence

import numpy as np
from PIL import Image

from visioncircuits.errors import InputError
from visioncircuits.featurevis.visualization import Visualization
from visioncircuits.figures import FAINT, INK, Canvas, figure_or_new, inches
from visioncircuits.numbers import whole

MOST = 12
"""Pictures in a row, if not asked for otherwise."""

_TILE = 200
"""Side of a picture in pixels; it is an inch in the figure."""

_GAP, _LINE = 0.06, 0.15
"""Between pictures, and a line of text, in inches."""


def contact_sheet(
    visualizations: Iterable[Visualization],
    *,
    captions: Sequence[str] | None = None,
    columns: int | None = None,
    figure: Canvas | None = None,
) -> Canvas:
    """Draw visualizations on one sheet, each with its feature's name and its problem, if any.

    Parameters
    ----------
    visualizations
        From `render_all`, of any sizes; all are drawn equally large.
    captions
        A line for each, below its name, such as a measured value.
    columns
        Pictures in a row; by default at most 12.
    figure
        A figure or subfigure to draw into; by default a new `Figure`.

    Returns
    -------
    Figure or SubFigure
        The one that was given, or the new one, where a picture is an inch wide.

    Raises
    ------
    InputError
        Where there is no picture, or there are more or fewer captions.

    Examples
    --------
    >>> from visioncircuits.featurevis import render_all
    >>> from visioncircuits.networks import untrained
    >>> network, units = untrained("bvlc_googlenet"), ["conv2d0:3", "conv2d0:5", "conv2d1:9"]
    >>> sheet = contact_sheet(render_all(network, units, size=32, steps=8), columns=2)
    >>> [text.get_text() for text in sheet.axes[0].texts]
    ['conv2d0:3', 'conv2d0:5', 'conv2d1:9']
    """
    shown = list(visualizations)
    if not shown:
        raise InputError("there is no visualization; pass some, from render_all")
    if captions is not None and len(captions) != len(shown):
        raise InputError(f"there are {len(captions)} captions for {len(shown)} visualizations")
    across = MOST if columns is None else whole("columns", columns, least=1)
    across = min(across, len(shown))
    down = -(-len(shown) // across)
    lines = 1 if captions is None else 2
    width, height = across * (1 + _GAP) + _GAP, down * (1 + _GAP + lines * _LINE) + _GAP
    figure = figure_or_new(figure, (width, height))
    wide, high = inches(figure)
    scale = min(wide / width, high / height)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    for place, each in enumerate(shown):
        row, column = divmod(place, across)
        left = column * (1 + _GAP) + _GAP
        top = row * (1 + _GAP + lines * _LINE) + _GAP
        axes.imshow(_tile(each), extent=(left, left + 1, top + 1, top), interpolation="lanczos")
        name = (each.feature or each.objective) + (f" ({each.problem})" if each.problem else "")
        texts = [name] if captions is None else [name, captions[place]]
        for line, text in enumerate(texts):
            axes.text(
                left, top + 1.04 + line * _LINE, text, fontsize=scale * _fitting(text), va="top",
                color=FAINT if line else INK,
            )  # fmt: skip
    axes.set_xlim(0, width)  # imshow has changed them
    axes.set_ylim(height, 0)
    return figure


def _fitting(text: str) -> float:
    """Return the size, in points, at which a text is no wider than a picture."""
    return min(7.5, 120 / max(len(text), 1))


def _tile(visualization: Visualization) -> np.ndarray:
    """Return a picture on a white square, as large as fits."""
    image = visualization.image().convert("RGBA")
    scale = _TILE / max(image.size)
    image = image.resize(
        (max(round(image.width * scale), 1), max(round(image.height * scale), 1)),
        Image.Resampling.LANCZOS,
    )
    square = Image.new("RGBA", (_TILE, _TILE), "white")
    corner = (_TILE - image.width) // 2, (_TILE - image.height) // 2
    square.alpha_composite(image, corner)
    return np.asarray(square.convert("RGB"))
