"""A stimulus set as one labeled picture, and the pictures that notebooks show."""

import io
import math
from itertools import product

import numpy as np
from jaxtyping import Float32
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from visioncircuits.errors import InputError, unknown
from visioncircuits.stimuli.axes import Value
from visioncircuits.stimuli.sets import StimulusSet
from visioncircuits.stimuli.stimulus import Stimulus

SHOWN = 40
"""Stimuli that a notebook shows at most."""

_ACROSS = 12
"""Of them on one axis."""

_SIDE = 64
"""Their largest side in a notebook, in pixels."""

_GAP = 2
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
    steps = {name: math.ceil(len(values) / most) for name, values in stimuli.axes.items()}
    return _sheet(stimuli, steps, columns or next(iter(stimuli.dims), ""), scale=scale)


def overview(stimuli: StimulusSet) -> Image.Image:
    """Lay out some stimuli of a set, evenly over its axes and small, as `contact_sheet` does."""
    steps = dict.fromkeys(stimuli.axes, 1)
    counts = dict(zip(stimuli.dims, stimuli.shape, strict=True))
    while math.prod(counts.values()) > SHOWN or max(counts.values(), default=1) > _ACROSS:
        longest = max(counts, key=lambda name: counts[name])
        steps[longest] += 1
        counts[longest] = math.ceil(len(stimuli.axes[longest]) / steps[longest])
    across = max(counts, key=lambda name: counts[name], default="")
    return _sheet(stimuli, steps, across, most=_SIDE)


def row_of(stimulus: Stimulus) -> Image.Image:
    """Lay out the pictures of a batch from left to right, of many some, evenly."""
    chosen = stimulus.picture[:: math.ceil(len(stimulus) / _ACROSS)]
    pictures = [
        _shrunk(picture, _SIDE if len(chosen) > 1 else 4 * _SIDE) for picture in _bytes(chosen)
    ]
    height, width = pictures[0].shape[:2]
    row = Image.new("RGB", (len(pictures) * (width + _GAP) + _GAP, height + 2 * _GAP), _BORDER)
    for place, picture in enumerate(pictures):
        row.paste(Image.fromarray(picture), (_GAP + place * (width + _GAP), _GAP))
    return row


def png(image: Image.Image) -> bytes:
    """Return an image as a PNG."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def _sheet(
    stimuli: StimulusSet,
    steps: dict[str, int],
    across: str,
    *,
    scale: int = 1,
    most: int | None = None,
) -> Image.Image:
    """Lay out every so many values of each axis; pictures larger than `most` are reduced to it."""
    thinned = stimuli.isel(**{name: slice(None, None, step) for name, step in steps.items()})
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

    pictures = _pictures(thinned, across, scale, most)
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


def _font(name: str, size: int) -> ImageFont.FreeTypeFont:
    # Pillow's default font lacks × and ∞; this one is part of matplotlib
    import matplotlib

    return ImageFont.truetype(f"{matplotlib.get_data_path()}/fonts/ttf/{name}.ttf", size)


def _label(value: Value) -> str:
    if isinstance(value, str):
        return value
    return "∞" if math.isinf(value) else f"{value:.3g}"


def _pictures(stimuli: StimulusSet, across: str, scale: int, most: int | None) -> np.ndarray:
    """Return every picture as bytes, (row, column, height, width, 3)."""
    drawn = [_bytes(stimulus.picture) for _, stimulus in stimuli.batches(64)]
    grid = np.concatenate(drawn)
    if most is not None:
        grid = np.stack([_shrunk(picture, most) for picture in grid])
    grid = grid.reshape(*stimuli.shape, *grid.shape[1:])
    if across:
        axis = stimuli.dims.index(across)
        grid = np.moveaxis(grid, axis, len(stimuli.dims) - 1)
        grid = grid.reshape(-1, len(stimuli.axes[across]), *grid.shape[-3:])
    else:
        grid = grid[None]
    return grid.repeat(scale, axis=2).repeat(scale, axis=3)


def _bytes(pictures: Float32[Tensor, "batch 3 height width"]) -> np.ndarray:
    """Return pictures as bytes, (batch, height, width, 3)."""
    return (pictures * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()


def _shrunk(picture: np.ndarray, most: int) -> np.ndarray:
    """Reduce a picture whose longer side is longer than `most` pixels."""
    image = Image.fromarray(picture)
    image.thumbnail((most, most))
    return np.asarray(image)
