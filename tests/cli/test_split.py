"""`visioncircuits split`, on a handwritten network and drawn pictures."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from visioncircuits.cli.main import app
from visioncircuits.errors import InputError
from visioncircuits.networks import read_features


def call(*arguments: str | Path) -> None:
    app([str(argument) for argument in arguments], standalone_mode=False)


@pytest.fixture
def noise(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for place in range(6):
        pixels = np.random.default_rng(place).integers(0, 256, (20, 20, 3), np.uint8)
        Image.fromarray(pixels).resize((80, 80)).save(folder / f"{place}.png")
    return folder


def test_a_unit_is_split_printed_drawn_and_its_parents_are_written(
    noise: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, parents = tmp_path / "split.png", tmp_path / "parents.json"
    call(
        "split", "handwritten:lines", "conv2d1:3", "--photographs", noise,
        "-o", out, "--json", parents, "--steps", 0,
    )  # fmt: skip
    printed = capsys.readouterr().out
    assert "conv2d1:3 has one part: it is whole (p = 1, by conv2d0)" in printed
    assert "strongest drivers" in printed
    with Image.open(out) as drawn:
        assert drawn.size[0] > 300
    (parent,) = read_features(str(parents))
    assert parent.layer == "conv2d0"
    assert np.isclose(np.linalg.norm(parent.weights), 1)
    assert len(json.loads(parents.read_text())) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["conv2d1:3", "-o", "split.gif"], "name it .png or .svg or .pdf"),
        (["conv2d0:3"], "no layer below but the pixels"),
        (["conv2d1:999"], "has units 0 to"),
        (["conv2d1:3", "--below", "conv2d2"], "does not depend on conv2d2"),
    ],
)
def test_mistakes_are_one_sentence(noise: Path, arguments: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        call("split", "handwritten:lines", *arguments, "--photographs", noise)
