"""All small pictures of a layer on one sheet, so that a page with a hundred loads a few files."""

from io import BytesIO
from math import ceil
from pathlib import Path

from PIL import Image

from visioncircuits.gallery.contents import LayerEntry

COLUMNS, SIDE = 20, 96
"""How many pictures stand side by side, and their side in pixels."""


def sheet(layer: LayerEntry, out: Path) -> bytes:
    """Put a layer's thumbnails on a WebP, in the order of its units; dead ones stay empty.

    Parameters
    ----------
    out
        The site's folder, in which they are.
    """
    rows = ceil(len(layer.units) / COLUMNS)
    whole = Image.new("RGB", (COLUMNS * SIDE, rows * SIDE), (127, 127, 127))
    for place, unit in enumerate(layer.units):
        if not unit.first.dead:
            with Image.open(out / unit.first.thumbnail) as picture:
                small = picture.convert("RGB").resize((SIDE, SIDE), Image.Resampling.LANCZOS)
            column, row = position(place)
            whole.paste(small, (column * SIDE, row * SIDE))
    buffer = BytesIO()
    whole.save(buffer, "WEBP", quality=80)
    return buffer.getvalue()


def position(place: int) -> tuple[int, int]:
    """Say in which column and row of the sheet a layer's unit is.

    Examples
    --------
    >>> position(0), position(23)
    ((0, 0), (3, 1))
    """
    row, column = divmod(place, COLUMNS)
    return column, row
