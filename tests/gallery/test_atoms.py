"""A dictionary's atoms have pages as units have, with their siblings from another seed."""

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from playwright.sync_api import Page, expect

from visioncircuits import datasets, dictionaries, gallery, networks
from visioncircuits.dictionaries import Dictionary, Largest, Linear
from visioncircuits.errors import InputError
from visioncircuits.gallery.atoms import Atoms
from visioncircuits.gallery.evidence import atoms
from visioncircuits.gallery.recipe import read as read_recipe
from visioncircuits.gallery.selection import Selection, select
from visioncircuits.networks import Unit

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
title = "Atoms"
network = "my_cnn.py:build"
quality = { steps = 2, size = 24 }
weights = { connections = 3, layers = 1, factors = 0 }
tuning = { stimuli = ["edges"] }
examples = { photographs = "photographs", top = 2 }

[[layers]]
name = "1"
units = [0]
dictionary = { file = "early.safetensors", atoms = [2] }

[[layers]]
name = "3"
units = [2]

[layers.dictionary]
file = "a.safetensors"
atoms = "0, 5"
second = "b.safetensors"
evaluation = "a.json"
"""
ORDER = (3, 7, 0, 1, 6, 2, 5, 4)
"""The atoms of the first dictionary that those of the second one are."""


def drawn(layer: str, units: int, atoms: int, seed: int, **record: Any) -> Dictionary:
    torch.manual_seed(seed)
    rows = torch.nn.functional.normalize(torch.randn(atoms, units), dim=1)
    ones, zeros = torch.ones(atoms), torch.zeros(units)
    bias = torch.zeros(atoms)
    return Dictionary(layer, rows, rows.T, bias, Largest(2), ones, zeros, "TopK", record)


def permuted(first: Dictionary) -> Dictionary:
    order = list(ORDER)
    encoder = first.encoder[:, order]
    return replace(first, atoms=first.atoms[order], encoder=encoder, record={"seed": 1})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gallery")
    (folder / "my_cnn.py").write_text(FILE)
    (folder / "recipe.toml").write_text(RECIPE)
    (folder / "photographs").mkdir()
    for place in range(3):
        pixels = np.random.default_rng(place).integers(0, 256, (24, 24, 3), np.uint8)
        Image.fromarray(pixels).save(folder / "photographs" / f"{place}.png")
    network = networks.load(f"{folder}/my_cnn.py:build")
    first = drawn("3", 6, 8, 0, network=network.record(), convergence={"converged": False})
    first.save(folder / "a.safetensors")
    permuted(first).save(folder / "b.safetensors")
    drawn("1", 4, 5, 2).save(folder / "early.safetensors")
    drawn("3", 6, 4, 3).save(folder / "small.safetensors")
    drawn("3", 6, 8, 0, network={**network.record(), "parameters_sha256": "0"}).save(
        folder / "elsewhere.safetensors"
    )
    evaluation = dictionaries.evaluate(first, network, folder / "photographs", batch=3)
    evaluation.save(folder / "a.json")
    other = dictionaries.evaluate(permuted(first), network, folder / "photographs", batch=3)
    other.save(folder / "b.json")
    return folder


@pytest.fixture(scope="module")
def site(folder: Path) -> Path:
    return gallery.build(folder / "recipe.toml", folder / "site", workers=1).parent


def page_of(site: Path, name: str, layer: str = "3") -> str:
    return (site / f"layers/{layer}/{name}.html").read_text("utf-8")


def section(page: str, anchor: str) -> str:
    assert f'<section id="{anchor}">' in page
    return page.partition(f'<section id="{anchor}">')[2].partition("</section>")[0]


def cards(html: str) -> list[tuple[str, str]]:
    """The names of cards, and the texts below them."""
    return re.findall(r"<b>([^<]*)</b><small>([^<]*)</small>", html)


def made(site: Path) -> dict[Path, int]:
    """Return when each finished piece of work was written."""
    pieces = [path for path in site.glob("*/*/work.json") if path.parts[-3] != "survey"]
    return {path: path.stat().st_mtime_ns for path in pieces}


def what(paths: set[Path]) -> set[str]:
    return {json.loads(path.read_text())["work"]["what"] for path in paths}


def test_an_atom_has_a_page_as_a_unit_has(site: Path) -> None:
    page = page_of(site, "atom_5")
    of_unit = page_of(site, "2")
    for each in ("pictures", "numbers", "examples", "tuning", "inputs", "record"):
        assert section(page, each)
        assert section(of_unit, each)
    assert section(page, "composition")
    assert '<section id="atom">' not in of_unit
    assert "1 of 4 units and 1 direction" in (site / "layers/1/index.html").read_text("utf-8")


def test_it_states_what_its_dictionary_is_worth(site: Path, folder: Path) -> None:
    shown = section(page_of(site, "atom_0"), "atom")
    verdict = json.loads((folder / "a.json").read_text())["verdict"]
    assert "DOES NOT BEAT" in verdict
    assert verdict in shown
    assert "a.safetensors: TopK, 8 atoms of 6 units, not converged" in shown
    assert "whether this dictionary beats" in section(page_of(site, "atom_2", "1"), "atom")


def test_its_siblings_are_the_nearest_atoms_of_the_second_seed(site: Path) -> None:
    for number in (0, 5):
        shown = section(page_of(site, f"atom_{number}"), "atom")
        assert cards(shown)[0] == (f"atom {ORDER.index(number)}", "cosine 1")
        assert len(cards(shown)) == atoms.SIBLINGS
        assert shown.count("--x:") == atoms.SIBLINGS  # small pictures are made for them
        assert "recurs" in shown
    assert "second seed" not in section(page_of(site, "atom_2", "1"), "atom")


def test_its_weights_are_to_and_from_atoms_of_other_layers_too(site: Path, folder: Path) -> None:
    network = networks.load(f"{folder}/my_cnn.py:build")
    weight = network.module[2].weight
    own, early = (Dictionary.load(folder / f"{name}.safetensors").atoms for name in ("a", "early"))
    expected = torch.einsum("o,oiyx,ai->ayx", own[5], weight, early).flatten(1).norm(dim=1)
    (path,) = site.glob("weights/*/3-atom_5-weights.json")
    units, along = json.loads(path.read_text())["inputs"]
    assert (units["atoms"], along["atoms"], along["layer"]) == (False, True, "1")
    order = expected.argsort(descending=True)[:3]
    assert along["units"]["index"] == order.tolist()
    assert np.allclose(along["units"]["norm"], expected[order].detach(), rtol=1e-3)
    (path,) = site.glob("weights/*/1-atom_2-weights.json")
    onward = json.loads(path.read_text())["outputs"][1]
    expected = torch.einsum("i,oiyx,ao->ayx", early[2], weight, own).flatten(1).norm(dim=1)
    assert onward["units"]["index"] == expected.argsort(descending=True)[:3].tolist()
    shown = section(page_of(site, "atom_5"), "inputs")
    assert "1, atoms</h3>" in shown
    assert 'href="../../layers/1/atom_2.html"' in shown or (2 not in order.tolist())
    assert "<b>atom " in section(page_of(site, "2"), "inputs")


def test_examples_have_the_code_beside_the_dot_product(site: Path, folder: Path) -> None:
    network = networks.load(f"{folder}/my_cnn.py:build")
    dictionary = Dictionary.load(folder / "a.safetensors")
    (path,) = site.glob("examples/*/3-atom_5-examples.json")
    tops = json.loads(path.read_text())["tops"]
    assert len(tops) == 2
    photographs = datasets.photographs(folder / "photographs")
    for each in tops:
        picture = photographs.read(each["photograph"], 24)
        rows = network.activations(picture[None], ["3"])["3"][0].flatten(1).T
        along = rows @ dictionary.atoms[5]
        assert float(along.max()) == pytest.approx(each["value"], rel=1e-3)
        code = dictionary.encode(rows)[along.argmax(), 5]
        assert each["code"] == pytest.approx(float(code), rel=1e-3)
    assert "below it the atom's code there" in section(page_of(site, "atom_5"), "examples")
    assert "code" not in section(page_of(site, "2"), "examples")


def test_the_table_of_units_has_cosines_and_the_encoder(site: Path, folder: Path) -> None:
    shown = section(page_of(site, "atom_5"), "composition")
    own = Dictionary.load(folder / "a.safetensors")
    value = r'<td data-value="([-.e0-9]+)">.*?'
    rows = re.findall(4 * value, shown)
    assert len(rows) == 6
    for unit, cosine, share, encoder in rows:
        value = float(own.atoms[5, int(unit)])
        assert np.allclose([float(cosine), float(share)], [value, value**2], atol=1e-6)
        assert float(encoder) == pytest.approx(float(own.encoder[int(unit), 5]), rel=1e-3)


def test_only_what_depends_on_a_changed_file_is_made_anew(
    site: Path, folder: Path, tmp_path: Path
) -> None:
    whole = tmp_path / "gallery"
    shutil.copytree(folder, whole)
    out = whole / "site"
    before = made(out)
    gallery.build(whole / "recipe.toml", out, workers=1)
    assert made(out) == before
    first = Dictionary.load(whole / "a.safetensors")
    drawn("3", 6, 8, 5).save(whole / "b.safetensors")
    gallery.build(whole / "recipe.toml", out, workers=1)
    assert what(made(out).keys() - before.keys()) == {"atoms", "partner"}
    before = made(out)
    rows = first.atoms.clone()
    rows[5] = torch.eye(6)[0]
    changed = replace(first, atoms=rows)
    changed.save(whole / "a.safetensors")
    gallery.build(whole / "recipe.toml", out, workers=1)
    new = made(out).keys() - before.keys()
    pictures = [path for path in new if path.parts[-3] == "pictures"]
    assert [len(json.loads(p.read_text())["work"]["features"]) for p in pictures] == [1]
    assert "is that unit" in section(page_of(out, "atom_5"), "atom")


@pytest.mark.slow
def test_killed_during_any_write_it_resumes_and_builds_the_same_site(
    site: Path, folder: Path, tmp_path: Path, killed: Callable[[Path, Path, int], None]
) -> None:
    out = tmp_path / "out"
    for writes in (30, 25, 12):
        killed(folder / "recipe.toml", out, writes)
    two = gallery.build(folder / "recipe.toml", out, workers=2).parent
    for path in site.rglob("*.html"):
        assert (two / path.relative_to(site)).read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ('"a.safetensors"', '"lost.safetensors"', 18, "there is no file .*lost.safetensors"),
        ('"a.safetensors"', '"my_cnn.py"', 18, "my_cnn.py holds no dictionary"),
        ('"a.safetensors"', '"early.safetensors"', 18, "is a dictionary of 1, not of 3"),
        ('"a.safetensors"', '"elsewhere.safetensors"', 18, "was found in mine with other param"),
        ('"0, 5"', '"0, 8"', 19, "a.safetensors has atoms 0 to 7, and no 8"),
        ('"0, 5"', '"every"', 19, "'every' is no atom; write .*, or \"16 most used\""),
        ('"b.safetensors"', '"lost.safetensors"', 20, "there is no file .*lost.safetensors"),
        ('"b.safetensors"', '"early.safetensors"', 20, "is a dictionary of 1, not of 3"),
        ('"b.safetensors"', '"small.safetensors"', 20, "has 4 atoms, and the first dictionary 8"),
        ('"b.safetensors"', '"a.safetensors"', 20, "is the same as a.safetensors; a second"),
        ('"a.json"', '"b.json"', 21, "b.json is the evaluation of another dictionary"),
        ('"a.json"', '"lost.json"', 21, "there is no file .*lost.json"),
        ('evaluation = "a.json"', "", 17, "needs `evaluation`, the file that"),
        ("second =", "seconds =", 20, "unknown key of .* 'seconds'; the nearest are 'second'"),
    ],
)
def test_a_mistake_is_reported_with_its_line_before_anything_is_written(
    folder: Path, tmp_path: Path, old: str, new: str, line: int, message: str
) -> None:
    text = RECIPE.replace("my_cnn.py:build", f"{folder}/my_cnn.py:build")
    if not new:
        text = text.replace('"0, 5"', '"3 most used"')
    for name in ("a", "b", "early", "small", "elsewhere"):
        shutil.copy(folder / f"{name}.safetensors", tmp_path)
    for name in ("a.json", "b.json", "my_cnn.py"):
        shutil.copy(folder / name, tmp_path)
    assert old in text
    before, _last, after = text.rpartition(old)
    (tmp_path / "recipe.toml").write_text(before + new + after)
    with pytest.raises(InputError, match=f"recipe.toml, line {line}: .*{message}"):
        gallery.build(tmp_path / "recipe.toml", tmp_path / "site", workers=1)
    assert not (tmp_path / "site").exists()


def test_the_most_used_atoms_are_those_of_the_evaluation(folder: Path, tmp_path: Path) -> None:
    path = folder / "used.toml"
    path.write_text(RECIPE.replace('"0, 5"', '"3 most used"'))
    _, found = select(read_recipe(path), networks.load(f"{folder}/my_cnn.py:build"))
    firing = np.array(json.loads((folder / "a.json").read_text())["atoms"]["firing"])
    assert found.atoms is not None
    assert list(found.atoms.numbers) == np.argsort(-firing, kind="stable")[:3].tolist()
    assert [each.name for each in found.directions] == [f"atom {n}" for n in found.atoms.numbers]


def test_where_signs_mean_nothing_the_nearest_is_of_either_sign(folder: Path) -> None:
    network = networks.load(f"{folder}/my_cnn.py:build")
    first = drawn("3", 6, 3, 0)
    first = replace(first, rule=Linear(), method="PCA")
    second = replace(first, atoms=-first.atoms)
    both = Atoms(first, (1,), second, None, {"file": ("a", "0")})
    chosen = Selection(network.layers["3"], (Unit("3", 0), *both.shown), {}, {}, both)
    (work,) = atoms.requests(network, [chosen])
    (content,) = atoms.make(network, work, found={"3": both}).values()
    assert json.loads(content)["siblings"][0] == [1, -1.0]


def test_the_table_is_sorted_by_the_column_that_is_clicked(page: Page, site: Path) -> None:
    page.goto((site / "layers/3/atom_5.html").as_uri())
    numbers = page.locator(".sortable tbody td:first-child")
    page.get_by_role("button", name="unit").click()
    expect(numbers).to_have_text(["5", "4", "3", "2", "1", "0"])
    page.get_by_role("button", name="unit").click()
    expect(numbers).to_have_text(["0", "1", "2", "3", "4", "5"])
    page.goto((site / "layers/3/index.html").as_uri())
    for sought in ("5", "atom 5"):
        page.get_by_label("Feature", exact=True).fill(sought)
        expect(page.locator("#count")).to_have_text("1 of 3 features")
