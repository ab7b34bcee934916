"""In a real browser a reader hovers over the photograph, picks classes and compares two."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

from visioncircuits.attribution import Explanation
from visioncircuits.site import explanation

pytestmark = [pytest.mark.browser, pytest.mark.slow]

expect.set_options(timeout=30_000)  # a busy machine is not a broken page


@pytest.fixture(scope="module")
def written(explained: Explanation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    pictures = {
        str(feature): Image.new("RGB", (40, 40), "teal")
        for feature in explanation.worth_a_picture(explained, units=4)
    }
    return explanation.write(explained, pictures, tmp_path_factory.mktemp("page"), title="photo")


@pytest.fixture(scope="module")
def page(written: Path, chromium: Path) -> Iterator[Page]:
    """The page, of which nothing may go wrong."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        opened = running.new_page(viewport={"width": 1280, "height": 900}, color_scheme="dark")
        wrong: list[str] = []
        opened.on("pageerror", lambda error: wrong.append(str(error)))
        opened.on("console", lambda message: wrong.append(message.text))
        opened.on("requestfailed", lambda request: wrong.append(request.url))
        yield opened
        running.close()
        assert wrong == []


@pytest.fixture(autouse=True)
def fresh(page: Page, written: Path) -> None:
    page.goto("about:blank")
    page.goto(written.as_uri())


def hover(page: Page, x: float, y: float) -> None:
    box = page.locator("#photo").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * x, box["y"] + box["height"] * y)


def test_hovering_shows_what_was_detected_there_at_every_layer(
    page: Page, explained: Explanation
) -> None:
    hover(page, 0.3, 0.8)
    for place, layer in enumerate(explained.layers):
        _, rows, columns = layer.activations.shape
        row, column = int(0.8 * rows), int(0.3 * columns)
        block = page.locator(f'.at[data-layer="{place}"]')
        expect(block.locator(".where")).to_have_text(f"row {row + 1}, column {column + 1}")
        expected = [str(unit.index) for unit, value in layer.strongest(row, column, 4) if value > 0]
        expect(block.locator(".units b")).to_have_text(expected)


def test_a_click_holds_a_position_and_escape_lets_it_go(page: Page) -> None:
    where = page.locator('.at[data-layer="1"] .where')
    hover(page, 0.05, 0.05)
    page.mouse.down()
    page.mouse.up()
    hover(page, 0.9, 0.9)
    expect(where).to_have_text("row 1, column 1")
    page.keyboard.press("Escape")
    hover(page, 0.95, 0.95)
    expect(where).to_have_text("row 12, column 12")


def test_arrow_keys_move_over_positions_and_what_is_there_is_announced(page: Page) -> None:
    page.locator("#photo").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    expect(page.locator('.at[data-layer="1"] .where')).to_have_text("row 8, column 8")
    expect(page.locator("#announced")).to_contain_text("row 8, column 8: units")


def test_two_classes_are_compared(page: Page, explained: Explanation) -> None:
    page.get_by_label("Led to", exact=True).select_option("pig & hog")
    page.get_by_label("more than to").select_option("beer glass")
    expect(page.locator("#map")).to_contain_text("pig & hog, more than to beer glass")
    hover(page, 0.5, 0.5)
    spatial = explained.layers[1].spatial()[:, 6, 6]
    difference = page.locator('.at[data-layer="1"] .shares output').last
    value = float(difference.inner_text().replace("−", "-"))
    assert value == pytest.approx(float(spatial[2] - spatial[0]), rel=0.02, abs=1e-4)
    shown = page.locator(".channels > div:visible").evaluate_all("all => all.length")
    assert shown == 2 * 2
    page.reload()  # the address has what was picked
    expect(page.locator("#map")).to_contain_text("pig & hog, more than to beer glass")


def test_groups_light_up_from_their_cards_and_from_the_diagram(page: Page) -> None:
    page.locator('.group[data-layer="0"][data-group="1"]').focus()
    expect(page.locator("#map")).to_have_text("1, group 2")
    node = page.locator('.diagram .node[data-column="1"][data-row="0"]')
    node.focus()
    expect(page.locator("#map")).to_have_text("3, group 1")
    lit = page.locator(".diagram .tie.lit").evaluate_all(
        "all => all.every(tie => tie.dataset.from === '1-0' || tie.dataset.to === '1-0')"
    )
    assert lit


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_wider_than_the_window(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.set_viewport_size({"width": 1280, "height": 900})
