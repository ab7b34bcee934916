"""A recipe asks for explained photographs: a page each, linked from the index, made once."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from visioncircuits import gallery
from visioncircuits.errors import InputError

RECIPE = """\
title = "Explained"
network = "explained_net.py:build"
quality = { steps = 1, size = 16 }
weights = { connections = 0 }

[[layers]]
name = "1"
units = [0, 1]

[[explain]]
photographs = ["a cat.png", "more"]
layers = ["3", "1"]
classes = ["tabby", 2]
top = 0
groups = 2
slope = "exact"
pictures = 1
steps = 1
"""


@pytest.fixture
def recipe(tmp_path: Path, classifier: str) -> Path:
    (tmp_path / "explained_net.py").write_text(classifier)
    (tmp_path / "more").mkdir()
    for place, name in enumerate(("a cat.png", "more/dog.png", "more/pug.png")):
        pixels = np.random.default_rng(place).integers(0, 256, (20, 20, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / name)
    (tmp_path / "recipe.toml").write_text(RECIPE)
    return tmp_path / "recipe.toml"


def pages(out: Path) -> dict[Path, int]:
    """Return when each page was written."""
    found = (out / "explanations").glob("*/index.html")
    return {path: path.stat().st_mtime_ns for path in found}


def test_each_photograph_has_a_page_that_the_index_links_and_no_second_build_makes_again(
    recipe: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    index = gallery.build(recipe, out, workers=1).read_text()
    made = pages(out)
    assert len(made) == 3
    links = re.findall(r'<a href="(explanations/[^"]+)" class="link"><img src="([^"]+)"', index)
    assert {out / page for page, _ in links} == made.keys()
    assert all((out / thumbnail).is_file() for _, thumbnail in links)
    assert "<strong>a cat</strong>" in index
    assert "Photographs, explained" in index
    for page in made:
        text = page.read_text()
        files = set(re.findall(r'(?:src|href)="([^"#]+)"', text)) - {"data:,"}
        assert [name for name in files if not (page.parent / name).exists()] == []
        assert str(tmp_path) not in text
        numbers = json.loads((page.parent / "explanation.json").read_text())
        assert numbers["classes"] == ["tabby", "pug"]
        assert [layer["name"] for layer in numbers["layers"]] == ["1", "3"]
        assert numbers["record"]["slope"] == "exact paths"

    recipe.write_text(RECIPE.replace("Explained", "Another title"))
    gallery.build(recipe, out, workers=1)
    assert pages(out) == made

    recipe.write_text(RECIPE.replace(', "more"', ""))
    gallery.build(recipe, out, workers=1)
    (kept,) = pages(out).items()
    assert kept in made.items()

    recipe.write_text(RECIPE[: RECIPE.index("[[explain]]")])
    index = gallery.build(recipe, out, workers=1).read_text()
    assert not pages(out)
    assert "explained" not in index


@pytest.mark.slow
def test_killed_in_the_middle_of_a_page_it_resumes_and_builds_the_same_site(
    recipe: Path, tmp_path: Path, killed: Callable[[Path, Path, int], None]
) -> None:
    def contents(out: Path) -> dict[str, bytes]:
        found = (path for path in out.rglob("*") if path.is_file())
        return {path.relative_to(out).as_posix(): path.read_bytes() for path in found}

    gallery.build(recipe, tmp_path / "whole", workers=1)
    out = tmp_path / "out"
    killed(recipe, out, 26)
    finished = pages(out)
    assert 0 < len(finished) < 3
    gallery.build(recipe, out, workers=1)
    assert finished.items() <= pages(out).items()
    assert contents(out) == contents(tmp_path / "whole")


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ('"a cat.png", "more"', "", 11, "[] names no photographs"),
        ('"more"', '"less"', 11, "there is no photograph at"),
        ('"more"', '"recipe.toml"', 11, "recipe.toml"),
        ('"3", "1"', '"6"', 10, "6 has no positions"),
        ('"3", "1"', '"9"', 10, "unknown layer '9'"),
        ('"tabby"', '"cat"', 10, "unknown class 'cat'"),
        ('classes = ["tabby", 2]\n', "", 13, "no class is explained"),
        ("groups = 2", "groups = 7", 10, "groups must be a whole number from 1 to 6"),
        ('"exact"', '"steep"', 16, "'relaxed', 'gradient', 'integrated' or 'exact'"),
        ("pictures", "picturs", 17, "unknown key of [explain] 'picturs'"),
    ],
)
def test_a_mistake_is_met_at_the_door_with_its_line(
    recipe: Path, tmp_path: Path, old: str, new: str, line: int, message: str
) -> None:
    recipe.write_text(RECIPE.replace(old, new))
    with pytest.raises(InputError) as error:
        gallery.build(recipe, tmp_path / "out", workers=1)
    assert str(error.value).startswith(f"{recipe}, line {line}: ")
    assert message in str(error.value)
    assert not (tmp_path / "out").exists()
