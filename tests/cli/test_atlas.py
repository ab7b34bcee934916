"""`visioncircuits atlas`, on a network of one's own."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from visioncircuits import atlas

NETWORK = """
import torch
from torch import nn
from visioncircuits import Preprocessing, wrap

def build():
    torch.manual_seed(0)
    layers = (nn.Conv2d(3, 6, 5, stride=2), nn.ReLU(), nn.Conv2d(6, 8, 3), nn.ReLU(),
              nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 3))
    names = ("beer glass", "tabby", "pug")
    return wrap(nn.Sequential(*layers), Preprocessing(), name="own", size=32, classes=names)
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "atlas_net.py").write_text(NETWORK)
    (tmp_path / "photos").mkdir()
    for number in range(6):
        pixels = np.random.default_rng(number).integers(0, 256, (20, 20, 3), np.uint8)
        picture = Image.fromarray(pixels).resize((48, 40))
        picture.save(tmp_path / "photos" / f"{number}.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


GIVEN = "atlas", "atlas_net.py:build", "1", "--photographs", "photos", "--layout", "pca"
QUICK = "--size", 16, "--steps", 1, "--workers", 1


def test_an_atlas_is_a_table_figures_and_a_folder(here: Path, run: Callable[..., Any]) -> None:
    ended = run(*GIVEN, "--out", "out", "--side", 2, "--side", 3, "--least", 4, *QUICK)
    assert ended.returncode == 0, ended.stderr
    lines = ended.stdout.splitlines()
    assert lines[0].split() == ["row", "column", "samples", "photographs", "supports"]
    found = atlas.load("out")
    assert [grid.side for grid in found.grids] == [2, 3]
    assert found.classes == ("beer glass", "tabby", "pug")
    best = found.classes[int(found.grids[0].attribution[0].argmax())]
    assert lines[1].split()[4] == best.split()[0]
    assert lines[-2:] == ["out/atlas-2.png", "out/atlas-3.png"]
    with Image.open("out/atlas-3.png") as figure:
        assert figure.width > 1500
    again = run(*GIVEN, "--out", "out", "--side", 2, "--side", 3, "--least", 4, *QUICK)
    assert again.stdout == ended.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--out", "photos/0.png"], "is a file"),
        (["--out", "out", "--per-photograph", 500], "per_photograph must be a whole number"),
        (["--out", "out", "--class", "dog"], "unknown class 'dog'"),
        (["--out", "out", "--least", 90], "no cell of 5 by 5 has 90 samples"),
    ],
)
def test_mistakes_are_one_sentence(
    here: Path, run: Callable[..., Any], arguments: list[str], message: str
) -> None:
    ended = run(*GIVEN, *arguments)
    assert ended.returncode == 2
    assert message in ended.stderr
    assert not (here / "out" / "atlas.safetensors").exists()
