"""`visioncircuits weights` and `circuit`, on real weights."""

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from visioncircuits.cli.main import app
from visioncircuits.errors import InputError
from visioncircuits.networks import Network, load
from visioncircuits.weights import Circuit, ExpandedWeights, Factors, decoded, expanded_weights
from visioncircuits.weights.pictures import LINE

NAME = "bvlc_googlenet"
DRAW = ("circuit", "draw", NAME)


def call(*arguments: object) -> None:
    app([str(argument) for argument in arguments], standalone_mode=False)


@pytest.fixture(scope="module")
def network(checkpoints: Path) -> Network:
    return load(NAME, checkpoint=checkpoints / f"{NAME}.safetensors")


@pytest.fixture(autouse=True)
def _weights(checkpoints: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISIONCIRCUITS_CHECKPOINTS", str(checkpoints.absolute()))


def test_the_picture_shows_the_strongest_inputs_kernels(network: Network, tmp_path: Path) -> None:
    path, saved = tmp_path / "up.png", tmp_path / "up.nc"
    call(
        *("weights", NAME, "mixed3a", "mixed3b:413", "--top", 5),
        *("-o", path, "--steps", 0, "--save", saved),
    )
    weights = ExpandedWeights.load(saved)
    assert weights.weight.equal(expanded_weights(network, "mixed3a", "mixed3b:413").weight)
    strongest = weights.weight[0][int(weights.weight[0].square().sum((1, 2)).argmax())]
    scale = float(strongest.abs().max())
    pixels = np.asarray(Image.open(path))
    places = np.argwhere((pixels == (202, 0, 32)).all(-1))  # the deepest red there is
    top, left = places[places[:, 0] < pixels.shape[0] - LINE].min(0)
    zoom = 144 // 5
    y, x = np.unravel_index(int(strongest.argmax()), strongest.shape)
    corner = top - y * zoom, left - x * zoom
    tile = pixels[corner[0] : corner[0] + 5 * zoom, corner[1] : corner[1] + 5 * zoom]
    values = decoded(tile[zoom // 2 :: zoom, zoom // 2 :: zoom], scale)
    assert np.abs(values - strongest.numpy()).max() <= 0.005 * scale


def test_features_on_both_sides_make_a_grid(tmp_path: Path) -> None:
    path = tmp_path / "grid.webp"
    call(
        *("weights", NAME, "mixed3a:3,20", "mixed3b:413,408,398", "-o", path, "--steps", 0),
        *("--save", tmp_path / "grid.npz"),
    )
    assert ExpandedWeights.load(tmp_path / "grid.npz").weight.shape[:2] == (3, 2)
    with Image.open(path) as picture:
        assert picture.height > 3 * 96


@pytest.mark.slow
def test_what_a_unit_is_used_for_is_shown_with_pictures(tmp_path: Path) -> None:
    path, bare = tmp_path / "down.png", tmp_path / "bare.png"
    command = ("weights", NAME, "conv2d0:3", "conv2d2", "--top", 2, "--max-pool", "repeat")
    call(*command, "-o", path, "--steps", 2)
    call(*command, "-o", bare, "--steps", 0)
    assert np.asarray(Image.open(path)).std() > np.asarray(Image.open(bare)).std()


@pytest.mark.slow
def test_factors_are_drawn_and_saved(tmp_path: Path) -> None:
    call(
        *("weights", NAME, "conv2d1", "mixed3a:148", "--factors", 2, "--steps", 2),
        *("-o", tmp_path / "factors.png", "--save", tmp_path / "factors.npz"),
    )
    factors = Factors.load(tmp_path / "factors.npz")
    assert len(factors.directions) == 2
    assert factors.explained > 0.8


@pytest.mark.slow
def test_a_feature_is_taken_apart_by_position(tmp_path: Path) -> None:
    call(
        *("positions", NAME, "conv2d1", "conv2d2:3", "-o", tmp_path / "grid.png", "--steps", 2),
        *("--save", tmp_path / "weights.npz"),
    )
    with Image.open(tmp_path / "grid.png") as picture:
        pixels = np.asarray(picture).astype(float)
    tiles = pixels.reshape(3, 96, 3, 96, 3).std((1, 3, 4))
    magnitude = ExpandedWeights.load(tmp_path / "weights.npz").weight[0].norm(dim=0).numpy()
    assert tiles.argmin() == magnitude.argmin(), "the smaller, the fainter"


def test_a_circuit_is_drawn_and_saved(tmp_path: Path) -> None:
    call(
        *(
            "circuit",
            "draw",
            NAME,
            "mixed3a:148",
            "--depth",
            2,
            "--uses",
            1,
            "--most",
            3,
            "--steps",
            0,
        ),
        *("-o", tmp_path / "circuit.svg", "--save", tmp_path / "circuit.nc"),
    )
    found = Circuit.load(tmp_path / "circuit.nc")
    assert [column[0].layer for column in found.columns] == [
        *("conv2d1", "conv2d2", "mixed3a", "mixed3b")
    ]
    drawing = ElementTree.parse(tmp_path / "circuit.svg")
    titles = {title.text for title in drawing.iter("{http://www.w3.org/2000/svg}title")}
    assert {str(feature) for feature in found.features} <= titles


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("weights", NAME, "mixed3a", "mixed3b:1"), "nothing to write"),
        (("weights", NAME, "mixed3a", "mixed3b:1", "-o", "up.jpg"), "name it .png or .webp"),
        (("weights", NAME, "mixed3a", "mixed3b:1", "--save", "up.csv"), "name it .npz or .nc"),
        (("weights", NAME, "mixed3a", "mixed3b", "-o", "up.png"), "256 × 480 kernels"),
        (("weights", NAME, "mixed3b", "mixed3a:1", "-o", "up.png"), "mixed3b comes after mixed3a"),
        (("weights", NAME, "mixed3a_1x1", "mixed3a_3x3:1", "-o", "up.png"), "no path leads"),
        (("weights", NAME, "mixed3a", "mixed3b:480", "-o", "up.png"), "units 0 to 479"),
        (("weights", NAME, "mixed3a", "mixed3b:x", "-o", "up.png"), "'mixed3b:x'"),
        (("weights", NAME, "features.3", "mixed3b:1", "-o", "up.png"), "unknown layer"),
        (("weights", NAME, "mixed3a:1", "mixed3b:1", "--factors", "2", "-o", "a.png"), "all units"),
        ((*DRAW, "mixed3b:413", "-o", "circuit.pdf"), "name it .svg"),
        (
            ("circuit", "draw", NAME, "mixed3b:413", "-o", "absent/circuit.svg"),
            "there is no folder",
        ),
        (
            ("circuit", "draw", NAME, "mixed3b:413", "--depth", "5", "-o", "a.svg"),
            "has 4 layers before",
        ),
    ],
)
def test_a_mistake_is_a_sentence_and_nothing_is_written(
    arguments: tuple[str, ...], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=message):
        call(*arguments)
    assert not list(tmp_path.iterdir())
