"""A stimulus set as one labeled picture."""

import math
from itertools import product

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from visioncircuits.errors import InputError, unknown
from visioncircuits.stimuli.axes import Value
from visioncircuits.stimuli.sets import StimulusSet

_GAP = 2
_PAD = 12
_TEXT, _QUIET, _RULE = "#202020", "#707070", "#d8d8d8"


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
        How many values of an axis are shown at most; of more, every second, third or so on, and
        the heading says how many there are.
    scale : int
        Pixels of the sheet for one of a stimulus, each way.

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
    shown = stimuli.isel(
        **{
            name: slice(None, None, math.ceil(len(values) / most))
            for name, values in stimuli.axes.items()
        }
    )
    across = columns or next(iter(shown.dims), "")
    down = [name for name in shown.dims if name != across]
    column_values = shown.axes.get(across, ("",))
    row_values = list(product(*(shown.axes[name] for name in down)))

    font, bold = _font("DejaVuSans", 10 * scale), _font("DejaVuSans-Bold", 11 * scale)
    row_labels = [" · ".join(map(_label, values)) for values in row_values]
    column_labels = [_label(value) for value in column_values]
    rows_name = " · ".join(down)
    left = _PAD * scale + max(font.getlength(text) for text in (*row_labels, rows_name))
    left = math.ceil(left) + _PAD * scale
    top = (_PAD + 20 + 16 + 18) * scale

    pictures = _pictures(shown, across, scale)
    height, width = pictures.shape[2:4]
    step_y, step_x = height + _GAP * scale, width + _GAP * scale
    heading = f"{stimuli.name}: " + " × ".join(
        f"{len(shown.axes[name])} of {len(values)} {name}"
        if len(shown.axes[name]) < len(values)
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
    pen.text((left, (_PAD + 20) * scale), f"{across} →" if across else "", _QUIET, font)
    pen.text((left - _PAD * scale, top - 5 * scale), rows_name, _QUIET, font, anchor="rs")
    # labels that would touch their neighbors leave some out
    every = math.ceil((max(map(font.getlength, column_labels)) + 6 * scale) / step_x)
    for column, text in enumerate(column_labels):
        x = left + column * step_x
        if column % every == 0:
            pen.text((x + width / 2, top - 5 * scale), text, _TEXT, font, anchor="ms")
        for row in range(len(row_values)):
            y = top + row * step_y
            # a rule, because a white stimulus on a white page has no border
            pen.rectangle((x - 1, y - 1, x + width, y + height), outline=_RULE)
            sheet.paste(Image.fromarray(pictures[row, column]), (x, y))
    for row, text in enumerate(row_labels):
        middle = top + row * step_y + height / 2
        pen.text((left - _PAD * scale, middle), text, _TEXT, font, anchor="rm")
    return sheet


def _font(name: str, size: int) -> ImageFont.FreeTypeFont:
    # Pillow's own font has neither × nor ∞; this one comes with matplotlib
    import matplotlib

    return ImageFont.truetype(f"{matplotlib.get_data_path()}/fonts/ttf/{name}.ttf", size)


def _label(value: Value) -> str:
    if isinstance(value, str):
        return value
    return "∞" if math.isinf(value) else f"{value:.3g}"


def _pictures(stimuli: StimulusSet, across: str, scale: int) -> np.ndarray:
    """Every picture as bytes, (row, column, height, width, 3)."""
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
