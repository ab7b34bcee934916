"""In a real browser tuning fits its page, and units can be put in the order of orientation."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, expect

from visioncircuits.gallery import writing
from visioncircuits.gallery.contents import Gallery
from visioncircuits.gallery.evidence.tuning import Tuning

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def tuned(peak: float) -> Tuning:
    angles = np.arange(0, 360, 10.0)
    responses = np.exp(8 * (np.cos(np.radians(angles - peak)) - 1))
    names = ("orientation", "peak", "strongest", "width", "echo", "concentration")
    return Tuning(
        stimuli="curves",
        path="tuning/work/responses.nc",
        angles=tuple(angles.tolist()),
        curve=tuple(responses.tolist()),
        numbers=dict(zip(names, (peak, 1.0, 1.0, 40.0, 0.0, 0.9), strict=True)),
        down="radius",
        values=(290.0, 129.5, 57.7, 25.7),
        responses=(tuple(responses.tolist()),) * 4,
    )


@pytest.fixture
def oriented(gallery: Gallery, tmp_path: Path) -> Path:
    """The first three units of mixed3b peak at 200, 20 and 110 degrees."""
    first, layer = gallery.layers
    peaks = zip(layer.features[:3], (200.0, 20.0, 110.0), strict=True)
    units = [replace(unit, evidence={"tuning": (tuned(peak),)}) for unit, peak in peaks]
    whole = replace(layer, features=(*units, *layer.features[3:]))
    writing.write(replace(gallery, layers=(first, whole)), tmp_path)
    return tmp_path / "layers" / "mixed3b"


def test_units_can_be_sorted_by_orientation_with_the_others_last(
    browser: Browser, oriented: Path
) -> None:
    page = browser.new_page()
    page.goto((oriented / "index.html").as_uri())
    page.select_option("#sort", "orientation")
    expect(page.locator(".cell .number").first).to_have_text("1")
    shown = page.locator(".cell .number").all_text_contents()
    assert [int(unit) for unit in shown[:4]] == [1, 2, 0, 3]
    page.close()


@pytest.mark.parametrize("width", [390, 1280])
def test_tuning_fits_its_page(browser: Browser, oriented: Path, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto((oriented / "0.html").as_uri())
    expect(page.locator("#tuning")).to_be_visible()
    root = "document.documentElement"
    assert page.evaluate(f"{root}.scrollWidth <= {root}.clientWidth")
    page.locator(".stimuli").scroll_into_view_if_needed()
    page.wait_for_function("document.querySelector('.stimuli').naturalWidth > 0")
    boxes = [page.locator(name).bounding_box() for name in (".stimuli", ".responses")]
    sides = [(box["x"], box["width"]) for box in boxes if box]
    assert sides[0] == pytest.approx(sides[1], abs=0.5), "responses stand under their stimuli"
    page.close()
