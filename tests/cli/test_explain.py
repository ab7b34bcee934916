"""`visioncircuits explain`, on a network of one's own."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, classifier: str) -> Path:
    (tmp_path / "explained_net.py").write_text(classifier)
    pixels = np.random.default_rng(0).integers(0, 256, (20, 20, 3), np.uint8)
    Image.fromarray(pixels).resize((48, 40)).save(tmp_path / "photo.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_photograph_is_explained_as_a_table_a_page_and_a_figure(
    here: Path, run: Callable[..., Any]
) -> None:
    ended = run(
        "explain", "explained_net.py:build", "--image", "photo.png", "--layer", "3", "--layer", "1",
        "--class", "beer glass", "--class", 2, "--top", 0, "--groups", 2, "--out", "page",
        "-o", "figure.png", "--pictures", 2, "--steps", 1,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    head, *rows = ended.stdout.splitlines()
    assert head.split("  ")[-1].strip() == "pug"
    assert sum(row.startswith("the rest") for row in rows) == 2
    numbers = json.loads((here / "page" / "explanation.json").read_text())
    assert [layer["name"] for layer in numbers["layers"]] == ["1", "3"]
    assert numbers["classes"] == ["beer glass", "pug"]
    assert len(list((here / "page" / "pictures").glob("*.webp"))) == 2 * (2 + 2)
    assert (here / "page" / "index.html").exists()
    with Image.open(here / "figure.png") as drawn:
        assert drawn.size[0] > 300


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--layer", "3"], "give --out, --figure or both"),
        (["--layer", "3", "-o", "a.gif"], "name it .png or .svg or .pdf"),
        (["--layer", "5", "-o", "a.png"], "5 has no positions"),
        (["--layer", "3", "-o", "a.png", "--class", "dog"], "unknown class 'dog'"),
        (["--layer", "3", "--out", "photo.png"], "is a file"),
    ],
)
def test_mistakes_are_one_sentence(
    here: Path, run: Callable[..., Any], arguments: list[str], message: str
) -> None:
    ended = run("explain", "explained_net.py:build", "--image", "photo.png", *arguments)
    assert ended.returncode == 2
    assert message in ended.stderr
