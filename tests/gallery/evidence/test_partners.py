"""Units that only weights show have a quick picture, and no place of their own in the gallery."""

import io
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from PIL import Image
from torch import nn

from visioncircuits import gallery
from visioncircuits.gallery.evidence import partners, weights
from visioncircuits.gallery.evidence.connections import Connected, Connections, Factor
from visioncircuits.gallery.selection import Selection
from visioncircuits.networks import Preprocessing, Unit, load, wrap
from visioncircuits.site import thumbnails

RECIPE = """\
title = "Partners"
network = "torchvision:squeezenet1_1"
checkpoint = "random.safetensors"

[quality]
steps = 1
size = 32

[weights]
connections = 3
layers = 1

[[layers]]
name = "features.3.squeeze_activation"
units = [0]

[[layers]]
name = "features.3"
units = [3, 70]
"""
BEFORE = "features.3.squeeze_activation"


def build(recipe: Path, text: str = RECIPE) -> Path:
    recipe.write_text(text)
    return gallery.build(recipe, recipe.parent / "out", workers=1).parent


@pytest.fixture
def recipe(random_squeezenet: Path, tmp_path: Path) -> Path:
    (tmp_path / "random.safetensors").symlink_to(random_squeezenet)
    return tmp_path / "recipe.toml"


@pytest.fixture
def begun(recipe: Path, site: Callable[[str], Path]) -> Path:
    """The recipe, whose site is there already."""
    shutil.copytree(site(RECIPE), recipe.parent / "out")
    return recipe


def made(out: Path) -> dict[str, int]:
    archives = (out / "partners").rglob("*.zip")
    return {name: path.stat().st_mtime_ns for path in archives for name in ZipFile(path).namelist()}


def members(html: str) -> list[tuple[int, tuple[int, int] | None]]:
    """Return the cards of a page's inputs: unit, and where its thumbnail is on the sheet."""
    inputs = html.partition('id="inputs"')[2].partition("</section>")[0]
    cards = re.findall(r'<(?:a|span)[^>]*style="([^"]*)"><b>(\d+)', inputs)
    at = [re.match(r"--x:(\d+);--y:(\d+);", style) for style, _ in cards]
    return [
        (int(unit), (int(found[1]), int(found[2])) if found else None)
        for (_, unit), found in zip(cards, at, strict=True)
    ]


@pytest.mark.slow
def test_every_unit_that_weights_show_has_its_picture(site: Callable[[str], Path]) -> None:
    out = site(RECIPE)
    sheet = np.asarray(Image.open(out / f"layers/{BEFORE}/units.webp").convert("RGB"), float)
    shown = members((out / "layers/features.3/70.html").read_text())
    assert len(shown) >= 3
    for unit, at in shown:
        assert at is not None
        column, row = (place * thumbnails.SIDE for place in at)
        found = sheet[row : row + thumbnails.SIDE, column : column + thumbnails.SIDE]
        if unit:
            name = f"{BEFORE}-{unit}-partner.webp"
            archives = map(ZipFile, out.rglob("*.zip"))
            archive = next(each for each in archives if name in each.namelist())
            small = io.BytesIO(archive.read(name))
        else:
            small = io.BytesIO(next(out.rglob(f"{BEFORE}-0-positive-small.webp")).read_bytes())
        with Image.open(small) as picture:
            side = (thumbnails.SIDE, thumbnails.SIDE)
            own = picture.convert("RGB").resize(side, Image.Resampling.LANCZOS)
        assert np.abs(found - np.asarray(own, float)).mean() < 8


def test_they_are_no_units_of_the_gallery(site: Callable[[str], Path]) -> None:
    out = site(RECIPE)
    pages = {path.relative_to(out / "layers").as_posix() for path in out.rglob("layers/*/*.html")}
    assert pages == {
        f"{BEFORE}/index.html", f"{BEFORE}/0.html",
        "features.3/index.html", "features.3/3.html", "features.3/70.html",
    }  # fmt: skip
    assert "3 units in 2 layers" in (out / "index.html").read_text()


@pytest.mark.slow
def test_only_what_is_missing_is_made_and_what_is_not_shown_is_removed(begun: Path) -> None:
    first = made(begun.parent / "out")
    assert first
    assert made(build(begun)) == first
    more = made(build(begun, RECIPE.replace("connections = 3", "connections = 4")))
    assert first.items() < more.items()
    fewer = made(build(begun, RECIPE.replace("[3, 70]", "[3]")))
    assert fewer.items() < more.items()


def test_without_weights_there_are_none(recipe: Path) -> None:
    out = build(recipe, RECIPE.replace("connections = 3\nlayers = 1", "connections = 0"))
    assert made(out) == {}


def test_they_are_all_that_a_page_shows_but_the_picture_itself() -> None:
    connections = Connections(
        "a",
        units=(Connected(4, 1.0, 1.0, 0.0),),
        factors=(Factor(((7, 0.5), (4, 0.2))),),
    )
    color = Connections("input", units=(Connected(0, 1.0, 1.0, 0.0),))
    shown = weights.Weights("", (1, 1), inputs=(connections, color), outputs=())
    assert partners.partners({Unit("b", 1): (shown,)}, {}, ()) == {Unit("a", 4), Unit("a", 7)}


def test_selected_units_are_not_requested(random_squeezenet: Path) -> None:
    network = load("torchvision:squeezenet1_1", checkpoint=random_squeezenet)
    units = tuple(Unit("features.0", index) for index in (1, 2))
    selections = [Selection(network.layers["features.0"], units, {}, {})]
    found = {Unit("features.0", 2), Unit("features.0", 5), Unit(BEFORE, 9)}
    requests = partners.requests(network, selections, found)
    assert [each["features"] for each in requests] == [["features.0:5"], [f"{BEFORE}:9"]]


def test_a_layer_that_needs_a_larger_picture_gets_one() -> None:
    module = nn.Sequential(nn.Conv2d(3, 4, 63), nn.ReLU())
    network = wrap(module, Preprocessing(), size=80, name="wide")
    layer = list(network.layers)[-1]
    options = {"size": partners.SIZE, "steps": 1, "rate": partners.RATE}
    work = {"network": {"name": "wide"}, "features": [f"{layer}:0"], "settings": options}
    (content,) = partners.make(network, work).values()
    picture = ZipFile(io.BytesIO(content)).read(f"{layer}-0-partner.webp")
    assert Image.open(io.BytesIO(picture)).width >= 63
