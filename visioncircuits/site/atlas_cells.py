"""Numbers and photographs of an atlas's cells, in files that a page loads where they are looked at.

A page opened from a disk cannot fetch, but it can add a script: each file is a call, `loaded(path,
data)`.
"""

import base64
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, Int64
from PIL import Image

from visioncircuits import files
from visioncircuits.atlas import Atlas, Grid
from visioncircuits.site.atlas_tiles import BLOCK, block, square, webp

CROP, COLUMNS = 72, 16
"""Side of a crop in pixels, and how many are in a row of a block's sheet."""

FOR, AGAINST = 5, 3
"""Classes that are listed of a cell."""

TOGETHER = 16
"""Classes or directions whose values are in one file."""

Crops = Callable[[int, int], Sequence[Image.Image]]
"""What is behind a cell, by the numbers of its grid and of the cell."""


def write_script(root: Path, path: str, content: Any) -> None:
    """Write data as a script that hands it to the page."""
    text = f"loaded({json.dumps(path)},{json.dumps(content, separators=(',', ':'))})\n"
    files.write(root / path, text.encode())


def write_blocks(atlas: Atlas, index: int, crops: Crops | None, root: Path, folder: str) -> None:
    """Write details of a grid's cells, `row-column.js`, and their crops, `row-column.webp`."""
    grid = atlas.grids[index]
    seen = photographs(atlas, grid)
    blocks = -(-grid.side // BLOCK)
    for row, column in np.ndindex(blocks, blocks):
        numbers = block(grid, row, column)
        if not numbers:
            continue
        behind = [list(crops(index, number)) if crops else [] for number in numbers]
        first = np.cumsum([0, *map(len, behind)]).tolist()
        cells = {
            number: [
                int(grid.counts[number]),
                int(seen[number]),
                strongest(grid.attribution[number]),
                first[place],
                len(behind[place]),
            ]
            for place, number in enumerate(numbers)
        }
        rows = -(-first[-1] // COLUMNS)
        write_script(root, f"{folder}/{row}-{column}.js", {"rows": rows, "cells": cells})
        if rows:
            pictures = [picture for each in behind for picture in each]
            files.write(root / folder / f"{row}-{column}.webp", webp(_sheet(pictures, rows)))


def _sheet(pictures: Sequence[Image.Image], rows: int) -> Image.Image:
    whole = Image.new("RGB", (COLUMNS * CROP, rows * CROP), (127, 127, 127))
    for place, picture in enumerate(pictures):
        row, column = divmod(place, COLUMNS)
        whole.paste(square(picture, CROP), (column * CROP, row * CROP))
    return whole


def photographs(atlas: Atlas, grid: Grid) -> Int64[np.ndarray, " cells"]:
    """Count the photographs that a cell's samples are from."""
    inside = grid.member >= 0
    pairs = np.stack([grid.member[inside], atlas.samples.photographs[inside]])
    return np.bincount(np.unique(pairs, axis=1)[0], minlength=len(grid)).astype(np.int64)


def strongest(attribution: Float32[np.ndarray, " classes"]) -> list[list[float]]:
    """List the classes that a cell raised most and lowered most, as number and value.

    Examples
    --------
    >>> strongest(np.array([0.5, -2.0, 0.0, 3.0], np.float32))
    [[3, 3.0], [0, 0.5], [1, -2.0]]
    """
    order = np.argsort(-attribution, kind="stable")
    raised = [number for number in order[:FOR] if attribution[number] > 0]
    lowered = [number for number in order[::-1][:AGAINST] if attribution[number] < 0]
    return [
        [int(number), float(f"{attribution[number]:.4g}")] for number in [*raised, *lowered[::-1]]
    ]


def write_values(
    columns: Sequence[Sequence[Float32[np.ndarray, " _"]]], root: Path, folder: str
) -> None:
    """Write what all cells have of a class or a direction, so many in a file.

    Parameters
    ----------
    columns
        Of each class or direction, values of the cells of all grids.
    """
    for start in range(0, len(columns), TOGETHER):
        packed = [pack(np.concatenate(each)) for each in columns[start : start + TOGETHER]]
        write_script(root, f"{folder}/{start // TOGETHER}.js", packed)


def pack(values: Float32[np.ndarray, " cells"]) -> tuple[float, str]:
    """Return the greatest absolute value, and all values as 16-bit parts of it in base 64.

    Examples
    --------
    >>> pack(np.array([-2.0, 1.0, 0.0], np.float32))
    (2.0, 'AYAAQAAA')
    """
    most = float(np.abs(values).max(initial=0))
    parts = np.round(values / (most or 1) * 32767).astype("<i2")
    return most, base64.b64encode(parts.tobytes()).decode()
