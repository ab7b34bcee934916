"""Tuning is measured where a recipe names stimuli, once, and the same however often."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from visioncircuits import gallery, networks, tuning
from visioncircuits.errors import InputError
from visioncircuits.gallery.evidence import stimuli
from visioncircuits.gallery.evidence import tuning as evidence
from visioncircuits.gallery.recipe import Recipe
from visioncircuits.gallery.selection import Selection
from visioncircuits.networks import Unit

RECIPE = """\
title = "Tuning"
network = "torchvision:squeezenet1_1"
checkpoint = "random.safetensors"

[quality]
steps = 1
size = 32

[weights]
connections = 0

[tuning]
stimuli = ["edges", "bars"]

[[layers]]
name = "features.0"
units = "0-3"

[[layers]]
name = "features.3"
units = [70, 3]
"""


@pytest.fixture
def recipe(random_squeezenet: Path, tmp_path: Path) -> Path:
    (tmp_path / "random.safetensors").symlink_to(random_squeezenet)
    return tmp_path / "recipe.toml"


@pytest.fixture
def begun(recipe: Path, site: Callable[[str], Path]) -> Path:
    """The recipe, whose site is there already."""
    shutil.copytree(site(RECIPE), recipe.parent / "out")
    return recipe


def build(recipe: Path, text: str = RECIPE) -> Path:
    recipe.write_text(text)
    return gallery.build(recipe, recipe.parent / "out", workers=1).parent


def measured(out: Path) -> dict[str, int]:
    files = (out / "tuning").glob("[!.]*/*.nc")
    return {path.parent.name: path.stat().st_mtime_ns for path in files}


def contents(out: Path) -> dict[str, bytes]:
    files = [path for path in out.rglob("*") if path.is_file()]
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in files}


@pytest.mark.slow
def test_units_of_a_layer_are_measured_together(
    site: Callable[[str], Path], random_squeezenet: Path
) -> None:
    out = site(RECIPE)
    assert len(measured(out)) == 3, "edges in both layers, bars where they are not too wide"
    network = networks.load("torchvision:squeezenet1_1", checkpoint=random_squeezenet)
    units = ["features.3:70", "features.3:3"]
    expected = tuning.measure(network, units, stimuli.stimuli("edges"))
    found = [tuning.Responses.load(path) for path in out.glob("tuning/*/*.nc")]
    (same,) = [r for r in found if list(r["unit"]) == units and r.dims == expected.dims]
    assert np.array_equal(same.values, expected.values)


def test_a_page_shows_each_set_or_the_reason_why_not(site: Callable[[str], Path]) -> None:
    out = site(RECIPE)
    page = (out / "layers/features.3/70.html").read_text()
    assert page.index('id="numbers"') < page.index('id="tuning"') < page.index('id="record"')
    assert page.index("<h3>edges</h3>") < page.index("<h3>bars</h3>")
    early = (out / "layers/features.0/0.html").read_text()
    assert "The stimuli cannot be shown to this layer: width must be less than" in early


@pytest.mark.slow
def test_nothing_is_measured_twice_and_the_site_is_the_same(begun: Path) -> None:
    out = begun.parent / "out"
    first, pieces = contents(out), measured(out)
    assert contents(build(begun)) == first
    assert measured(out) == pieces
    shutil.rmtree(out)
    assert contents(build(begun)) == first, "to the byte, netCDF too"


def test_only_new_sets_are_measured_and_former_ones_are_removed(begun: Path) -> None:
    before = measured(begun.parent / "out")
    after = measured(build(begun, RECIPE.replace('"bars"', '"corners"')))
    assert len(before.items() & after.items()) == 2
    out = build(begun, RECIPE.replace('"edges", "bars"', ""))
    assert not measured(out)
    assert 'id="tuning"' not in (out / "layers/features.3/70.html").read_text()


def test_a_layers_page_has_orientations_by_the_first_set(site: Callable[[str], Path]) -> None:
    out = site(RECIPE)
    page = (out / "layers/features.3/index.html").read_text()
    edges = next(
        tuning.orientation_tuning(r)
        for r in map(tuning.Responses.load, out.glob("tuning/*/*.nc"))
        if "features.3:70" in r["unit"].values and r.dims == ("unit", "orientation")
    )
    for unit in (70, 3):
        peak = float(edges["orientation"].sel(unit=f"features.3:{unit}"))
        attribute = f' data-orientation="{peak:.1f}"' if np.isfinite(peak) else ""
        assert f'data-unit="{unit}"' in page
        assert attribute in page
    assert '<option value="orientation">orientation in edges</option>' in page


def test_a_layer_without_positions_is_not_measured() -> None:
    network = networks.untrained("bvlc_googlenet")
    selections = [
        Selection(network.layers[name], (Unit(name, 3),), {}, {}) for name in ("conv2d2", "logits")
    ]
    layers = [{"name": selection.layer.name, "units": [3]} for selection in selections]
    recipe = Recipe(
        title="T", network="bvlc_googlenet", layers=layers, tuning={"stimuli": ["edges"]}
    )
    found = evidence.requests(recipe, network, selections)
    assert [work["features"] for work in found] == [["conv2d2:3"]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('stimuli = ["curve"]', "unknown set of stimuli that turn around 'curve'; the nearest"),
        ('stimuli = ["circles"]', "unknown set of stimuli that turn around 'circles'"),
        ('stimuli = ["edges", "edges"]', "the set 'edges' is named twice"),
        ('stimuli = "edges"', "'edges' is no list of sets of stimuli"),
        ('sets = ["edges"]', "unknown key of .tuning. 'sets'"),
    ],
)
def test_a_mistake_in_the_recipe_is_a_sentence_with_its_line(
    recipe: Path, text: str, message: str
) -> None:
    with pytest.raises(InputError, match=f"line 13: .*{message}"):
        build(recipe, RECIPE.replace('stimuli = ["edges", "bars"]', text))
