"""Directions in files are features on the command line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from visioncircuits.cli.outputs import stems
from visioncircuits.errors import InputError
from visioncircuits.examples import Examples
from visioncircuits.featurevis import Visualization
from visioncircuits.networks import Direction, Unit, load, parse, read_features
from visioncircuits.tuning import Responses

NETWORK, LAYER = "handwritten:color-contrast", "conv2d1"
Run = Callable[..., Any]


@pytest.fixture
def rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """Two directions, in `dog.npy`, in the folder where commands are run."""
    monkeypatch.chdir(tmp_path)
    units = load(NETWORK).layer(LAYER).units
    rows = np.eye(units, dtype=np.float32)[:2] + np.float32(0.25)
    np.save("dog.npy", rows)
    np.save("cat.npy", rows[0])
    return rows


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    noise = np.random.default_rng(0).integers(0, 256, (6, 70, 60, 3), dtype=np.uint8)
    for place, picture in enumerate(noise):
        folder = tmp_path / "photos" / "ab"[place % 2]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(folder / f"{place}.png")
    return tmp_path / "photos"


def test_each_row_is_rendered_to_a_file_of_its_name(run: Run, rows: np.ndarray) -> None:
    ended = run("render", NETWORK, f"{LAYER}:1,dog.npy", "-o", "out.png", "--steps", 2)
    assert ended.returncode == 0, ended.stderr
    for place, row in enumerate(rows):
        record = Visualization.load(Path(f"out-{LAYER}-dog-{place}.png")).record
        assert parse(record["direction"]) == Direction(LAYER, row, name=f"dog {place}")
    assert Path(f"out-{LAYER}-1.png").exists()


@pytest.mark.slow
def test_directions_have_examples_and_sheets(run: Run, rows: np.ndarray, photos: Path) -> None:
    asked = f"{LAYER}:cat.npy,2"
    ended = run("examples", NETWORK, asked, "--photographs", photos, "-o", "out", "--workers", 1)
    assert ended.returncode == 0, ended.stderr
    assert f"{LAYER}:cat " in ended.stdout
    found = Examples.load(Path("out/examples.npz"))
    assert list(found.layers) == [LAYER, f"{LAYER}:cat"]
    assert {path.name for path in Path("out").glob("*.png")} == {
        f"{LAYER}-cat.png", f"{LAYER}-2.png",
    }  # fmt: skip


def test_directions_are_tuned_in_their_own_deviations(
    run: Run, rows: np.ndarray, photos: Path
) -> None:
    asked = f"{LAYER}:0,cat.npy"
    ended = run(
        "tune", NETWORK, asked, "--stimuli", "color-contrast", "-o", "t.nc",
        "--photographs", photos / "a",
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    responses = Responses.load(Path("t.nc"))
    assert responses["unit"].values.tolist() == [f"{LAYER}:0", f"{LAYER}:cat"]
    assert (responses["deviation"] > 0).all()
    assert parse(responses.record["features"][1]) == Direction(LAYER, rows[0], name="cat")


def test_what_is_written_of_directions_is_read_as_features(
    run: Run, rows: np.ndarray, photos: Path
) -> None:
    ended = run(
        "prefer", NETWORK, f"{LAYER}:dog.npy,3", "--photographs", photos, "--classes", "a",
        "--json", "p.json",
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    directions = [Direction(LAYER, row, name=f"dog {place}") for place, row in enumerate(rows)]
    assert {*read_features("p.json")} == {*directions, Unit(LAYER, 3)}
    directions[0].save("d.json")
    assert json.loads(Path("d.json").read_text())["name"] == "dog 0"
    ended = run(
        "attribute", NETWORK, "d.json", "--photograph", photos / "a/0.png", "-o", "why.png",
        "--steps", 2,
    )  # fmt: skip
    assert f"why.png: {LAYER}:dog 0 is" in ended.stdout


def test_weights_of_a_direction_are_drawn(run: Run, rows: np.ndarray) -> None:
    ended = run("weights", NETWORK, "conv2d0", f"{LAYER}:cat.npy", "--steps", 0, "-o", "w.png")
    assert ended.returncode == 0, ended.stderr
    assert Path("w.png").exists()


@pytest.mark.parametrize(
    ("feature", "message"),
    [
        (f"{LAYER}:lost.npy", "there is no file lost.npy; a direction is written layer:file.npy"),
        ("dog.npy", "'dog.npy' names no layer"),
        ("mixed3a:cat.npy", "mixed3a:cat has 8 weights, but mixed3a has 32 units"),
        (f"{LAYER}:dog.npy", "holds 2 features"),
    ],
)
@pytest.mark.usefixtures("rows")
def test_mistakes_are_one_sentence(run: Run, photos: Path, feature: str, message: str) -> None:
    ended = run("attribute", NETWORK, feature, "--photograph", photos / "a/0.png", "-o", "w.png")
    assert ended.returncode == 2
    assert message in ended.stderr
    assert not Path("w.png").exists()


def test_two_features_never_share_a_file() -> None:
    one, two = (Direction("a", [1.0], name=name) for name in ("dog 1", "dog/1"))
    with pytest.raises(InputError, match="a:dog 1 and a:dog/1 would be the same file, a-dog-1"):
        stems([one, two])
