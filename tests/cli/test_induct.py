"""`induct` writes what it finds, and refuses what it cannot test before it starts."""

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from tests.cli.conftest import Ended


def test_a_handwritten_layer_follows_by_design(run: Callable[..., Ended], tmp_path: Path) -> None:
    written, table, picture = (tmp_path / f"induct.{kind}" for kind in ("json", "csv", "png"))
    ended = run(
        "induct", "handwritten:high-low", "mixed3a", "--from", "conv2d1", "--draws", 20,
        "-o", picture, "--json", written, "--csv", table,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert "conv2d1 → mixed3a: 16 of 16 units follow" in ended.stdout
    assert len(json.loads(written.read_text("utf-8"))["following"]) == 16
    assert set(pd.read_csv(table)["verdict"]) == {"follows"}
    with Image.open(picture) as image:
        assert image.width > 1000


def test_a_page_has_the_picture_and_a_row_a_unit(run: Callable[..., Ended], tmp_path: Path) -> None:
    page = tmp_path / "induct.html"
    ended = run(
        "induct", "handwritten:high-low", "mixed3a", "--from", "conv2d1", "--draws", 5, "-o", page
    )
    assert ended.returncode == 0, ended.stderr
    text = page.read_text("utf-8")
    assert text.count("<tr>") == 17
    assert "data:image/png;base64," in text
    assert '<button type="button">weights</button>' in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("mixed3b", "--from", "conv2d0"), "no rule derives a later family"),
        (("mixed3b", "--from", "mixed9"), "unknown layer"),
        (("mixed9", "--from", "mixed3a"), "unknown layer"),
        (("mixed3a", "--from", "mixed3b"), "comes after"),
    ],
)
def test_a_mistake_is_one_sentence(
    run: Callable[..., Ended], tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    out = tmp_path / "induct.png"
    ended = run("induct", "handwritten:curves", *arguments, "-o", out)
    assert ended.returncode == 2
    assert message in ended.stderr
    assert not out.exists()


@pytest.mark.slow
def test_coverage_counts_what_follows(run: Callable[..., Ended], tmp_path: Path) -> None:
    table = tmp_path / "units.csv"
    ended = run("coverage", "handwritten:high-low", "mixed3a", "--from", "conv2d1", "--csv", table)
    assert ended.returncode == 0, ended.stderr
    assert pd.read_csv(table)["explanations"].str.contains("high-low from conv2d1").all()
