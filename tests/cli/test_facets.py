"""`visioncircuits facet` and `render --facet`, on a handwritten network and painted pictures."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from visioncircuits.cli.main import app
from visioncircuits.errors import InputError
from visioncircuits.featurevis import Facet, Visualization

NAME = "handwritten:color-contrast"


def call(*arguments: str | Path) -> None:
    app([str(argument) for argument in arguments], standalone_mode=False)


@pytest.fixture(scope="module")
def colors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Noise of two colors, a folder each, and a facet for each in `red.json` and `green.json`."""
    folder = tmp_path_factory.mktemp("colors")
    names = ("red", "green")
    for place in range(12):
        path = folder / names[place % 2] / f"{place}.png"
        path.parent.mkdir(exist_ok=True)
        pixels = np.random.default_rng(place).integers(0, 90, (80, 80, 3), np.uint8)
        pixels[20:60, 20:60, place % 2] += 150
        Image.fromarray(pixels).save(path)
    for own, other in (names, names[::-1]):
        call(
            "facet", NAME, "conv2d0", "-o", folder / f"{own}.json",
            "--positives", folder / own, "--negatives", folder / other,
        )  # fmt: skip
    return folder


def test_a_facet_is_fitted_and_steers_the_pictures_of_a_unit(
    colors: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert Facet.load(colors / "red.json").accuracies == {"conv2d0": 1.0}
    sheet = tmp_path / "sheet.png"
    call(
        "render", NAME, "conv2d1:0", "--facet", colors / "red.json", "--facet",
        colors / "green.json", "--weights", "0.1,5", "--steps", 8, "--size", 32,
        "-o", tmp_path / "unit.png", "--sheet", sheet,
    )  # fmt: skip
    assert str(sheet) in capsys.readouterr().out
    names = [f"unit-{name}-{place}.png" for name in ("red", "green") for place in (1, 2)]
    drawn = [Visualization.load(tmp_path / name) for name in names]
    assert [len(each.record["directions"]) for each in drawn] == [1] * 4
    assert "as green × 0.1, 5" in drawn[3].objective
    with Image.open(sheet) as image:
        assert image.height > 0.8 * image.width  # two rows of two


def test_mistakes_are_told_before_anything_is_rendered(colors: Path, tmp_path: Path) -> None:
    red, out = colors / "red.json", tmp_path / "out.json"
    folders = ("--positives", colors / "red", "--negatives", colors / "red")
    with pytest.raises(InputError, match="6 of 6 positives are among the negatives"):
        call("facet", NAME, "conv2d0", *folders, "-o", out)
    with pytest.raises(InputError, match=r"name it \.json"):
        call("facet", NAME, "conv2d0", *folders, "-o", tmp_path / "out.npy")
    assert not out.exists()
    drawing = ("render", NAME, "-o", tmp_path / "unit.png", "--facet", red)
    with pytest.raises(InputError, match="conv2d0, which does not come before conv2d0"):
        call(*drawing, "conv2d0:1")
    with pytest.raises(InputError, match="--weights are numbers"):
        call(*drawing, "conv2d1:0", "--weights", "1;2")
    with pytest.raises(InputError, match="leave out --diversity"):
        call(*drawing, "conv2d1:0", "--diversity", 2)
    with pytest.raises(InputError, match="two facets have one name"):
        call(*drawing, "conv2d1:0", "--facet", red)
    with pytest.raises(InputError, match="there is no file"):
        call("render", NAME, "conv2d1:0", "-o", tmp_path / "unit.png", "--facet", "lost.json")
