"""A recipe asks for activation atlases: a page each, linked from the index, made once."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from visioncircuits import atlas, gallery
from visioncircuits.errors import InputError

RECIPE = """\
title = "Laid out"
network = "laid_out_net.py:build"
quality = { steps = 1, size = 16 }
weights = { connections = 0 }

[[layers]]
name = "1"
units = [0, 1]

[[atlas]]
layers = ["3", "1"]
photographs = "photos"
per_photograph = 8
layout = "pca"
sides = [2, 3]
least = 1
classes = ["tabby", 2]
features = ["3:5"]
size = 16
steps = 1
"""


@pytest.fixture
def recipe(tmp_path: Path, classifier: str) -> Path:
    (tmp_path / "laid_out_net.py").write_text(classifier)
    (tmp_path / "photos").mkdir()
    for place in range(6):
        pixels = np.random.default_rng(place).integers(0, 256, (40, 40, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / "photos" / f"{place}.png")
    (tmp_path / "recipe.toml").write_text(RECIPE)
    return tmp_path / "recipe.toml"


def contents(out: Path) -> dict[str, bytes]:
    found = (path for path in out.rglob("*") if path.is_file())
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in found}


def test_an_atlas_has_a_page_that_the_index_links_and_no_second_build_makes_again(
    recipe: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    index = gallery.build(recipe, out, workers=1).read_text()
    ((page, thumbnail),) = re.findall(
        r'<a href="(atlases/[^"]+)" class="link"><img src="([^"]+)"', index
    )
    assert "Activation atlases" in index
    assert (out / thumbnail).is_file()
    text = (out / page).read_text()
    assert "own: 3, 1" in text
    assert str(tmp_path) not in text
    late, early = (atlas.load((out / page).parent.parent / place) for place in "01")
    assert (late.points == early.points).all()
    assert late.classes == ("tabby", "pug")
    before = contents(out)
    written = (out / page).stat().st_mtime_ns

    recipe.write_text(RECIPE.replace("Laid out", "Another title"))
    gallery.build(recipe, out, workers=1)
    assert (out / page).stat().st_mtime_ns == written
    changed = {name for name, content in contents(out).items() if before[name] != content}
    assert not [name for name in changed if name.startswith("atlases/")]

    recipe.write_text(RECIPE[: RECIPE.index("[[atlas]]")])
    gallery.build(recipe, out, workers=1)
    assert not list((out / "atlases").rglob("*.html"))


@pytest.mark.slow
def test_killed_in_the_middle_it_resumes_and_builds_the_same_site(
    recipe: Path, tmp_path: Path, killed: Callable[[Path, Path, int], None]
) -> None:
    gallery.build(recipe, tmp_path / "whole", workers=1)
    out = tmp_path / "out"
    killed(recipe, out, 24)
    assert not list(out.glob("atlases/*/page/index.html"))
    gallery.build(recipe, out, workers=1)
    assert contents(out) == contents(tmp_path / "whole")


@pytest.mark.parametrize(
    ("given", "instead", "message"),
    [
        ('photographs = "photos"', "", "line 10: an atlas needs photographs"),
        ('photographs = "photos"', 'photographs = "none"', "line 12: there is no "),
        ('["3", "1"]', '["3", "9"]', "line 10: "),
        ('["3", "1"]', '["3", "6"]', "line 10: 6 has no positions"),
        ('["3", "1"]', '["3", "3"]', "line 10: a layer is named twice"),
        ("per_photograph = 8", "per_photograph = 400", "line 10: per_photograph"),
        ('["tabby", 2]', '["lion"]', "line 10: "),
        ('["3:5"]', '["2:5"]', "line 10: 2:5 is of none of the layers 3, 1"),
        ('"pca"', '"isomap"', "'isomap'"),
    ],
)
def test_mistakes_are_met_at_the_door(
    recipe: Path, tmp_path: Path, given: str, instead: str, message: str
) -> None:
    assert given in RECIPE
    recipe.write_text(RECIPE.replace(given, instead))
    with pytest.raises(InputError, match=re.escape(message)):
        gallery.build(recipe, tmp_path / "out", workers=1)
    assert not (tmp_path / "out").exists()
