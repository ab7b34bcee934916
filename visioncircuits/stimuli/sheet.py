"""A stimulus set as one labeled picture."""

import math
from itertools import product

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from visioncircuits.errors import InputError, unknown
from visioncircuits.stimuli.axes import Value
from visioncircuits.stimuli.sets import StimulusSet
from visioncircuits.stimuli.stimulus import Stimulus

_GAP = 2
_SHOWN = 72
"""Stimuli of a set that a notebook shows."""

_ROW = 12
"""Stimuli of a batch that a notebook shows."""

_PAD = 12
_TEXT, _MUTED, _BORDER = "#202020", "#707070", "#d8d8d8"


def contact_sheet(
    stimuli: StimulusSet, *, columns: str = "", most: int = 36, scale: int = 1
) -> Image.Image:
    """Lay out a set as a grid of its pictures, with its axes' values along the sides.

    Parameters
    ----------
    stimuli : StimulusSet
        With any number of axes, drawn at its own picture size.
    columns : str
        The axis that runs across; by default the first. All others run down, the last of them
        the fastest.
    most : int
        Largest number of values of an axis that are drawn. A longer axis is thinned evenly, and the
        heading reports its full length.
    scale : int
        Side of each stimulus pixel, in pixels of the sheet.

    Returns
    -------
    PIL.Image.Image
        RGB.

    Raises
    ------
    InputError
        If there is no such axis, or `most` or `scale` are below 1.

    Notes
    -----
    After the sheet above the heat maps of "Curve Detectors" (Cammarata et al., 2020).

    Examples
    --------
    >>> from visioncircuits.stimuli import named
    >>> contact_sheet(named("curves")).mode
    'RGB'
    """
    if columns and columns not in stimuli.axes:
        raise unknown(f"axis of {stimuli.name}", columns, stimuli.axes)
    if most < 1 or scale < 1:
        raise InputError(f"most and scale must be at least 1, got {most} and {scale}")
    thinned = stimuli.isel(
        **{
            name: slice(None, None, math.ceil(len(values) / most))
            for name, values in stimuli.axes.items()
        }
    )
    across = columns or next(iter(thinned.dims), "")
    down = [name for name in thinned.dims if name != across]
    column_values = thinned.axes.get(across, ("",))
    row_values = list(product(*(thinned.axes[name] for name in down)))

    font, bold = _font("DejaVuSans", 10 * scale), _font("DejaVuSans-Bold", 11 * scale)
    row_labels = [" · ".join(map(_label, values)) for values in row_values]
    column_labels = [_label(value) for value in column_values]
    rows_name = " · ".join(down)
    left = _PAD * scale + max(font.getlength(text) for text in (*row_labels, rows_name))
    left = math.ceil(left) + _PAD * scale
    top = (_PAD + 20 + 16 + 18) * scale

    pictures = _pictures(thinned, across, scale)
    height, width = pictures.shape[2:4]
    step_y, step_x = height + _GAP * scale, width + _GAP * scale
    heading = f"{stimuli.name}: " + " × ".join(
        f"{len(thinned.axes[name])} of {len(values)} {name}"
        if len(thinned.axes[name]) < len(values)
        else f"{len(values)} {name}"
        for name, values in stimuli.axes.items()
    )
    sheet_width = max(
        left + len(column_values) * step_x + _PAD * scale,
        2 * _PAD * scale + math.ceil(bold.getlength(heading)),
    )
    sheet = Image.new("RGB", (sheet_width, top + len(row_values) * step_y + _PAD * scale), "white")
    pen = ImageDraw.Draw(sheet)
    pen.text((_PAD * scale, _PAD * scale), heading, _TEXT, bold)
    pen.text((left, (_PAD + 20) * scale), f"{across} →" if across else "", _MUTED, font)
    pen.text((left - _PAD * scale, top - 5 * scale), rows_name, _MUTED, font, anchor="rs")
    # skip labels that would overlap
    every = math.ceil((max(map(font.getlength, column_labels)) + 6 * scale) / step_x)
    for column, text in enumerate(column_labels):
        x = left + column * step_x
        if column % every == 0:
            pen.text((x + width / 2, top - 5 * scale), text, _TEXT, font, anchor="ms")
        for row in range(len(row_values)):
            y = top + row * step_y
            # a border, since a white stimulus on a white page has none
            pen.rectangle((x - 1, y - 1, x + width, y + height), outline=_BORDER)
            sheet.paste(Image.fromarray(pictures[row, column]), (x, y))
    for row, text in enumerate(row_labels):
        middle = top + row * step_y + height / 2
        pen.text((left - _PAD * scale, middle), text, _TEXT, font, anchor="rm")
    return sheet


def overview(stimuli: StimulusSet) -> Image.Image:
    """Lay out as much of a set as a notebook shows: few values of each axis.

    Examples
    --------
    >>> from visioncircuits.stimuli import named
    >>> overview(named("high-low")).mode
    'RGB'
    """
    most = 12
    while most > 1 and math.prod(min(len(a), most) for a in stimuli.axes.values()) > _SHOWN:
        most -= 1
    return contact_sheet(stimuli, most=most)


def row_of(stimulus: Stimulus) -> Image.Image:
    """Lay out the first pictures of a batch in a row."""
    pixels = (stimulus.picture[:_ROW] * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
    return Image.fromarray(
        np.concatenate([np.pad(p, ((0, 0), (0, _GAP), (0, 0))) for p in pixels], 1)
    )


def _font(name: str, size: int) -> ImageFont.FreeTypeFont:
    # Pillow's default font lacks × and ∞; this one is part of matplotlib
    import matplotlib

    return ImageFont.truetype(f"{matplotlib.get_data_path()}/fonts/ttf/{name}.ttf", size)


def _label(value: Value) -> str:
    if isinstance(value, str):
        return value
    return "∞" if math.isinf(value) else f"{value:.3g}"


def _pictures(stimuli: StimulusSet, across: str, scale: int) -> np.ndarray:
    """Return every picture as bytes, (row, column, height, width, 3)."""
    drawn = [
        (stimulus.picture * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
        for _, stimulus in stimuli.batches(64)
    ]
    grid = np.concatenate(drawn)
    grid = grid.reshape(*stimuli.shape, *grid.shape[1:])
    if across:
        axis = stimuli.dims.index(across)
        grid = np.moveaxis(grid, axis, len(stimuli.dims) - 1)
        grid = grid.reshape(-1, len(stimuli.axes[across]), *grid.shape[-3:])
    else:
        grid = grid[None]
    return grid.repeat(scale, axis=2).repeat(scale, axis=3)
