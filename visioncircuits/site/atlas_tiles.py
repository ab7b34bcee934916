"""An atlas's pictures in tiles: squares of cells at full size, and at each half of it."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from visioncircuits import files
from visioncircuits.atlas import Grid

BLOCK = 8
"""Cells along either side of a tile at full size."""

PLAIN = (128, 128, 128, 72)
"""A cell without a picture, on light and on dark ground."""

QUALITY = 84
"""Of WebP."""


def levels(side: int) -> int:
    """Count how often a grid is halved until one tile holds it.

    Examples
    --------
    >>> [levels(side) for side in (5, 8, 10, 20, 80)]
    [0, 0, 1, 2, 4]
    """
    return max((-(-side // BLOCK) - 1).bit_length(), 0)


def write(grid: Grid, icons: Mapping[int, Image.Image], folder: Path, *, cell: int) -> None:
    """Write all tiles of a grid as `level-row-column.webp`; where it has no cell there is none.

    A tile of level 0 is a block of cells at full size, one of the next level is four of them at
    half their size. No more than four tiles of each level are in memory.

    Parameters
    ----------
    icons
        Pictures of cells by number; each is asked for once.
    cell
        Side of a cell at full size, in pixels.
    """
    _Tiles(grid, icons, folder, cell).tile(levels(grid.side), 0, 0)


@dataclass(frozen=True)
class _Tiles:
    grid: Grid
    icons: Mapping[int, Image.Image]
    folder: Path
    cell: int

    def tile(self, level: int, row: int, column: int) -> Image.Image | None:
        """Draw a tile and those that it is made of, and write them; None without a cell."""
        side = BLOCK * self.cell
        whole = Image.new("RGBA", (side, side))
        if level == 0:
            found = self._draw(whole, row, column)
        else:
            parts = {
                (down, right): self.tile(level - 1, 2 * row + down, 2 * column + right)
                for down in (0, 1)
                for right in (0, 1)
            }
            for (down, right), part in parts.items():
                if part is not None:
                    whole.paste(part.reduce(2), (right * side // 2, down * side // 2))
            found = any(part is not None for part in parts.values())
        if not found:
            return None
        files.write(self.folder / f"{level}-{row}-{column}.webp", webp(whole))
        return whole

    def _draw(self, whole: Image.Image, row: int, column: int) -> bool:
        """Put the pictures of a block's cells in place; False where it has none."""
        numbers = block(self.grid, row, column)
        for number in numbers:
            down, right = (int(at) % BLOCK * self.cell for at in self.grid.cells[number])
            if number in self.icons:
                picture = square(self.icons[number], self.cell)
            else:
                picture = Image.new("RGBA", (self.cell, self.cell), PLAIN)
            whole.paste(picture, (right, down))
        return bool(numbers)


def block(grid: Grid, row: int, column: int) -> list[int]:
    """List the numbers of the cells in a block, row by row."""
    return [
        grid.number[down, right]
        for down in range(row * BLOCK, (row + 1) * BLOCK)
        for right in range(column * BLOCK, (column + 1) * BLOCK)
        if (down, right) in grid.number
    ]


def square(picture: Image.Image, side: int) -> Image.Image:
    """Return a picture as RGB, of `side` pixels."""
    picture = picture.convert("RGB")
    if picture.size == (side, side):
        return picture
    return picture.resize((side, side), Image.Resampling.LANCZOS)


def webp(picture: Image.Image) -> bytes:
    """Encode a picture as a page has it."""
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", quality=QUALITY)
    return buffer.getvalue()
