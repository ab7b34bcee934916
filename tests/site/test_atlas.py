import base64
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from visioncircuits.errors import InputError
from visioncircuits.site import atlas
from visioncircuits.site.atlas import Sheet

CELL = 8
"""Pixels of a cell at full size: tiles have 64."""


def coarse(sheet: Sheet, grids: int) -> Sheet:
    """The same atlas without its finer grids."""
    return replace(
        sheet,
        atlas=replace(sheet.atlas, grids=sheet.atlas.grids[:grids]),
        icons=sheet.icons[:grids],
        marks={name: values[:grids] for name, values in sheet.marks.items()},
    )


@pytest.fixture(scope="module")
def two(sheets: tuple[Sheet, Sheet]) -> tuple[Sheet, Sheet]:
    return coarse(sheets[0], 2), coarse(sheets[1], 2)


@pytest.fixture(scope="module")
def page(two: tuple[Sheet, Sheet], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return atlas.write(two, tmp_path_factory.mktemp("atlas"), title="an <atlas>", cell=CELL)


def content(path: Path) -> Any:
    """What a data file hands to the page."""
    name, data = json.loads(f"[{path.read_text('utf-8').removeprefix('loaded(').strip()[:-1]}]")
    assert path.as_posix().endswith(name)
    return data


def test_every_cell_is_in_its_place_at_every_level(page: Path, two: tuple[Sheet, Sheet]):
    for number, sheet in enumerate(two):
        for grid in sheet.atlas.grids:
            tiles = page.parent / f"sheets/{number}-{sheet.name}/{grid.side}/tiles"
            levels = {int(path.name[0]) for path in tiles.iterdir()}
            assert levels == set(range(int(np.ceil(np.log2(grid.side / 8))) + 1))
            for level in levels:
                across = 8 * 2**level  # cells of a tile
                blocks = -(-grid.side // across)
                whole = Image.new("RGBA", (64 * blocks, 64 * blocks))
                for path in tiles.glob(f"{level}-*.webp"):
                    _, row, column = map(int, path.stem.split("-"))
                    whole.paste(Image.open(path), (64 * column, 64 * row))
                pixels = np.asarray(whole).astype(int)
                row, column = np.floor((grid.cells.T + 0.5) * 64 / across).astype(int)
                expected = np.stack([*(grid.cells[:, ::-1].T + 0.5) / grid.side * 255], 1)
                found = pixels[row, column]
                assert (found[:, 3] == 255).all()
                errors = np.abs(found[:, :2] - expected).max(1)
                assert np.quantile(errors, 0.9 if level > 1 else 1) < 12  # WebP mixes few pixels
                shown = pixels[..., 3].sum() / 255 / whole.width**2 * blocks**2 * across**2
                assert shown == pytest.approx(len(grid), rel=0.02)


def test_where_no_cell_is_there_is_no_file(page: Path):
    folder = page.parent / "sheets/1-mixed4d/40"
    assert not (folder / "tiles/0-0-0.webp").exists()
    assert not (folder / "cells/0-0.js").exists()
    assert (folder / "tiles/0-0-1.webp").exists()


def test_details_are_those_of_a_group_by(page: Path, two: tuple[Sheet, Sheet]):
    sheet = two[0]
    grid = sheet.atlas.grids[0]
    cells: dict[str, Any] = {}
    for path in sorted((page.parent / "sheets/0-mixed4c/20/cells").glob("*.js")):
        plain = content(path)
        picture = np.asarray(Image.open(path.with_suffix(".webp")))
        assert picture.shape == (plain["rows"] * 72, 16 * 72, 3)
        for cell, (_, _, _, first, count) in plain["cells"].items():
            expected = sheet.atlas.samples.photographs[grid.samples(int(cell))[:3]] * 8
            assert count == len(expected)
            for place, red in enumerate(expected, first):
                down, right = divmod(place, 16)
                assert abs(int(picture[72 * down + 36, 72 * right + 36, 0]) - red) < 8
        cells.update(plain["cells"])
    assert sorted(map(int, cells)) == list(range(400))
    for cell, (count, photographs, strongest, *_) in cells.items():
        inside = grid.member == int(cell)
        assert count == inside.sum()
        assert photographs == len(set(sheet.atlas.samples.photographs[inside].tolist()))
        led = grid.attribution[int(cell)]
        assert dict(strongest) == {
            index: pytest.approx(float(value), rel=1e-3) for index, value in enumerate(led) if value
        }
        values = [value for _, value in strongest]
        assert values == sorted(values, reverse=True)


def test_values_of_classes_and_directions_come_back(page: Path, two: tuple[Sheet, Sheet]):
    plain = content(page.parent / "sheets/0-mixed4c/sheet.js")
    assert plain["classes"] == ["hare", "red fox", "<tabby>", "crane (1)", "crane (2)"]
    assert plain["marks"] == ["curve atom"]
    packed = content(page.parent / "sheets/0-mixed4c/values/0.js")
    whole = np.concatenate([grid.attribution for grid in two[0].atlas.grids])
    expected = [*whole.T, np.concatenate(list(two[0].marks["curve atom"]))]
    for (most, text), values in zip(packed, expected, strict=True):
        parts = np.frombuffer(base64.b64decode(text), "<i2")
        assert np.allclose(parts / 32767 * most, values, atol=most / 32767)


def test_the_page_links_only_to_its_own_files(page: Path):
    text = page.read_text("utf-8")
    links = set(re.findall(r'(?:src|href)="([^"#]+)"', text)) - {"data:,"}
    assert [link for link in links if not (page.parent / link).exists()] == []
    assert "an &lt;atlas&gt;" in text
    assert "http" not in text


def test_the_same_atlas_is_the_same_bytes_and_other_files_stay(
    two: tuple[Sheet, Sheet], tmp_path: Path
):
    def contents() -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    one = [coarse(two[1], 1)]
    atlas.write(one, tmp_path, title="twice", cell=CELL)
    (tmp_path / "notes.txt").write_text("mine")
    before = contents()
    atlas.write(one, tmp_path, title="twice", cell=CELL)
    assert contents() == before


def test_pictures_are_asked_for_once_and_a_cell_without_one_is_plain(
    two: tuple[Sheet, Sheet], tmp_path: Path
):
    asked: list[int] = []

    class Few(dict[int, Image.Image]):
        def __getitem__(self, cell: int) -> Image.Image:
            asked.append(cell)
            return Image.new("RGB", (8, 8), "red")

    few = Few.fromkeys([0, 21, 399])
    sheet = replace(coarse(two[0], 1), name="few", icons=[few], crops=None)
    asked.clear()  # where shapes are checked, one was looked at
    atlas.write([sheet], tmp_path, title="few", cell=CELL)
    assert sorted(asked) == [0, 21, 399]
    tile = Image.open(tmp_path / "sheets/0-few/20/tiles/0-0-0.webp")
    assert tile.getpixel((4, 4))[3] == tile.getpixel((12, 12))[3] == 255
    assert tile.getpixel((20, 4))[3] == 72
    assert not list(tmp_path.rglob("cells/*.webp"))


def refused(two: tuple[Sheet, Sheet]) -> Iterator[tuple[Any, str]]:
    one = two[1]
    yield lambda out: atlas.write([one, one], out, title="two"), "2 sheets are named mixed4d"
    yield lambda out: replace(one, icons=[{}]), "has 2 grids, and pictures of 1"
    yield (
        lambda out: replace(one, marks={"atom": [np.zeros(3, np.float32)] * 2}),
        "atom has not one value",
    )


def test_what_does_not_fit_is_refused_before_anything_is_written(
    two: tuple[Sheet, Sheet], tmp_path: Path
):
    for attempt, message in refused(two):
        with pytest.raises(InputError, match=message):
            attempt(tmp_path / "no")
    assert not (tmp_path / "no").exists()
