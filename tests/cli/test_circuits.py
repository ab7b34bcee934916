"""`visioncircuits ablate` and `attribute`, on real weights."""

import json
from pathlib import Path

import pytest
from PIL import Image

from visioncircuits.cli.main import app
from visioncircuits.errors import InputError


def call(*arguments: str | Path) -> None:
    app([str(argument) for argument in arguments], standalone_mode=False)


@pytest.fixture
def _weights(checkpoints: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISIONCIRCUITS_CHECKPOINTS", str(checkpoints))


@pytest.fixture
def few(tmp_path: Path, photographs: Path) -> Path:
    folder = tmp_path / "few"
    folder.mkdir()
    for photograph in sorted(photographs.iterdir())[:6]:
        (folder / photograph.name).symlink_to(photograph)
    return folder


@pytest.mark.usefixtures("_weights")
def test_what_find_wrote_can_be_ablated(
    tmp_path: Path, few: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "curves.json"
    path.write_text(json.dumps([{"unit": "mixed3b:413"}, {"unit": "mixed3b:326"}]))
    call("ablate", "bvlc_googlenet", path, "--photographs", few, "--controls", "1")
    printed = capsys.readouterr().out
    assert "the 2 units" in printed
    assert "others (control 1)" in printed
    assert "over 6 photographs" in printed


@pytest.mark.slow
@pytest.mark.usefixtures("_weights")
def test_an_ablation_prints_the_changes_of_later_features(
    few: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call(
        "ablate", "bvlc_googlenet", "mixed3a:81,104", "--photographs", few, "--controls", "1",
        "--on", "mixed3b:413,326",
    )  # fmt: skip
    printed = capsys.readouterr().out
    for feature in ("mixed3b:413", "mixed3b:326"):
        rows = [line for line in printed.splitlines() if line.startswith(feature)]
        assert ["the 2 units" in row for row in rows] == [True, False]
    assert "top-5" in printed


@pytest.mark.usefixtures("_weights")
def test_an_ablation_lists_and_draws_the_classes_that_suffer_most_and_least(
    tmp_path: Path, few: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "classes.png"
    call(
        "ablate", "bvlc_googlenet", "mixed5a:81,104", "--photographs", few,
        "--by-class", "--top", "3",
        "-o", out,
    )  # fmt: skip
    rows = capsys.readouterr().out.split("fall of the logit")[1].splitlines()[1:8]
    effects = [float(row.split(" (")[0].split()[-1]) for row in rows if not row.startswith("…")]
    assert len(effects) == 6
    assert effects == sorted(effects, reverse=True)
    assert out.read_bytes().startswith(b"\x89PNG")


@pytest.mark.usefixtures("_weights")
def test_one_control_draw_is_refused_for_classes_before_work_starts(few: Path) -> None:
    with pytest.raises(InputError, match="--controls 2 or more"):
        call(
            "ablate",
            "bvlc_googlenet",
            "mixed5a:1",
            "--photographs",
            few,
            "--by-class",
            "--controls",
            "1",
        )


@pytest.mark.slow
@pytest.mark.usefixtures("_weights")
def test_an_attribution_is_drawn_and_its_units_listed(
    tmp_path: Path, few: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, photograph = tmp_path / "attribution.png", sorted(few.iterdir())[0]
    call(
        "attribute", "bvlc_googlenet", "mixed3b:413", "--photograph", photograph, "-o", out,
        "--to", "conv2d2", "--steps", "4", "--top", "3",
    )  # fmt: skip
    with Image.open(out) as image:
        assert image.size == (2 * (224 * 2 + 4), 448)
    assert capsys.readouterr().out.count("conv2d2:") == 3


@pytest.mark.usefixtures("_weights")
@pytest.mark.parametrize(
    ("units", "message"),
    [
        ("mixed3b", "names no units"),
        ("none.json", r"there is no file none\.json"),
        ("mixed3b:480", "units 0 to 479"),
    ],
)
def test_units_that_are_none_are_refused(few: Path, units: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call("ablate", "bvlc_googlenet", units, "--photographs", few)


@pytest.mark.usefixtures("_weights")
def test_a_photograph_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "none.jpg").write_bytes(b"no")
    with pytest.raises(InputError, match="cannot be read as a picture"):
        call(
            "attribute", "bvlc_googlenet", "mixed3b:413",
            "--photograph", tmp_path / "none.jpg", "-o", tmp_path / "a.png",
        )  # fmt: skip
