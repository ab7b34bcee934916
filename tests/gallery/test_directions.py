"""A direction has a page like a unit's; that of one unit alone shows what the unit's shows."""

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from visioncircuits import gallery, networks, tuning
from visioncircuits.errors import InputError
from visioncircuits.gallery.evidence import visualizations
from visioncircuits.networks import Direction

FILE = """\
import torch
from torch import nn
from visioncircuits import Preprocessing, wrap

def build():
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(3, 4, 7, padding=3), nn.ReLU(), nn.Conv2d(4, 6, 3, padding=1), nn.ReLU()
    )
    return wrap(module, Preprocessing(mean=0.5), name="mine", size=24)
"""
RECIPE = """\
title = "A unit and directions"
network = "my_cnn.py:build"
show = { negative = true, diversity = 2 }
quality = { steps = 3, size = 24 }
weights = { connections = 2 }
tuning = { stimuli = ["edges"] }
examples = { photographs = "photographs", top = 2 }

[[layers]]
name = "3"
units = [2]
directions = ["hot.npy", "a mixture.json"]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gallery")
    (folder / "my_cnn.py").write_text(FILE)
    (folder / "recipe.toml").write_text(RECIPE)
    np.save(folder / "hot.npy", np.eye(6)[2])
    mixture = Direction("3", [0, 0.5, -2, 0, 0.25, 0], name="a mixture")
    mixture.save(folder / "a mixture.json")
    (folder / "photographs").mkdir()
    for place in range(4):
        pixels = np.random.default_rng(place).integers(0, 256, (24, 24, 3), np.uint8)
        Image.fromarray(pixels).save(folder / "photographs" / f"{place}.png")
    return folder


@pytest.fixture(scope="module")
def site(folder: Path) -> Path:
    return gallery.build(folder / "recipe.toml", folder / "site", workers=1).parent


def one(site: Path, pattern: str) -> Path:
    (path,) = site.glob(pattern)
    return path


def data(site: Path, kind: str, name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(one(site, f"{kind}/*/3-{name}.json").read_text("utf-8"))
    return content


def made(site: Path) -> dict[Path, int]:
    """Return when each finished piece of work was written."""
    pieces = [path for path in site.glob("*/*/work.json") if path.parts[-3] != "survey"]
    return {path: path.stat().st_mtime_ns for path in pieces}


def test_every_page_lists_it_by_its_name(site: Path) -> None:
    index = (site / "index.html").read_text("utf-8")
    assert "1 unit and 2 directions in 1 layer of mine" in index
    layer = (site / "layers/3/index.html").read_text("utf-8")
    assert "1 of 6 units and 2 directions" in layer
    assert 'href="a_mixture.html"' in layer
    assert '<span class="number">a mixture</span>' in layer
    assert 'rel="next" href="hot.html"' in (site / "layers/3/2.html").read_text("utf-8")


def test_its_page_has_all_sections_of_a_units_and_what_it_is_made_of(site: Path) -> None:
    unit = (site / "layers/3/2.html").read_text("utf-8")
    page = (site / "layers/3/a_mixture.html").read_text("utf-8")
    assert "3:</span>a mixture</h1>" in page
    sections = ("pictures", "numbers", "examples", "tuning", "inputs", "record")
    for section in sections:
        assert f'<section id="{section}">' in page
        assert f'<section id="{section}">' in unit
    assert 'id="composition"' not in unit
    made_of = page.partition('<section id="composition">')[2].partition("</section>")[0]
    assert "3 weights, all others are zero" in made_of
    shown = [made_of.index(weight) for weight in ("−2<", "+0.5<", "+0.25<")]
    assert shown == sorted(shown)
    assert 'href="../../layers/3/2.html"' in made_of
    assert made_of.count("--x:") == 3  # thumbnails of the other two units are made for it
    saved = Direction.load(site / "layers/3/a_mixture.json")
    assert saved == Direction("3", [0, 0.5, -2, 0, 0.25, 0], name="a mixture")


@pytest.mark.parametrize(("kind", "pictures"), [("positive", 1), ("negative", 1), ("diversity", 2)])
def test_a_direction_of_one_unit_has_its_pictures(folder: Path, kind: str, pictures: int) -> None:
    network = networks.load(f"{folder}/my_cnn.py:build")
    settings = {"steps": 3, "size": 24, "seed": 0}
    work = {
        "kind": kind,
        "pictures": pictures,
        "settings": settings,
        "lossless": False,
        "thumbnail": True,
    }
    # The noise that a picture begins with depends on the feature's name.
    hot = Direction("3", np.eye(6)[2], name="2").record()
    of_unit, of_hot = (
        visualizations.make(network, {**work, "features": [feature]}) for feature in ("3:2", hot)
    )
    assert of_unit.keys() == of_hot.keys()
    for name in of_unit:
        if name.endswith(".webp"):
            one, other = (
                np.asarray(Image.open(BytesIO(found[name])), int) for found in (of_unit, of_hot)
            )
            assert np.abs(one - other).max() <= 1


def test_a_direction_of_one_unit_has_its_weights(site: Path) -> None:
    unit, hot = (data(site, "weights", f"{name}-weights") for name in ("2", "hot"))
    assert [each["layer"] for each in unit["inputs"]] == ["1", "input"]
    assert unit["inputs"] == hot["inputs"]
    assert hot["feature"] == Direction("3", np.eye(6)[2], name="hot").record()


def test_a_direction_of_one_unit_has_its_tuning(site: Path) -> None:
    responses = tuning.Responses.load(one(site, "tuning/*/responses.nc"))
    unit, hot = (responses.sel(unit=f"3:{name}").values for name in ("2", "hot"))
    assert np.allclose(unit, hot, atol=1e-6)
    assert unit.max() > 0


def test_a_direction_of_one_unit_has_its_examples(site: Path) -> None:
    unit, hot = (data(site, "examples", f"{name}-examples") for name in ("2", "hot"))
    tops = [[each for each in found["tops"] if each["value"] > 0] for found in (unit, hot)]
    assert tops[0] == tops[1]
    assert tops[0]
    assert unit["active"] == hot["active"]


def test_a_changed_direction_alone_is_made_anew(site: Path, folder: Path, tmp_path: Path) -> None:
    before = made(site)
    gallery.build(folder / "recipe.toml", site, workers=1)
    assert made(site) == before
    kept = (folder / "hot.npy").read_bytes()
    np.save(folder / "hot.npy", np.eye(6)[3])
    gallery.build(folder / "recipe.toml", site, workers=1)
    after = made(site)
    assert before.items() <= after.items()
    new = [json.loads(path.read_text())["work"] for path in after.keys() - before.keys()]
    assert {"feature visualization", "weights", "tuning", "dataset examples", "partner"} == {
        work["what"] for work in new
    }
    for work in new:
        expected = "3:3" if work["what"] == "partner" else Direction("3", np.eye(6)[3], name="hot")
        assert work["features"] == [networks.parse(expected).record()]
    (folder / "hot.npy").write_bytes(kept)


@pytest.mark.slow
def test_directions_in_memory_make_the_pages_that_their_files_make(
    site: Path, folder: Path, tmp_path: Path
) -> None:
    gallery.build(folder / "recipe.toml", site, workers=1)
    options = RECIPE.partition("[[layers]]")[0].replace('"photographs"', f'"{folder}/photographs"')
    (tmp_path / "recipe.toml").write_text(options.replace('network = "my_cnn.py:build"\n', ""))
    network = networks.load(f"{folder}/my_cnn.py:build")
    hot = Direction("3", np.eye(6)[2], name="hot")
    mixture = Direction.load(folder / "a mixture.json")
    features = ["3:2", hot, mixture]
    given = tmp_path / "site"
    gallery.build(tmp_path / "recipe.toml", given, network=network, features=features)
    for page in ("hot", "a_mixture", "2"):
        path = f"layers/3/{page}.html"
        assert sections(given / path) == sections(site / path)
    with pytest.raises(InputError, match="'layers' is missing or empty"):
        gallery.build(tmp_path / "recipe.toml", given, network=network)


def sections(page: Path) -> list[str]:
    return [part[:12] for part in page.read_text("utf-8").split("<section id=")[1:]]


@pytest.mark.slow
def test_other_processes_get_the_directions_weights(site: Path, folder: Path) -> None:
    gallery.build(folder / "recipe.toml", site, workers=1)
    two = gallery.build(folder / "recipe.toml", folder / "two", workers=2).parent
    for path in ("index.html", "layers/3/hot.html", "layers/3/a_mixture.html"):
        assert (two / path).read_bytes() == (site / path).read_bytes()
