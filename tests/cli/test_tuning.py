"""`visioncircuits stimuli`, `tune`, `find` and `judge`, on real weights."""

import json
import re
from pathlib import Path

import pytest
from PIL import Image

from visioncircuits.cli.main import app
from visioncircuits.errors import InputError
from visioncircuits.tuning import Responses


def call(*arguments: str | Path) -> None:
    app([str(argument) for argument in arguments], standalone_mode=False)


@pytest.fixture
def _weights(checkpoints: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISIONCIRCUITS_CHECKPOINTS", str(checkpoints))


def test_the_ready_sets_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    call("stimuli")
    assert "21600" in capsys.readouterr().out


def test_a_set_is_drawn_as_a_sheet(tmp_path: Path) -> None:
    path = tmp_path / "curves.png"
    call("stimuli", "curves", "-o", path)
    with Image.open(path) as sheet:
        assert sheet.width > 36 * 60
    with pytest.raises(InputError, match="unknown stimulus set 'curvs'"):
        call("stimuli", "curvs", "-o", path)


@pytest.mark.slow
@pytest.mark.usefixtures("_weights")
def test_responses_are_written_and_drawn(
    tmp_path: Path, photographs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    few = tmp_path / "few"
    few.mkdir()
    for photograph in sorted(photographs.iterdir())[:8]:
        (few / photograph.name).symlink_to(photograph)
    out, plot = tmp_path / "curves.nc", tmp_path / "radial.svg"
    call(
        "tune", "bvlc_googlenet", "mixed3b:413,408", "--stimuli", "curves", "-o", out,
        "--plot", plot, "--over", "orientation", "--photographs", few,
    )  # fmt: skip
    responses = Responses.load(out)
    assert responses["unit"].values.tolist() == ["mixed3b:413", "mixed3b:408"]
    assert (responses["deviation"] > 0).all()
    assert plot.read_text().lstrip().startswith("<?xml")
    assert "180°" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.usefixtures("_weights")
def test_what_is_found_is_written_as_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "high-low.json"
    call("find", "high-low", "bvlc_googlenet", "mixed3a", "--json", path)
    found = json.loads(path.read_text())
    assert len(found) >= 8
    for unit in found:
        assert unit["unit"].startswith("mixed3a:")
        assert unit["verdict"] == "supported"
        assert 0 <= unit["orientation"] < 360
        assert unit["peak"] > 0
        assert unit["echo"] <= 0.1
    assert f"{len(found)} of 256 units" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.usefixtures("_weights")
def test_a_verdict_is_printed_drawn_and_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture, record = tmp_path / "verdict.png", tmp_path / "verdict.json"
    call(
        "judge", "curve", "bvlc_googlenet", "mixed3b:413", "--orientation", "90",
        "-o", picture, "--json", record,
    )  # fmt: skip
    assert "refuted" in capsys.readouterr().out
    assert json.loads(record.read_text())["predictions"][0]["status"] == "fails"
    with Image.open(picture) as image:
        assert image.width > 1000


@pytest.mark.usefixtures("_weights")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("find", "curvs", "bvlc_googlenet", "mixed3b"), "unknown hypothesis 'curvs'"),
        (("find", "curves", "bvlc_googlenet", "conv2d1"), "conv2d1 is too early"),
        (("find", "curves", "bvlc_googlenet", "mixed3c"), "unknown layer 'mixed3c'"),
        (("find", "mine.toml", "bvlc_googlenet", "mixed3b"), "mine.toml cannot be read"),
        (("judge", "curve", "bvlc_googlenet", "mixed3b"), "is not a unit"),
        (("judge", "curve", "bvlc_googlenet", "mixed3b:480"), "units 0 to 479"),
        (
            ("find", "curves", "bvlc_googlenet", "mixed3b", "--json", "a.csv"),
            r"a\.csv cannot be written",
        ),
        (
            ("tune", "bvlc_googlenet", "mixed3b", "--stimuli", "curves", "-o", "a.txt"),
            r"a\.txt cannot be written",
        ),
    ],
)
def test_a_mistake_is_reported_before_the_work(arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        call(*arguments)


FILE = """
name = "thin"
stimuli = "lines"
[axes]
orientation = [0, 90]
width = [1, 2, 4]
[[variants]]
[[variants]]
ink = "white"
ground = "black"
[[predictions]]
claim = "prefers thin lines"
effect = "preference"
options = {axis = "width", among = [1, 1], over = [4, 4]}
least = 100
"""


@pytest.mark.usefixtures("_weights")
def test_units_are_tuned_to_the_stimuli_of_a_hypothesis_in_a_file(tmp_path: Path) -> None:
    path, out = tmp_path / "thin.toml", tmp_path / "thin.nc"
    path.write_text(FILE)
    call("tune", "bvlc_googlenet", "conv2d0:5", "--stimuli", path, "-o", out)
    responses = Responses.load(out)
    assert dict(responses.sizes) == {"unit": 1, "orientation": 2, "width": 3}
    path.write_text(FILE.replace("axes", "axis"))
    with pytest.raises(InputError, match="unknown key 'axis'"):
        call("tune", "bvlc_googlenet", "conv2d0:5", "--stimuli", path, "-o", out)


GRATINGS = """
stimuli = "sinusoidal-gratings"
[axes]
orientation = [0, 45, 90, 135]
period = [6, 12]
[fixed]
phase = 90
"""


def texts(plot: Path) -> set[str]:
    return set(re.findall(r"<text[^>]*>(.*?)</text>", plot.read_text()))


@pytest.mark.usefixtures("_weights")
def test_stimuli_with_two_axes_are_drawn_as_maps(tmp_path: Path) -> None:
    path, plot = tmp_path / "gratings.toml", tmp_path / "maps.svg"
    path.write_text(GRATINGS)
    tune = "tune", "bvlc_googlenet", "conv2d0:5", "--stimuli", path, "-o", tmp_path / "out.nc"
    call(*tune, "--plot", plot)
    assert {"orientation", "period", "45°", "135°", "6", "12"} <= texts(plot)
    call(*tune, "--plot", plot, "--over", "period, orientation")
    assert {"orientation", "period", "45", "135", "6", "12"} <= texts(plot)
    call(*tune, "--plot", plot, "--over", "orientation")
    assert "period" not in texts(plot)
    assert "270°" in texts(plot)


@pytest.mark.parametrize(
    ("over", "message"),
    [
        ("angle", "unknown axis of curves 'angle'"),
        ("radius", "over orientation or two axes, not radius; curves has orientation, radius"),
        ("radius,radius", "not radius and radius"),
    ],
)
def test_what_a_plot_is_over_is_checked_before_the_work(
    tmp_path: Path, over: str, message: str
) -> None:
    tune = "tune", "bvlc_googlenet", "conv2d0:5", "--stimuli", "curves", "-o", tmp_path / "out.nc"
    with pytest.raises(InputError, match=message):
        call(*tune, "--plot", tmp_path / "plot.png", "--over", over)
    with pytest.raises(InputError, match="name the plot's file"):
        call(*tune, "--over", over)


@pytest.mark.usefixtures("_weights")
def test_where_nothing_is_found_it_is_printed_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "thin.toml"
    path.write_text(FILE)
    call("find", path, "bvlc_googlenet", "conv2d0")
    shown = capsys.readouterr().out
    assert "conv2d0: 0 of 64 units supported as thin detectors" in shown
    assert "prefers thin lines" in shown
    assert "not ≥ 100" in shown
    call("judge", path, "bvlc_googlenet", "conv2d0:5")
    assert "prefers thin lines: " in capsys.readouterr().out
