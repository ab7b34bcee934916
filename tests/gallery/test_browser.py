"""Pages do in a real browser what they should, opened from a disk."""

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from visioncircuits.gallery import writing
from visioncircuits.gallery.contents import Gallery
from visioncircuits.networks import Direction

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def shows(page: Page, units: Iterable[int]) -> bool:
    """Whether the page comes to show these units; what was clicked takes it a moment."""
    wanted = list(units)
    for _ in range(100):
        if visible(page) == wanted:
            return True
        page.wait_for_timeout(100)
    return False


def visible(page: Page) -> list[int]:
    return page.eval_on_selector_all(
        ".grid .cell:not([hidden])", "cells => cells.map(cell => Number(cell.dataset.unit))"
    )


MIXED = (*range(20), 128, 379, *range(400, 418))


def test_pages_open_from_a_disk_without_an_error(page: Page, written: Path) -> None:
    for path in ("index.html", "layers/mixed3b/index.html", "layers/mixed3b/379.html"):
        page.goto((written / path).as_uri())
        broken = page.eval_on_selector_all(
            "img", "all => all.filter(img => img.complete && !img.naturalWidth).map(i => i.src)"
        )
        assert broken == []


def test_links_lead_from_the_index_to_a_unit_and_on(page: Page, written: Path) -> None:
    page.goto((written / "index.html").as_uri())
    page.get_by_role("link", name="mixed3b", exact=True).click()
    page.locator('.cell[data-unit="379"]').click()
    expect(page.locator("h1")).to_have_text("mixed3b:379")
    page.locator("a[rel=next]").click()
    expect(page.locator("h1")).to_have_text("mixed3b:400")
    page.locator("#family .cell").first.click()
    expect(page.locator("h1")).to_have_text("mixed3b:0")
    page.get_by_role("link", name="A gallery <of> patches").click()
    expect(page).to_have_title("A gallery <of> patches")


def test_a_direction_is_found_by_its_name(page: Page, gallery: Gallery, tmp_path: Path) -> None:
    layer, *others = gallery.layers
    direction = Direction("features.0", [0.0, -1.0] * 32, name="Dog head 0")
    last = replace(layer.features[-1], feature=direction)
    layer = replace(layer, features=(*layer.features, last))
    index = writing.write(replace(gallery, layers=(layer, *others)), tmp_path)
    page.goto((tmp_path / layer.page).as_uri())
    expect(page.locator("#count")).to_have_text("4 features")
    page.get_by_label("Sort by").select_option("unit")
    names = page.locator(".cell .number")
    expect(names).to_have_text(["3", "5", "8", "Dog head 0"])
    page.get_by_label("Feature", exact=True).fill("dog 0")
    expect(page.locator("#count")).to_have_text("1 of 4 features")
    page.locator(".cell:not([hidden])").click()
    expect(page.locator("h1")).to_have_text("features.0:Dog head 0")
    page.goto(index.as_uri())
    page.get_by_label("Go to feature").fill("features.0:Dog head 0")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("features.0:Dog head 0")
    page.goto(index.as_uri())
    page.get_by_label("Go to feature").fill("features.0:cat")
    page.keyboard.press("Enter")
    expect(page.locator("#goto-problem")).to_have_text("features.0 has no direction cat here")


def test_units_can_be_filtered_by_family_and_branch(page: Page, written: Path) -> None:
    page.goto((written / "layers/mixed3b/index.html").as_uri())
    page.get_by_label("Family").select_option("Lines & edges")
    assert shows(page, [unit for i, unit in enumerate(MIXED) if unit % 4 == 1])
    page.get_by_label("Branch").select_option("5x5")
    assert shows(page, [unit for unit in MIXED if unit % 4 == 1 and unit >= 128])
    expect(page.locator("#count")).to_have_text("5 of 40 units")
    page.get_by_role("button", name="Clear").click()
    assert shows(page, list(MIXED))
    expect(page).not_to_have_url(re.compile("#"))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("41", [410, 411, 412, 413, 414, 415, 416, 417]),
        ("mixed3b:413", [413]),
        ("1, 379", [1, 379]),
        ("15-128", [15, 16, 17, 18, 19, 128]),
        ("999", []),
        ("fur", []),
        ("", list(MIXED)),
    ],
)
def test_units_can_be_searched_by_number(
    page: Page, written: Path, text: str, found: list[int]
) -> None:
    page.goto((written / "layers/mixed3b/index.html").as_uri())
    page.get_by_label("Unit", exact=True).fill(text)
    assert shows(page, found)
    expect(page.locator("#none")).to_be_visible(visible=not found)


def test_units_can_be_sorted_with_dead_ones_last(page: Page, written: Path) -> None:
    page.goto((written / "layers/mixed3b/index.html").as_uri())
    page.get_by_label("Sort by").select_option("activation")
    reached = {unit: -1 if unit == 415 else unit * 37 % 101 + 1 for unit in MIXED}
    assert shows(page, sorted(MIXED, key=lambda unit: -reached[unit]))
    page.get_by_label("Sort by").select_option("unit")
    assert shows(page, sorted(MIXED))


def test_units_listed_in_an_order_of_the_recipes_keep_it(page: Page, written: Path) -> None:
    page.goto((written / "layers/features.0/index.html").as_uri())
    assert shows(page, [5, 3, 8])
    page.get_by_label("Sort by").select_option("unit")
    assert shows(page, [3, 5, 8])
    page.get_by_label("Sort by").select_option("as listed")
    assert shows(page, [5, 3, 8])


def test_what_is_shown_is_in_the_address_and_comes_back(page: Page, written: Path) -> None:
    page.goto((written / "layers/mixed3b/index.html").as_uri())
    page.get_by_label("Family").select_option("Curves")
    page.get_by_label("Sort by").select_option("activation")
    page.get_by_label("Unit", exact=True).fill("40")
    assert shows(page, [unit for unit in visible(page) if "40" in str(unit)])
    seen, address = visible(page), page.evaluate("location.href")
    assert address.endswith("#q=40&family=Curves&sort=activation")
    page.locator(".grid .cell:not([hidden])").first.click()
    page.go_back()
    assert shows(page, seen)
    page.goto("about:blank")
    page.goto(address)
    assert shows(page, seen)
    page.evaluate("location.hash = 'branch=1x1&family=nonsense&sort=nonsense'")
    page.wait_for_function("document.getElementById('count').value.startsWith('20 of')")
    assert shows(page, list(range(20)))


def focused(page: Page) -> int:
    return page.evaluate("Number(document.activeElement.dataset.unit)")


def test_the_keyboard_reaches_everything(page: Page, written: Path) -> None:
    page.goto((written / "layers/mixed3b/index.html").as_uri())
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("/")
    page.keyboard.type("4")
    page.keyboard.press("Enter")
    assert focused(page) == 4
    page.keyboard.press("ArrowRight")
    assert focused(page) == 400
    columns = page.eval_on_selector(
        ".grid", "grid => getComputedStyle(grid).gridTemplateColumns.split(' ').length"
    )
    shown = visible(page)
    page.keyboard.press("ArrowDown")
    assert focused(page) == shown[1 + columns]
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowLeft")
    assert focused(page) == 4
    page.keyboard.press("ArrowLeft")
    assert focused(page) == 4
    page.keyboard.press("End")
    assert focused(page) == 417
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("mixed3b:417")
    page.wait_for_load_state()  # before that its script may not listen yet
    page.keyboard.press("ArrowLeft")
    expect(page.locator("h1")).to_have_text("mixed3b:416")
    page.wait_for_load_state()
    page.keyboard.press("ArrowRight")
    expect(page.locator("h1")).to_have_text("mixed3b:417")


def test_the_grid_is_one_stop_of_the_tab_key(page: Page, written: Path) -> None:
    page.goto((written / "layers/mixed3b/index.html").as_uri())
    assert page.locator(".grid .cell[tabindex='0']").count() == 1
    page.locator('.cell[data-unit="379"]').focus()
    assert page.locator(".grid .cell[tabindex='0']").get_attribute("data-unit") == "379"
    page.get_by_label("Unit", exact=True).fill("12")
    assert page.locator(".grid .cell[tabindex='0']").get_attribute("data-unit") == "12"


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("mixed3b:379", "layers/mixed3b/379.html"),
        ("mixed3b 379", "layers/mixed3b/379.html"),
        ("mix", "layers/mixed3b/index.html"),
        ("features.0:8", "layers/features.0/8.html"),
    ],
)
def test_the_index_leads_to_a_unit_by_its_name(
    page: Page, written: Path, text: str, end: str
) -> None:
    page.goto((written / "index.html").as_uri())
    page.get_by_label("Go to unit").fill(text)
    page.keyboard.press("Enter")
    page.wait_for_url((written / end).as_uri())


@pytest.mark.parametrize(
    ("text", "message"),
    [("mixed3b:20", "mixed3b has no unit 20 here"), ("mixed9:1", "no layer mixed9 here")],
)
def test_the_index_reports_what_is_not_there(
    page: Page, written: Path, text: str, message: str
) -> None:
    page.goto((written / "index.html").as_uri())
    page.get_by_label("Go to unit").fill(text)
    page.keyboard.press("Enter")
    expect(page.locator("#goto-problem")).to_have_text(message)


def test_a_record_can_be_unfolded_and_copied(page: Page, written: Path) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto((written / "layers/mixed3b/379.html").as_uri())
    expect(page.locator("pre").first).to_be_hidden()
    page.get_by_text("Positive", exact=True).last.click()
    page.get_by_role("button", name="Copy").first.click()
    expect(page.locator("button.copy").first).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == page.locator("pre").first.inner_text()


def test_without_scripts_everything_is_shown_and_linked(browser: Browser, written: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((written / "layers/mixed3b/index.html").as_uri())
    expect(page.locator(".grid .cell")).to_have_count(40)
    expect(page.locator("#filter")).to_be_hidden()
    page.locator(".grid .cell").nth(3).click()
    expect(page.locator("h1")).to_have_text("mixed3b:3")
    context.close()


@pytest.mark.parametrize("path", ["index.html", "layers/mixed3b/index.html"])
def test_a_phone_shows_a_page_without_scrolling_sideways(
    browser: Browser, written: Path, path: str
) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, is_mobile=True)
    page = context.new_page()
    for name in (path, "layers/mixed3b/379.html"):
        page.goto((written / name).as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()


def test_dark_and_light_follow_the_reader(browser: Browser, written: Path) -> None:
    papers = []
    for scheme in ("light", "dark"):
        context = browser.new_context(color_scheme=scheme)
        page = context.new_page()
        page.goto((written / "index.html").as_uri())
        papers.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        context.close()
    assert papers == ["rgb(255, 255, 255)", "rgb(18, 19, 21)"]


COUNT_CHANGES = """() => {
  window.changes = 0;
  new MutationObserver(records => window.changes += records.length)
    .observe(document.body, {subtree: true, childList: true, attributes: true});
}"""


def test_a_page_of_a_thousand_units_does_little_at_a_time(
    page: Page, thousand: Gallery, tmp_path: Path
) -> None:
    writing.write(thousand, tmp_path)
    loaded: set[str] = set()
    page.on("request", lambda request: loaded.add(request.url))
    page.goto((tmp_path / "layers/wide/index.html").as_uri())
    page.wait_for_load_state("networkidle")
    assert page.locator(".grid .cell").count() == 1000
    assert page.evaluate("document.querySelectorAll('*').length") < 5000
    assert len([url for url in loaded if url.endswith(".webp")]) < 400

    page.evaluate(COUNT_CHANGES)
    search = page.get_by_label("Unit", exact=True)

    def changes(act: Callable[[], object]) -> int:
        page.evaluate("window.changes = 0")
        act()
        return page.evaluate("window.changes")

    def few(allowed: int, act: Callable[[], object]) -> None:
        assert changes(act) <= allowed

    few(900 + 10, lambda: search.fill("1"))  # what goes: 889
    few(100 + 10, lambda: search.fill("12"))  # what goes of what was left
    few(10, lambda: search.fill("12 "))  # nothing
    few(1000 + 10, lambda: search.fill(""))
    few(1000 + 10, lambda: page.get_by_label("Family").select_option("family 3"))
    assert len(visible(page)) == 84
