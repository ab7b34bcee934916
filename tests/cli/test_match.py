"""`visioncircuits match` and `coverage`, run as a user does."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from visioncircuits import handwritten
from visioncircuits.comparison import Matches


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("photographs")
    generator = np.random.default_rng(0)
    for name in range(3):
        blocks = generator.integers(0, 256, (8, 8, 3), dtype=np.uint8)
        Image.fromarray(blocks.repeat(32, 0).repeat(32, 1)).save(path / f"{name}.png")
    return path


@pytest.mark.slow
def test_a_network_matched_with_itself_finds_itself(
    run: Callable[..., Any], folder: Path, tmp_path: Path
) -> None:
    table, picture, saved = (tmp_path / name for name in ("pairs.csv", "m.png", "m.nc"))
    ended = run(
        "match", "handwritten:lines", "conv2d2", "handwritten:lines", "conv2d2",
        "--photographs", folder, "--csv", str(table), "-o", str(picture), "--save", str(saved),
        "--nulls",
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    for path in (table, picture, saved):
        assert f"{path}\n" in ended.stdout
    rows = list(csv.DictReader(table.read_text().splitlines()))
    moved = [row for row in rows if float(row["photographs"]) > 0.1]
    assert moved
    assert all(row["unit"] == row["partner"] and row["rank"] == "1" for row in moved)
    assert "Gabor energies" in ended.stdout
    assert all(float(row["photographs"]) > float(row["shuffled weights"]) for row in moved)
    assert Matches.load(saved).sizes["unit"] == len(rows)
    with Image.open(picture) as drawn:
        assert drawn.width > 1000


LINES = """
name = "line"
stimuli = "lines"
[axes]
width = [1.67]
[[predictions]]
effect = "off_peak"
options = {beyond = 40}
most = 0.5
"""


@pytest.mark.slow
def test_of_a_family_only_its_units_are_matched(
    run: Callable[..., Any], folder: Path, tmp_path: Path
) -> None:
    hypothesis, table = tmp_path / "line.toml", tmp_path / "pairs.csv"
    sides = ("handwritten:boundaries", "mixed3a", "handwritten:lines", "mixed3a")
    hypothesis.write_text(LINES)
    ended = run("match", *sides, "--photographs", folder, "--family", hypothesis, "--csv", table)
    assert ended.returncode == 0, ended.stderr
    labels = handwritten.labels(handwritten.boundaries(), "mixed3a")
    units = [row["unit"] for row in csv.DictReader(table.read_text().splitlines())]
    lines = [f"mixed3a:{place}" for place, label in enumerate(labels) if label.kind == "line"]
    assert set(lines) <= set(units)
    assert len(units) < len(labels)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            (
                "match",
                "handwritten:lines",
                "conv2d2",
                "handwritten:lines",
                "conv2d2",
                "--family",
                "none.toml",
            ),
            "none.toml cannot be read",
        ),
        (
            (
                "match",
                "handwritten:lines",
                "conv2d2",
                "handwritten:lines",
                "conv2d2",
                "--family",
                "bend",
            ),
            "unknown hypothesis 'bend'",
        ),
        (("match", "handwritten:lines", "conv9", "handwritten:lines", "conv2d2"), "'conv2d"),
        (("match", "handwritten:lines", "conv2d2", "handwritten:lines", "conv9"), "'conv2d"),
        (
            (
                "match",
                "handwritten:lines",
                "conv2d2",
                "handwritten:lines",
                "conv2d2",
                "-o",
                "a.gif",
            ),
            "name it .svg or .png",
        ),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(
    run: Callable[..., Any], arguments: tuple[str, ...], message: str, folder: Path
) -> None:
    ended = run(*arguments, "--photographs", folder)
    assert ended.returncode == 2
    assert ended.stderr.startswith("error: ")
    assert ended.stderr.count("\n") == 1
    assert message in ended.stderr


def test_coverage_refuses_a_taxonomy_of_another_network_before_it_measures(
    run: Callable[..., Any], tmp_path: Path
) -> None:
    taxonomy = tmp_path / "families.json"
    taxonomy.write_text('{"mixed3b": {"Curves": [379]}}')
    ended = run("coverage", "handwritten:curves", "mixed3b", "--families", str(taxonomy))
    assert ended.returncode == 2
    assert "the family Curves has unit 379" in ended.stderr


@pytest.mark.slow
def test_coverage_prints_how_much_is_explained_and_draws_it(
    run: Callable[..., Any], tmp_path: Path
) -> None:
    picture, table = tmp_path / "coverage.png", tmp_path / "units.csv"
    taxonomy = tmp_path / "families.json"
    taxonomy.write_text('{"conv2d0": {"Gabors": [0, 1, 2], "Other Units": [3]}}')
    ended = run(
        "coverage", "handwritten:lines", "conv2d0", "--families", str(taxonomy),
        "-o", str(picture), "--csv", str(table),
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    rows = list(csv.DictReader(table.read_text().splitlines()))
    explained = [row for row in rows if row["explanations"]]
    assert f"{len(explained) / len(rows):.1%} of {len(rows)} units explained" in ended.stdout
    assert all("Gabors" in row["explanations"] for row in rows[:3])
    assert picture.exists()
