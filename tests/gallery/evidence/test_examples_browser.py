"""In a real browser crops and whole pictures can be switched with keys alone."""

import re
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from visioncircuits import gallery
from visioncircuits.gallery.evidence import tiles

pytestmark = [pytest.mark.browser, pytest.mark.slow]

RECIPE = """\
title = "Examples"
network = "torchvision:squeezenet1_1"
checkpoint = "random.safetensors"

[quality]
steps = 1
size = 32

[weights]
connections = 0

[examples]
top = 10

[[layers]]
name = "features.0"
units = [1, 2]
"""
UNIT = "layers/features.0/1.html"


@pytest.fixture(scope="module")
def built(random_squeezenet: Path, classes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("examples")
    (folder / "random.safetensors").symlink_to(random_squeezenet)
    (folder / "recipe.toml").write_text(RECIPE)
    out = folder / "out"
    index = gallery.build(folder / "recipe.toml", out, photographs=classes, workers=1)
    return index.parent


def shown(page: Page, tile: Locator, kind: str) -> None:
    """Wait until a tile shows a sheet of this kind and the sheet has loaded."""
    name = "crops" if kind == "crops" else "whole"
    expect(tile).to_have_css("background-image", re.compile(rf"-{name}\.webp"))
    page.wait_for_load_state("networkidle")


def sheet(out: Path, kind: str, place: int) -> np.ndarray:
    name = "crops" if kind == "crops" else "whole"
    (path,) = out.glob(f"examples/*/features.0-1-examples-{name}.webp")
    side = tiles.CROP if kind == "crops" else tiles.WHOLE
    row, column = divmod(place, tiles.COLUMNS)
    pitch = side + 2 * tiles.FRAME
    with Image.open(path) as whole:
        row += whole.height // pitch // 2 * (kind == "overlaid")  # below as many masked ones
        left, top = (at * pitch + tiles.FRAME for at in (column, row))
        return np.asarray(whole.convert("RGB").crop((left, top, left + side, top + side)), float)


@pytest.mark.parametrize("kind", ["crops", "masked", "overlaid"])
def test_each_tile_on_the_screen_is_its_own(page: Page, built: Path, kind: str) -> None:
    page.goto((built / UNIT).as_uri())
    page.locator(f'[value="{kind}"]').check()
    page.add_style_tag(content=".tile i { display: none !important } .tile { border-radius: 0 }")
    for place in (0, 9, 11):  # in the first and the second row of the sheet
        tile = page.locator(".tile").nth(place)
        shown(page, tile, kind)
        expected = sheet(built, kind, place)
        picture = Image.open(BytesIO(tile.screenshot())).convert("RGB")
        found = np.asarray(picture.resize(expected.shape[:2]), float)
        inside = np.abs(found - expected)[4:-4, 4:-4]
        assert inside.mean() < 4


def test_views_change_with_arrow_keys_and_the_page_stays(page: Page, built: Path) -> None:
    page.goto((built / UNIT).as_uri())
    tile = page.locator(".extreme").first
    expect(tile.locator("i")).to_be_hidden()
    page.locator('[value="crops"]').focus()
    for kind in ("masked", "overlaid"):
        page.keyboard.press("ArrowRight")
        shown(page, tile, kind)
        expect(tile.locator("i")).to_be_visible()
    expect(page.locator(".views .scale")).to_be_visible()
    expect(page.locator("h1")).to_have_text("features.0:1")


def test_the_box_frames_the_receptive_field(page: Page, built: Path) -> None:
    page.goto((built / UNIT).as_uri())
    page.locator('[value="masked"]').check()
    boxes = [page.locator(name).first.bounding_box() for name in (".extreme", ".extreme i")]
    assert boxes[0]
    assert boxes[1]
    share = boxes[1]["width"] / boxes[0]["width"]
    assert share <= 3 / 224 + 3 / boxes[0]["width"], "three pixels, and its border"


def test_ticks_are_between_the_columns_that_they_separate(page: Page, built: Path) -> None:
    page.goto((built / UNIT).as_uri())
    ticks = page.locator(".ticks span").all()
    columns = page.locator(".columns > div").all()
    assert len(ticks) == len(columns) + 1
    for tick, before, after in zip(ticks[1:], columns, columns[1:], strict=False):
        at, left, right = (each.bounding_box() for each in (tick, before, after))
        assert at
        assert left
        assert right
        middle = at["x"] + at["width"] / 2
        assert left["x"] + left["width"] - 1 <= middle <= right["x"] + 1


@pytest.mark.parametrize("width", [390, 1280])
def test_it_fits_its_page_without_scripts_too(browser: Browser, built: Path, width: int) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 900}, java_script_enabled=False
    )
    page = context.new_page()
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto((built / UNIT).as_uri())
    page.locator('[value="overlaid"]').check()
    shown(page, page.locator(".extreme").first, "overlaid")
    box = page.locator("#examples").bounding_box()
    assert box
    assert box["x"] + box["width"] <= width
    for wide in page.locator("#examples *").all():
        inner = wide.bounding_box()
        assert inner is None or inner["x"] + inner["width"] <= width
    assert all(url.startswith(("file:", "data:")) for url in requests)
    context.close()
