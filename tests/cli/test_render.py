"""`visioncircuits render`, on real weights."""

import sys
from pathlib import Path

import pytest
from PIL import Image

from visioncircuits.cli.main import app, main
from visioncircuits.errors import InputError
from visioncircuits.featurevis import Visualization


def call(*arguments: str) -> None:
    app(list(arguments), standalone_mode=False)


@pytest.fixture
def _weights(checkpoints: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISIONCIRCUITS_CHECKPOINTS", str(checkpoints))


@pytest.mark.usefixtures("_weights")
def test_a_picture_is_written_with_its_record(tmp_path: Path) -> None:
    path = tmp_path / "edge.png"
    call("render", "bvlc_googlenet", "conv2d0:3", "-o", str(path), "--steps", "20")
    found = Visualization.load(path)
    assert found.feature == "conv2d0:3"
    assert found.activation > found.history[0]
    assert path.with_suffix(".json").exists()


@pytest.mark.usefixtures("_weights")
def test_diverse_pictures_are_numbered_and_differ(tmp_path: Path) -> None:
    path = tmp_path / "edge.png"
    call(
        "render", "bvlc_googlenet", "conv2d0:3", "-o", str(path), "--steps", "8", "--diversity", "2"
    )
    one, two = (Visualization.load(tmp_path / f"edge-{place}.png") for place in (1, 2))
    assert not one.picture.equal(two.picture)


@pytest.mark.usefixtures("_weights")
def test_a_negative_lowers_the_unit_before_its_rectifier(tmp_path: Path) -> None:
    path = tmp_path / "edge.png"
    call(
        "render",
        "bvlc_googlenet",
        "conv2d0:3",
        "-o",
        str(path),
        "--steps",
        "20",
        "--aim",
        "negative",
    )
    found = Visualization.load(path)
    assert found.feature == "conv2d0_pre_relu:3"
    assert found.score > 0
    assert found.activation < 0 or found.history[-1] > found.history[0]


@pytest.mark.usefixtures("_weights")
@pytest.mark.parametrize(
    "wrong", [("--size", "1000000"), ("--steps", "0"), ("--seed", "-1"), ("--diversity", "-2")]
)
def test_a_number_that_cannot_be_ends_with_code_2(
    tmp_path: Path,
    wrong: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "edge.png"
    command = ["render", "bvlc_googlenet", "conv2d0:3", "-o", str(path), *wrong]
    monkeypatch.setattr(sys, "argv", ["visioncircuits", *command])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert wrong[0].lstrip("-") in capsys.readouterr().err
    assert not path.exists()


@pytest.mark.usefixtures("_weights")
def test_another_file_beside_is_reported_before_anything_is_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "curves.json").write_text('[{"unit": "mixed3b:413"}]')
    monkeypatch.setattr("visioncircuits.featurevis.render_all", None)
    with pytest.raises(InputError, match=r"over .*curves\.json"):
        call("render", "bvlc_googlenet", "conv2d0:3", "-o", str(tmp_path / "curves.png"))


def test_a_network_of_ones_own_is_a_function_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("my_cnn.py").write_text(
        "from torch import nn\n"
        "def build():\n"
        "    module = nn.Sequential(nn.Conv2d(1, 2, 5), nn.ReLU())\n"
        "    nn.init.zeros_(module[0].weight[1]), nn.init.constant_(module[0].bias, 0.1)\n"
        "    return module\n"
    )
    call("render", "my_cnn.py:build", "1:0", "-o", "one.png", "--steps", "8")
    found = Visualization.load("one.png")
    assert len(found.picture) == 1
    assert found.record["network"]["name"] == "my_cnn.py:build"
    call("render", "my_cnn.py:build", "1:1", "-o", "dead.png", "--steps", "8")
    assert "dead.png shows nothing of 1:1: no finite gradient" in capsys.readouterr().out


@pytest.mark.usefixtures("_weights")
def test_several_units_have_a_file_each_and_a_sheet(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, sheet = tmp_path / "edge.webp", tmp_path / "edges.png"
    units = ("conv2d0:3,5", "conv2d1:7", "conv2d0:3")
    call("render", "bvlc_googlenet", *units, "-o", str(out), "--sheet", str(sheet), "--steps", "4")
    printed = capsys.readouterr().out.replace("\n", "")
    for unit in ("conv2d0:3", "conv2d0:5", "conv2d1:7"):
        path = tmp_path / f"edge-{unit.replace(':', '-')}.webp"
        assert Visualization.load(path).feature == unit
        assert f"{path}: drives {unit}" in printed
    assert len(list(tmp_path.glob("*.webp"))) == 3
    with Image.open(sheet) as image:
        assert image.width > 3 * 200


@pytest.mark.slow
@pytest.mark.usefixtures("_weights")
def test_a_sheet_alone_shows_a_whole_layer(tmp_path: Path) -> None:
    sheet = tmp_path / "layer.svg"
    call("render", "bvlc_googlenet", "conv2d0", "--sheet", str(sheet), "--steps", "1")
    assert [path.name for path in tmp_path.iterdir()] == ["layer.svg"]
    assert sheet.read_text().count(">conv2d0:") == 64


@pytest.mark.usefixtures("_weights")
@pytest.mark.parametrize(
    ("unit", "message"),
    [
        ("mixed3b:x", "'mixed3b:x' is not a unit: mixed3b has units 0 to 479"),
        ("logits:Chiwawa", "unknown class 'Chiwawa'"),
        ("logits:CARDIGAN", "several classes are called 'CARDIGAN'"),
    ],
)
def test_a_name_that_is_no_class_is_refused_before_anything_is_drawn(
    tmp_path: Path, unit: str, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        call("render", "bvlc_googlenet", unit, "-o", str(tmp_path / "a.png"))
    assert not any(tmp_path.iterdir())


@pytest.mark.usefixtures("_weights")
def test_a_class_is_rendered_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "dog.png"
    arguments = ("--steps", "1", "--size", "64")
    call("render", "bvlc_googlenet", "logits:golden retriever", "-o", str(path), *arguments)
    assert Visualization.load(path).feature == "logits:207"
