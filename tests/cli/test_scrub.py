"""`visioncircuits scrub`, on a handwritten network."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from torchvision.utils import save_image

from visioncircuits.stimuli import named

TEXT = """
name = "horizontal"
behavior = "mixed3a:0"
depends = ["line"]
stimuli = "lines"
[axes]
orientation = [0, 30, 60, 90, 120, 150]
ink = ["black", "white"]
[fixed]
width = 4
ground = "gray"
[[variables]]
name = "line"
features = "mixed3a:0"
positions = 1
values = ["orientation"]
"""


@pytest.fixture
def claimed(tmp_path: Path) -> Path:
    """A hypothesis about a handwritten line."""
    path = tmp_path / "horizontal.toml"
    path.write_text(TEXT)
    return path


@pytest.mark.slow
def test_what_is_kept_is_printed_drawn_and_written(
    run: Callable[..., Any], claimed: Path, tmp_path: Path
) -> None:
    out, record = tmp_path / "scrub.png", tmp_path / "scrub.json"
    ended = run("scrub", "handwritten:lines", claimed, "--draws", "3", "-o", out, "--json", record)
    assert ended.returncode == 0, ended.stderr
    assert "all of “horizontal”" in ended.stdout
    assert "12 pictures, 3 draws; 0 of 3 other hypotheses score as well" in ended.stdout
    content = json.loads(record.read_text())
    assert content["share"] == pytest.approx(1, abs=1e-3)
    assert [row["claim"] for row in content["rows"]][-1] == "nothing claimed"
    with Image.open(out) as image:
        assert image.width == 1680


@pytest.mark.slow
def test_photographs_are_shown_instead(
    run: Callable[..., Any], claimed: Path, tmp_path: Path
) -> None:
    photographs = tmp_path / "photographs"
    photographs.mkdir()
    lines = named("lines").sel(width=4).isel(orientation=slice(0, None, 9)).fix(size=224)
    for number, picture in enumerate(lines.draw().picture):
        save_image(picture, photographs / f"{number}.png")
    arguments = "scrub", "handwritten:lines", claimed, "--photographs", photographs
    ended = run(*arguments)
    assert ended.returncode == 2
    assert "'orientation' is not known of these pictures" in ended.stderr
    claimed.write_text(TEXT.replace('["orientation"]', '[{of = "conv2d2:0", bins = 2}]'))
    ended = run(*arguments, "--draws", "2")
    assert ended.returncode == 0, ended.stderr
    assert "4 pictures, 2 draws" in ended.stdout


def test_what_is_shown_is_one_thing(run: Callable[..., Any], claimed: Path, tmp_path: Path) -> None:
    both = run(
        "scrub", "handwritten:lines", claimed, "--stimuli", "lines", "--photographs", tmp_path
    )
    assert (both.returncode, both.stderr.count("not both")) == (2, 1)
    claimed.write_text(TEXT.replace('stimuli = "lines"', ""))
    nothing = run("scrub", "handwritten:lines", claimed)
    assert nothing.returncode == 2
    assert "names no stimuli" in nothing.stderr
