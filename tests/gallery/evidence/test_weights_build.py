"""Weights are shown by every gallery, computed once, and left out where a recipe sets that."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from visioncircuits import gallery
from visioncircuits.errors import InputError

RECIPE = """\
title = "Weights"
network = "torchvision:squeezenet1_1"
checkpoint = "random.safetensors"

[quality]
steps = 1
size = 32

[weights]
connections = 5

[[layers]]
name = "features.3.squeeze_activation"
units = "0-3"

[[layers]]
name = "features.3"
units = [3, 70]
"""


@pytest.fixture
def recipe(random_squeezenet: Path, tmp_path: Path) -> Path:
    (tmp_path / "random.safetensors").symlink_to(random_squeezenet)
    path = tmp_path / "recipe.toml"
    path.write_text(RECIPE)
    return path


@pytest.fixture
def begun(recipe: Path, site: Callable[[str], Path]) -> Path:
    """The recipe, whose site is there already."""
    shutil.copytree(site(RECIPE), recipe.parent / "out")
    return recipe


def build(recipe: Path, text: str = RECIPE) -> Path:
    recipe.write_text(text)
    return gallery.build(recipe, recipe.parent / "out", workers=1).parent


def computed(out: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in (out / "weights").rglob("*.webp")}


@pytest.mark.slow
def test_every_unit_has_its_weights(site: Callable[[str], Path]) -> None:
    out = site(RECIPE)
    assert len(computed(out)) == 6
    page = (out / "layers/features.3/70.html").read_text()
    assert page.count('data-weights="') == 5 + 5 + 3 + 5
    assert (out / "layers/features.3.squeeze_activation/units.webp").is_file()


@pytest.mark.slow
def test_they_are_computed_again_only_for_other_options(begun: Path) -> None:
    before = computed(begun.parent / "out")
    after = computed(build(begun, RECIPE.replace("steps = 1", "steps = 2")))
    assert after == before, "other pictures, the same weights"
    more = computed(build(begun, RECIPE.replace('"0-3"', '"0-4"')))
    assert before.items() <= more.items()
    assert len(more) == 7
    other = computed(build(begun, RECIPE.replace("connections = 5", "connections = 6")))
    assert other.keys() == before.keys()
    assert not other.items() & before.items()


def test_a_recipe_can_leave_weights_out(begun: Path) -> None:
    assert computed(begun.parent / "out")
    out = build(begun, RECIPE.replace("connections = 5", "connections = 0"))
    assert computed(out) == {}
    assert "Inputs" not in (out / "layers/features.3/70.html").read_text()
    assert not list(out.rglob("units.webp"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("connections = -1", "'connections' of .weights."),
        ('layers = "some"', "'some' is no number of layers; write 1 or more"),
        ("layers = 0", "0 is no number of layers"),
        ("conections = 5", "unknown key of .weights. 'conections'; the nearest are 'connections'"),
    ],
)
def test_a_mistake_in_the_recipe_is_a_sentence_with_its_line(
    recipe: Path, text: str, message: str
) -> None:
    with pytest.raises(InputError, match=f"line 10: .*{message}"):
        build(recipe, RECIPE.replace("connections = 5", text))
