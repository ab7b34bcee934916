"""In a real browser a reader zooms into an atlas, looks at cells, finds classes, and comes back."""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, floor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from visioncircuits.site import atlas
from visioncircuits.site.atlas import Sheet

pytestmark = [pytest.mark.browser, pytest.mark.slow]

expect.set_options(timeout=30_000)  # a busy machine is not a broken page

CELL = 16


@pytest.fixture(scope="module")
def address(sheets: tuple[Sheet, Sheet], tmp_path_factory: pytest.TempPathFactory) -> str:
    out = tmp_path_factory.mktemp("atlas")
    return atlas.write(sheets, out, title="an atlas", cell=CELL).as_uri()


@pytest.fixture(scope="module")
def browser(chromium: Path) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield running
        running.close()


def opened(browser: Browser, address: str, **options: object) -> Iterator[Page]:
    """The page, of which nothing may go wrong."""
    size = {"width": 1280, "height": 900}
    page = browser.new_page(**{"viewport": size, "reduced_motion": "reduce", **options})
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text))
    page.on("requestfailed", lambda request: wrong.append(request.url))
    page.goto(address)
    yield page
    page.close()
    assert wrong == []


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    yield from opened(browser, address)


@pytest.fixture
def phone(browser: Browser, address: str) -> Iterator[Page]:
    size = {"width": 390, "height": 844}
    yield from opened(
        browser, address, viewport=size, has_touch=True, is_mobile=True, color_scheme="dark"
    )


LOADED = """() => {
  const layers = document.querySelectorAll(".layer");
  const images = [...document.querySelectorAll(".layer img.loaded")];
  return layers.length === 1 && images.length === layers[0].children.length && images.length
    && images.every((image) => getComputedStyle(image).opacity === "1");
}"""


def settled(page: Page) -> None:
    """Wait until one layer is left, and all of its tiles are there."""
    page.wait_for_function(LOADED)


@dataclass(frozen=True)
class Window:
    """Where the plane is in the map."""

    width: float
    height: float
    x: float
    y: float
    side: float
    cells: int

    def place(self, x: float, y: float) -> tuple[float, float]:
        across, down = (x - self.x) * self.side, (y - self.y) * self.side
        return self.width / 2 + across, self.height / 2 + down


def window(page: Page) -> Window:
    return Window(
        **page.evaluate(
            """() => ({ ...plane.size(), x: plane.view.x, y: plane.view.y, side: plane.side(),
                        cells: grid.side })"""
        )
    )


def at(page: Page, x: float, y: float) -> tuple[float, float]:
    """Where a place of the plane is on the page."""
    box = page.locator("#map").bounding_box()
    assert box
    across, down = window(page).place(x, y)
    return box["x"] + across, box["y"] + down


def count_right(page: Page, *, blue: int, hole: float = 0) -> int:
    """Check that cells lie where their colors have them, and count those in view."""
    settled(page)
    picture = page.locator("#map").screenshot()
    pixels = np.asarray(Image.open(io.BytesIO(picture)).convert("RGB")).astype(int)
    here = window(page)
    seen = 0
    for row, column in np.ndindex(here.cells, here.cells):
        x, y = (column + 0.5) / here.cells, (row + 0.5) / here.cells
        across, down = here.place(x, y)
        covered = across > here.width - 60 or (down < 50 and across < 160)
        inside = 0 <= across < here.width and 0 <= down < here.height
        if covered or not inside or max(x, y) < hole:
            continue
        found = pixels[floor(down), floor(across)]
        assert np.abs(found - (255 * x, 255 * y, blue)).max() < 24, (row, column, found)
        seen += 1
    return seen


def test_each_zoom_shows_the_right_cells_in_their_places_and_finer_grids(page: Page) -> None:
    sides = []
    page.locator("#map").focus()
    for _ in range(4):
        assert count_right(page, blue=40) > 50
        sides.append(window(page).cells)
        page.keyboard.press("+")
    assert sides == sorted(sides)
    assert (sides[0], sides[-1]) == (20, 80)
    page.keyboard.press("Home")
    assert count_right(page, blue=40) > 300
    page.get_by_label("Cells", exact=True).select_option("80 × 80")
    assert count_right(page, blue=40) > 5000


def test_atlases_are_changed_at_the_same_place(page: Page) -> None:
    page.locator("#map").focus()
    page.keyboard.press("+")
    page.keyboard.press("Shift+ArrowLeft")
    before = window(page)
    page.keyboard.press("PageDown")
    expect(page.locator("#sheet-name")).to_have_text("mixed4d")
    assert count_right(page, blue=220, hole=0.25) > 50
    assert window(page) == before
    page.get_by_label("Atlas", exact=True).fill("0")
    expect(page.locator("#facts")).to_contain_text("mixed4c of small")
    assert count_right(page, blue=40) > 50


def test_only_what_is_in_view_is_loaded(browser: Browser, address: str) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.rpartition("/sheets/")[2]))
    page.goto(f"{address}#grid=80&at=0.3_0.6_5")
    settled(page)
    here = window(page)
    span = 8 / 80 * here.side  # pixels of a tile at full size
    left, top = here.place(0, 0)
    rows = range(max(floor(-top / span), 0), min(ceil((here.height - top) / span), 10))
    columns = range(max(floor(-left / span), 0), min(ceil((here.width - left) / span), 10))
    tiles = {url for url in asked if "/tiles/" in url}
    expected = {f"0-mixed4c/80/tiles/0-{row}-{column}.webp" for row in rows for column in columns}
    assert tiles == expected
    assert len(expected) <= 20
    others = {url for url in asked if not url.startswith("file:")} - tiles
    assert others == {"0-mixed4c/sheet.js"}
    page.close()


def test_hovering_shows_a_cell_and_a_click_holds_it(
    page: Page, sheets: tuple[Sheet, Sheet]
) -> None:
    settled(page)
    page.mouse.move(*at(page, 0.525, 0.775))
    expect(page.locator("#cell h2")).to_have_text("Row 16, column 11")
    grid = sheets[0].atlas.grids[0]
    cell = grid.number[15, 10]
    expect(page.locator("#cell .head .facts")).to_contain_text(f"{grid.counts[cell]} position")
    count = min(int(grid.counts[cell]), 3)
    expect(page.locator(".crops i")).to_have_count(count)
    labels = [label.strip() for label in page.locator(".shares > button").all_inner_texts()]
    assert labels == ["<tabby>", "red fox", "hare", "crane (1)"]
    assert page.locator(".shares small").all_inner_texts() == ["1.3", "0.55", "0.025", "−0.525"]
    page.mouse.down()
    page.mouse.up()
    page.mouse.move(*at(page, 0.225, 0.225))
    page.mouse.move(*at(page, 0.125, 0.225))
    expect(page.locator("#cell h2")).to_have_text("Row 16, column 11")
    page.keyboard.press("Tab")
    page.locator("#map").focus()
    page.keyboard.press("Escape")
    page.mouse.move(*at(page, 0.225, 0.225))
    expect(page.locator("#cell h2")).to_have_text("Row 5, column 5")


def test_dragging_and_the_wheel_keep_what_is_under_the_pointer(page: Page) -> None:
    settled(page)
    before = at(page, 0.3, 0.3)
    page.mouse.move(*before)
    page.mouse.wheel(0, -480)
    page.wait_for_function("plane.view.zoom > 1.9")
    assert at(page, 0.3, 0.3) == pytest.approx(before, abs=1)
    page.mouse.down()
    page.mouse.move(before[0] - 40, before[1] - 30, steps=4)
    page.mouse.up()
    assert at(page, 0.3, 0.3) == pytest.approx((before[0] - 40, before[1] - 30), abs=1)
    assert page.evaluate("held") is None  # a drag is no click


def test_it_is_used_by_keyboard_alone(page: Page) -> None:
    settled(page)
    page.locator("#map").focus()
    assert page.locator("#map").evaluate("map => getComputedStyle(map).outlineStyle") == "solid"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    announced = page.locator("#announced")
    expect(announced).to_have_text(re.compile(r"Row 12, column 12: \d+ positions? of .*led to"))
    for _ in range(3):
        page.keyboard.press("+")
    for _ in range(12):
        page.keyboard.press("ArrowRight")
    inside = page.evaluate(
        """() => {
          const [cursor, map] = [".cursor", "#map"].map(
            (name) => document.querySelector(name).getBoundingClientRect());
          return cursor.left >= map.left - 1 && cursor.right <= map.right + 1;
        }"""
    )
    assert inside
    page.keyboard.press("PageDown")
    page.keyboard.press("Home")
    page.keyboard.press("/")
    page.keyboard.type("crane 2")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#class")).to_have_attribute("aria-activedescendant", "class-list-0")
    page.keyboard.press("Enter")
    expect(page.locator("#class")).to_have_value("crane (2)")


def test_arrow_keys_go_around_where_no_cell_is(page: Page) -> None:
    page.goto(page.url + "#sheet=mixed4d&cell=20-6-6")
    expect(page.locator("#cell h2")).to_have_text("Row 6, column 6")
    page.locator("#map").focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#cell h2")).not_to_have_text("Row 5, column 5")
    row, column = page.evaluate("(({ row, column }) => [row, column])(placed(held))")
    assert max(row, column) >= 5


def test_a_class_tints_cells_and_lists_the_strongest(page: Page) -> None:
    settled(page)
    page.locator("#class").fill("fox")
    page.get_by_role("option", name="red fox").click()
    expect(page.locator("#legend")).to_have_text(re.compile(r"red fox\s*−0.95\s*0.95 logits"))
    tint = page.locator(".tint").evaluate(
        """canvas => [...canvas.getContext("2d").getImageData(0, 0, 1, 20).data]"""
    )
    red, _, blue, _ = np.array(tint).reshape(20, 4).T
    assert (np.diff(red[:10]) >= -2).all()  # from blue over white to red
    assert blue[0] > red[0]
    assert red[-1] > blue[-1]
    first = page.locator(".jumps button").first
    expect(first).to_have_accessible_name("Row 20, column 1: 0.95")
    first.click()
    expect(page.locator("#cell h2")).to_have_text("Row 20, column 1")
    expect(page.locator(".shares .asked")).to_have_text("red fox")
    across, down = at(page, 0.025, 0.975)
    box = page.locator("#map").bounding_box()
    assert box
    assert box["x"] <= across <= box["x"] + box["width"]
    assert box["y"] <= down <= box["y"] + box["height"]


def test_two_classes_are_compared_and_the_address_keeps_it(page: Page) -> None:
    settled(page)
    for field, name in (("#class", "<tabby>"), ("#than", "hare")):
        page.locator(field).fill(name)
        page.keyboard.press("Enter")
    expect(page.locator("#legend")).to_contain_text("<tabby> − hare")
    page.mouse.click(*at(page, 0.475, 0.275))  # x + y − (x − .5)
    expect(page.locator(".shares small").first).to_have_text("0.775")
    page.wait_for_function("location.hash.includes('cell=20-6-10')")
    page.locator("#map").focus()
    page.keyboard.press("PageDown")
    page.wait_for_function("location.hash.includes('sheet=mixed4d')")
    page.reload()
    expect(page.locator("#sheet-name")).to_have_text("mixed4d")
    expect(page.locator("#legend")).to_contain_text("<tabby> − hare")
    expect(page.locator("#cell h2")).to_have_text("Row 6, column 10")
    expect(page.locator(".shares small").first).to_have_text("0.775")


def test_a_direction_is_shown_as_a_class_is(page: Page) -> None:
    settled(page)
    page.locator("#class").fill("curve")
    page.keyboard.press("Enter")
    expect(page.locator("#ranked h2")).to_have_text("Cells with most of curve atom")
    expect(page.locator("#legend")).to_have_text(re.compile(r"−0.975\s*0.975$"))
    expect(page.locator("#than")).to_be_hidden()


def test_a_class_that_only_another_atlas_has_is_no_error(page: Page) -> None:
    page.goto(page.url + "#class=wolf")
    expect(page.locator("#legend")).to_contain_text("wolf is not in this atlas")
    expect(page.locator("#ranked")).to_be_hidden()


def test_fingers_move_zoom_and_touch_on_a_phone_in_the_dark(phone: Page) -> None:
    settled(phone)
    assert phone.evaluate("document.documentElement.scrollWidth") == 390
    assert phone.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(18, 19, 21)"
    phone.touchscreen.tap(*at(phone, 0.475, 0.475))
    expect(phone.locator("#cell")).to_be_visible()
    before, after = at(phone, 0.4, 0.5), at(phone, 0.6, 0.5)
    session = phone.context.new_cdp_session(phone)
    for step in range(6):
        points = [
            {"x": before[0] - 8 * step, "y": before[1], "id": 0},
            {"x": after[0] + 8 * step, "y": after[1], "id": 1},
        ]
        kind = "touchMove" if step else "touchStart"
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    spread = (after[0] - before[0] + 80) / (after[0] - before[0])
    assert phone.evaluate("plane.view.zoom") == pytest.approx(spread, rel=0.02)
    assert at(phone, 0.4, 0.5)[0] == pytest.approx(before[0] - 40, abs=2)
    settled(phone)
    for button in phone.locator(".zooms button").all():
        box = button.bounding_box()
        assert box
        assert min(box["width"], box["height"]) >= 40
