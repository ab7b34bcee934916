"""Examples are shown where a recipe names photographs; their numbers are the network's."""

import json
import logging
import shutil
from collections.abc import Callable
from io import BytesIO
from math import ceil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from visioncircuits import gallery, networks, pictures
from visioncircuits.errors import InputError
from visioncircuits.examples import crops
from visioncircuits.gallery.evidence import examples, tiles
from visioncircuits.gallery.recipe import Recipe
from visioncircuits.gallery.selection import Selection
from visioncircuits.networks import Network, Unit

NAME = "torchvision:squeezenet1_1"
TABLE = """\
[examples]
photographs = "photographs"
labels = "folders"
top = 3
"""
RECIPE = f"""\
title = "Examples"
network = "{NAME}"
checkpoint = "random.safetensors"

[quality]
steps = 1
size = 32

[weights]
connections = 0

{TABLE}
[[layers]]
name = "features.0"
units = "0-1"

[[layers]]
name = "features.3"
units = [70, 3]
"""


@pytest.fixture(scope="module")
def folder(
    random_squeezenet: Path, classes: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    folder = tmp_path_factory.mktemp("examples")
    (folder / "random.safetensors").symlink_to(random_squeezenet)
    (folder / "photographs").symlink_to(classes)
    return folder


@pytest.fixture(scope="module")
def built(folder: Path) -> Path:
    """A site, not to be changed."""
    return build(folder, folder / "built")


def build(folder: Path, out: Path, text: str = RECIPE, **options: object) -> Path:
    recipe = folder / f"{out.name}.toml"
    recipe.write_text(text)
    return gallery.build(recipe, out, **{"workers": 1, **options}).parent


def contents(out: Path) -> dict[str, bytes]:
    files = [path for path in out.rglob("*") if path.is_file()]
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in files}


def cut(out: Path) -> dict[str, int]:
    files = [*out.glob("examples/[!.]*/*.webp"), *out.glob("survey/[!.]*/*.npz")]
    return {path.name: path.stat().st_mtime_ns for path in files}


def numbers(out: Path, unit: str) -> dict:
    (path,) = out.glob(f"examples/*/{unit.replace(':', '-')}-examples.json")
    return json.loads(path.read_text())


def tile(out: Path, unit: str, kind: str, place: int) -> np.ndarray:
    sheet = "crops" if kind == "crops" else "whole"
    (path,) = out.glob(f"examples/*/{unit.replace(':', '-')}-examples-{sheet}.webp")
    side = tiles.CROP if kind == "crops" else tiles.WHOLE
    row, column = divmod(place, tiles.COLUMNS)
    if kind == "overlaid":  # below those masked
        found = numbers(out, unit)
        row += ceil(len(found["tops"] + found["bottoms"]) / tiles.COLUMNS)
    pitch = side + 2 * tiles.FRAME
    left, top = (at * pitch + tiles.FRAME for at in (column, row))
    with Image.open(BytesIO(path.read_bytes())) as sheet:
        return np.asarray(sheet.convert("RGB").crop((left, top, left + side, top + side)))


@pytest.fixture(scope="module")
def network(random_squeezenet: Path) -> Network:
    return networks.load(NAME, checkpoint=random_squeezenet)


@pytest.fixture(scope="module")
def activations(network: Network, classes: Path) -> dict[str, torch.Tensor]:
    """The activations of features.0:1 at every position of every photograph, by its name."""
    found = {}
    for path in sorted(classes.rglob("*.webp")):
        picture = pictures.read(path, network.size)[None]
        with torch.inference_mode():
            values = network.activations(picture, ["features.0"])["features.0"]
        found[path.relative_to(classes).as_posix()] = values[0, 1]
    return found


def test_examples_are_the_photographs_that_activate_the_unit_most_and_least(
    built: Path, activations: dict[str, torch.Tensor]
) -> None:
    data = numbers(built, "features.0:1")
    strongest = {name: float(values.max()) for name, values in activations.items()}
    weakest = {name: float(values.min()) for name, values in activations.items()}
    for shown, extreme, down in (
        (data["tops"], strongest, True),
        (data["bottoms"], weakest, False),
    ):
        expected = sorted(extreme, key=extreme.__getitem__, reverse=down)[:3]
        assert [each["photograph"] for each in shown] == expected
        assert [each["value"] for each in shown] == pytest.approx(
            [extreme[name] for name in expected], rel=1e-3
        )


def test_numbers_are_those_of_all_positions(
    built: Path, activations: dict[str, torch.Tensor]
) -> None:
    data = numbers(built, "features.0:1")
    every = torch.cat([values.flatten() for values in activations.values()]).double().numpy()
    assert data["positions"] == len(every)
    assert (data["seen"], data["skipped"]) == (12, 1)
    found = [data["mean"], data["deviation"], data["active"]]
    assert found == pytest.approx([every.mean(), every.std(), (every > 0).mean()], rel=1e-3)
    for share, value in data["quantiles"]:
        assert value == pytest.approx(np.quantile(every, share), rel=0.03, abs=1e-4)
    edges = np.linspace(data["steps"][0], data["steps"][-1], len(data["density"]) + 1)
    inside = (every >= edges[0]).mean()
    assert np.sum(data["density"]) * (edges[1] - edges[0]) == pytest.approx(inside, abs=0.01)
    positive = np.histogram(every, edges, weights=every.clip(0))[0]
    assert np.abs(np.array(data["shares"]) - positive / positive.sum()).max() < 0.02


def test_each_column_of_the_quilt_holds_its_step_once_a_photograph(built: Path) -> None:
    for unit in ("features.0:1", "features.3:70"):
        data = numbers(built, unit)
        assert data["steps"] == sorted(data["steps"])
        assert len(data["quilt"]) == len(data["steps"]) - 1
        for low, high, column in zip(data["steps"], data["steps"][1:], data["quilt"], strict=False):
            assert all(low - 1e-3 <= each["value"] <= high + 1e-3 for each in column)
            names = [each["photograph"] for each in column]
            assert len(set(names)) == len(names) <= tiles.EACH


def test_classes_are_named_after_their_folders(
    built: Path, activations: dict[str, torch.Tensor]
) -> None:
    found = dict(numbers(built, "features.0:1")["classes"])
    for label in ("even", "odd"):
        highest = [
            max(float(v.max()), 0) for name, v in activations.items() if name.startswith(label)
        ]
        assert found[label] == pytest.approx(np.mean(highest), rel=1e-3)


def test_tiles_are_cut_at_the_receptive_field(built: Path, network: Network, classes: Path) -> None:
    data = numbers(built, "features.3:70")
    for place, each in enumerate(data["tops"]):
        picture = pictures.read(classes / each["photograph"], network.size)
        left, top, side = each["box"]
        assert side == network.layers["features.3"].receptive_field[0]
        padded = torch.nn.functional.pad(picture, (side,) * 4, value=crops.GROUND)
        expected = padded[:, top + side : top + 2 * side, left + side : left + 2 * side]
        error = tile(built, "features.3:70", "crops", place) - crops.tile(
            expected, tiles.CROP
        ).astype(float)
        assert np.abs(error).mean() < 6, "except for losses of WebP"


@pytest.mark.slow
def test_for_a_receptive_field_larger_than_the_picture_the_whole_is_shown(
    folder: Path, classes: Path, network: Network
) -> None:
    out = build(folder, folder / "whole", RECIPE.replace("top = 3", "top = 3\ncrop = 300"))
    top = numbers(out, "features.3:70")["tops"][0]
    assert top["box"] == [0, 0, network.size]
    expected = crops.tile(pictures.read(classes / top["photograph"], network.size), tiles.CROP)
    error = tile(out, "features.3:70", "crops", 0) - expected.astype(float)
    assert np.abs(error).mean() < 6, "except for losses of WebP"


def test_the_overlay_is_red_where_the_unit_activates_most(built: Path) -> None:
    left, top, side = numbers(built, "features.0:1")["tops"][0]["box"]
    scale = tiles.WHOLE / 224
    row, column = (int((edge + side / 2) * scale) for edge in (top, left))
    overlaid = tile(built, "features.0:1", "overlaid", 0).astype(int)
    assert overlaid[row, column, 0] - overlaid[row, column, 2] > 60


def test_an_overlay_is_red_or_blue_by_sign_and_gray_at_zero() -> None:
    gray = torch.full((3, 8, 8), 0.5)
    found = tiles.overlaid(gray, torch.tensor([[2.0, -2.0], [0.0, 0.0]]), 2.0)
    assert found[0, 0, 0] > found[2, 0, 0] + 0.4
    assert found[2, 0, 7] > found[0, 0, 7] + 0.4
    assert torch.allclose(found[0, 7], found[2, 7])


def test_the_section_comes_after_numbers_and_counts_files_that_could_not_be_read(
    built: Path,
) -> None:
    page = (built / "layers/features.3/70.html").read_text()
    assert page.index('id="numbers"') < page.index('id="examples"') < page.index('id="record"')
    assert "12 photographs, 1 more could not be read" in page


@pytest.mark.slow
def test_one_worker_and_two_build_the_same_site_and_nothing_is_made_twice(
    folder: Path, built: Path
) -> None:
    two = build(folder, folder / "two", workers=2)
    first, pieces = contents(built), cut(built)
    assert len(pieces) == 4 * 2 + 1
    assert not (built / "survey" / "parts").exists()
    assert contents(two) == first
    build(folder, built)
    assert contents(built) == first
    assert cut(built) == pieces


def test_only_a_further_unit_is_cut_and_without_photographs_all_are_removed(
    folder: Path, built: Path
) -> None:
    out = Path(shutil.copytree(built, folder / "more"))
    before = cut(out)
    after = cut(build(folder, out, RECIPE.replace('"0-1"', '"0-2"')))
    assert before.items() <= after.items()
    assert len(after) == len(before) + 2  # sheets
    assert len(list(out.glob("examples/*/features.0-2-*"))) == 3
    assert not cut(build(folder, out, RECIPE.replace(TABLE, "")))
    assert not list((out / "survey").iterdir())
    assert 'id="examples"' not in (out / "layers/features.3/70.html").read_text()


def test_without_the_recipes_photographs_it_warns_and_keeps_finished_examples(
    folder: Path, built: Path, caplog: pytest.LogCaptureFixture
) -> None:
    out = Path(shutil.copytree(built, folder / "away"))
    pieces = cut(out)
    with caplog.at_level(logging.WARNING):
        build(folder, out, RECIPE.replace('"photographs"', '"elsewhere"'))
    assert "there are no photographs at" in caplog.text
    assert "--photographs" in caplog.text
    assert cut(out) == pieces
    assert 'id="examples"' not in (out / "layers/features.3/70.html").read_text()
    build(folder, out)
    assert cut(out) == pieces


@pytest.mark.slow
def test_photographs_can_be_passed_instead_of_the_recipes(
    folder: Path, built: Path, classes: Path
) -> None:
    out = build(
        folder, folder / "given", RECIPE.replace('"photographs"', '"nowhere"'), photographs=classes
    )
    assert numbers(out, "features.3:70") == numbers(built, "features.3:70")
    with pytest.raises(InputError, match="there is no folder"):
        build(folder, out, photographs=folder / "nowhere")


def test_a_folder_without_photographs_is_an_error_with_its_line(folder: Path) -> None:
    (folder / "empty").mkdir()
    with pytest.raises(InputError, match=r"line 13: .*holds no photographs"):
        build(folder, folder / "none", RECIPE.replace('"photographs"', '"empty"'))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("top = 0", "greater than or equal to 1"),
        ('labels = "names"', "'labels' of .examples."),
        ("crop = 3", "greater than or equal to 8"),
        ("pictures = 3", "unknown key of .examples. 'pictures'"),
    ],
)
def test_a_mistake_in_the_recipe_is_a_sentence_with_its_line(
    folder: Path, text: str, message: str
) -> None:
    with pytest.raises(InputError, match=f"line 1[345]: .*{message}"):
        build(folder, folder / "wrong", RECIPE.replace(TABLE, f"[examples]\n{text}\n"))


def test_a_layer_without_positions_has_no_examples() -> None:
    network = networks.untrained("bvlc_googlenet")
    selections = [
        Selection(network.layers[name], (Unit(name, 3),), {}, {}) for name in ("conv2d2", "logits")
    ]
    layers = [{"name": selection.layer.name, "units": [3]} for selection in selections]
    recipe = Recipe(title="T", network="bvlc_googlenet", layers=layers)
    found = examples.requests(recipe, network, selections, "0")
    assert [work["features"] for work in found] == [["conv2d2:3"]]


@pytest.mark.slow
def test_killed_during_the_pass_or_the_cutting_it_resumes_and_builds_the_same_site(
    folder: Path, built: Path, killed: Callable[[Path, Path, int], None]
) -> None:
    out = folder / "killed"
    (folder / "killed.toml").write_text(RECIPE)
    # the recipe and its mark; the pass's part; what is joined of it; pictures; tiles; pages
    for writes in (2, 2, 8, 12, 5, 4):
        killed(folder / "killed.toml", out, writes)
    assert contents(build(folder, out)) == contents(built)
