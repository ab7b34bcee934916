"""`visioncircuits prefer`, on a handwritten network and painted pictures."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from visioncircuits.cli.main import app
from visioncircuits.errors import InputError
from visioncircuits.examples import Preferences

NAME = "handwritten:color-contrast"


def call(*arguments: str | Path) -> None:
    app([str(argument) for argument in arguments], standalone_mode=False)


@pytest.fixture
def colors(tmp_path: Path) -> Path:
    """Noise of two colors, a folder each."""
    for place in range(12):
        path = tmp_path / "photos" / ("red", "green")[place % 2] / f"{place}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(place).integers(0, 90, (80, 80, 3), np.uint8)
        pixels[20:60, 20:60, place % 2] += 150
        Image.fromarray(pixels).save(path)
    return tmp_path / "photos"


def test_units_are_ranked_printed_drawn_and_saved(
    colors: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, table, kept = (tmp_path / name for name in ("red.png", "red.json", "red.nc"))
    call(
        "prefer", NAME, "conv2d0", "conv2d1:0", "--photographs", colors,
        "--classes", "red", "--top", 3,
        "-o", out, "--json", table, "--save", kept,
    )  # fmt: skip
    printed = capsys.readouterr().out
    assert "6 photographs of these classes, 6 others" in printed
    rows = json.loads(table.read_text())
    assert rows[0]["unit"] in printed
    assert [row["auc"] for row in rows] == sorted((row["auc"] for row in rows), reverse=True)
    assert rows[0]["auc"] == 1
    assert rows[0]["low"] < 1
    found = Preferences.load(kept)
    assert found["unit"].values.tolist() == [row["unit"] for row in rows]
    assert "conv2d1:0" in found["unit"]
    with Image.open(out) as image:
        assert image.width > 1000


def test_an_unknown_class_and_photographs_without_any_are_refused(colors: Path) -> None:
    with pytest.raises(InputError, match="unknown class 'blue'; known are 'green', 'red'"):
        call("prefer", NAME, "conv2d0", "--photographs", colors, "--classes", "blue")
    with pytest.raises(InputError, match="no photograph has a class"):
        call("prefer", NAME, "conv2d0", "--photographs", colors / "red", "--classes", "1")
