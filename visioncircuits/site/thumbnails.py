"""Many thumbnails on one sheet, so that a page with a hundred of them loads a few files."""

from collections.abc import Sequence
from io import BytesIO
from math import ceil
from pathlib import Path
from zipfile import ZipFile

from PIL import Image

COLUMNS, SIDE = 64, 96
"""Thumbnails in a row, and their side in pixels: WebP ends at 16,383, for 10,880 of them."""


def sheet(paths: Sequence[Path | None]) -> bytes:
    """Put thumbnails on one WebP, in order; places of None stay gray.

    A file may be in a zip archive, as if that were its folder.
    """
    rows = ceil(len(paths) / COLUMNS)
    whole = Image.new("RGB", (COLUMNS * SIDE, rows * SIDE), (127, 127, 127))
    for place, path in enumerate(paths):
        if path is not None:
            with Image.open(_content(path)) as picture:
                small = picture.convert("RGB").resize((SIDE, SIDE), Image.Resampling.LANCZOS)
            column, row = position(place)
            whole.paste(small, (column * SIDE, row * SIDE))
    buffer = BytesIO()
    whole.save(buffer, "WEBP", quality=80)
    return buffer.getvalue()


def _content(path: Path) -> BytesIO:
    if path.parent.suffix != ".zip":
        return BytesIO(path.read_bytes())
    with ZipFile(path.parent) as files:
        return BytesIO(files.read(path.name))


def position(place: int) -> tuple[int, int]:
    """Compute the column and the row of a thumbnail on the sheet.

    Examples
    --------
    >>> position(0), position(87)
    ((0, 0), (23, 1))
    """
    row, column = divmod(place, COLUMNS)
    return column, row
