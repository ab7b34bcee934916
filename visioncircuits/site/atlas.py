"""The page of activation atlases: tiled pictures to zoom into, cells, classes, several sheets."""

import base64
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32
from PIL import Image

from visioncircuits import __version__, files
from visioncircuits.atlas import Atlas
from visioncircuits.errors import InputError
from visioncircuits.numbers import whole
from visioncircuits.site import atlas_cells, atlas_tiles, pages
from visioncircuits.site.atlas_cells import Crops

SCRIPTS = (
    "atlas_data.js",
    "atlas_plane.js",
    "atlas_tiles.js",
    "atlas_search.js",
    "atlas_panel.js",
    "atlas.js",
    "atlas_controls.js",
)


@dataclass(frozen=True, eq=False)
class Sheet:
    """One atlas on a page; sheets that are laid out together are aligned.

    Attributes
    ----------
    name
        "mixed4c", or "dog against wolf".
    atlas
        Its grids may have up to 255 cells along an axis.
    icons
        Of each grid, pictures of cells by number; a cell without one is drawn plain. A mapping
        that reads or renders them when asked keeps memory small: each is asked for once.
    crops
        From the numbers of a grid and a cell, receptive-field crops of the photographs behind it.
    marks
        Of directions by name, such as a unit's or a dictionary's atom: for each grid, what its
        cells' means are along it.

    Raises
    ------
    InputError
        Where pictures or values are not of the atlas's grids.
    """

    name: str
    atlas: Atlas
    icons: Sequence[Mapping[int, Image.Image]]
    crops: Crops | None = None
    marks: Mapping[str, Sequence[Float32[np.ndarray, " _"]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        grids = self.atlas.grids
        if len(self.icons) != len(grids):
            raise InputError(
                f"{self.name} has {len(grids)} grids, and pictures of {len(self.icons)}; give one "
                "mapping a grid, which may be empty"
            )
        for grid in grids:
            whole("the side of a grid", grid.side, least=1, most=255)
        for name, values in self.marks.items():
            if [len(each) for each in values] != [len(grid) for grid in grids]:
                raise InputError(f"{name} has not one value for each cell of {self.name}")


def write(sheets: Sequence[Sheet], out: str | Path, *, title: str, cell: int = 80) -> Path:
    """Write the page of one or more atlases; nothing else in its folder is touched.

    Parameters
    ----------
    sheets
        In the order in which a reader slides through them.
    out
        The page's folder.
    title
        The page's heading.
    cell
        Side of a cell's picture at full size, in pixels.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    InputError
        Without sheets, for two of one name, and where a file cannot be written.

    Examples
    --------
    >>> write([], "atlas", title="mixed4c")
    Traceback (most recent call last):
    visioncircuits.errors.InputError: there is no atlas to write a page of; give one sheet or more
    """
    out = Path(out)
    if not sheets:
        raise InputError("there is no atlas to write a page of; give one sheet or more")
    for name, count in Counter(sheet.name for sheet in sheets).items():
        if count > 1:
            raise InputError(f"{count} sheets are named {name}; name each differently")
    cell = whole("cell", cell, least=8, most=512)
    listed = [
        _sheet(sheet, f"sheets/{place}-{pages.file_name(sheet.name)}", out, cell=cell)
        for place, sheet in enumerate(sheets)
    ]
    for name in ("gallery.css", "atlas.css", "gallery.js", *SCRIPTS):
        files.write(out / "assets" / name, pages.asset(name))
    files.write_json(out / "atlas.json", {sheet.name: dict(sheet.atlas.record) for sheet in sheets})
    page = pages.render(
        "atlas.html",
        title=title,
        sheets=sheets,
        listed=listed,
        scripts=SCRIPTS,
        sides=sorted({grid.side for sheet in sheets for grid in sheet.atlas.grids}),
        whole=_whole(listed[0]),
        data=pages.script(
            {
                "cell": cell,
                "block": atlas_tiles.BLOCK,
                "columns": atlas_cells.COLUMNS,
                "together": atlas_cells.TOGETHER,
                "sheets": listed,
            }
        ),
        version=__version__,
    )
    files.write(out / "index.html", page.encode())
    return out / "index.html"


def _sheet(sheet: Sheet, folder: str, out: Path, *, cell: int) -> dict[str, Any]:
    """Write all of a sheet, and return what a page knows of it before it is shown."""
    atlas = sheet.atlas
    for index, (grid, icons) in enumerate(zip(atlas.grids, sheet.icons, strict=True)):
        atlas_tiles.write(grid, icons, out / folder / f"{grid.side}" / "tiles", cell=cell)
        atlas_cells.write_blocks(atlas, index, sheet.crops, out, f"{folder}/{grid.side}/cells")
    led = [
        [grid.attribution[:, place] for grid in atlas.grids] for place in range(len(atlas.classes))
    ]
    columns = [*led, *sheet.marks.values()]
    atlas_cells.write_values(columns, out, f"{folder}/values")
    content = {
        "classes": distinct(atlas.classes),
        "marks": list(sheet.marks),
        "grids": [
            {
                "side": grid.side,
                "levels": atlas_tiles.levels(grid.side),
                "cells": base64.b64encode(_flat(grid.cells, grid.side)).decode(),
                "most": _most(grid.attribution),
            }
            for grid in atlas.grids
        ],
    }
    atlas_cells.write_script(out, f"{folder}/sheet.js", content)
    samples = atlas.samples
    return {
        "name": sheet.name,
        "folder": folder,
        "sides": [grid.side for grid in atlas.grids],
        "facts": (
            f"{samples.layer} of {samples.network} · {len(samples):,} positions of "
            f"{len(samples.names):,} photograph{'s' if len(samples.names) != 1 else ''}"
        ),
    }


def _flat(cells: np.ndarray, side: int) -> bytes:
    return (cells @ [side, 1]).astype("<u2").tobytes()


def _most(attribution: np.ndarray) -> float:
    return float(f"{np.abs(attribution).max(initial=0):.4g}")


def _whole(sheet: Mapping[str, Any]) -> str:
    """Return the path of the tile that holds all of the coarsest grid."""
    side = sheet["sides"][0]
    return f"{sheet['folder']}/{side}/tiles/{atlas_tiles.levels(side)}-0-0.webp"


def distinct(names: Sequence[str]) -> list[str]:
    """Number the names that occur twice: ImageNet has two cranes.

    Examples
    --------
    >>> distinct(["hare", "crane", "crane"])
    ['hare', 'crane (1)', 'crane (2)']
    """
    counts = Counter(names)
    seen: Counter[str] = Counter()
    found = []
    for name in names:
        seen[name] += 1
        found.append(f"{name} ({seen[name]})" if counts[name] > 1 else name)
    return found
