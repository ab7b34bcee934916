"""`visioncircuits atlas`, on a network of one's own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from visioncircuits import atlas

ATLAS = (
    "atlas", "atlas_net.py:build", "3", "--photographs", "photos", "--per-photograph", 8,
    "--layout", "pca", "--side", 2, "--side", 4, "--least", 1, "--size", 16, "--steps", 1,
    "--workers", 1, "--out", "out",
)  # fmt: skip


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, classifier: str) -> Path:
    (tmp_path / "atlas_net.py").write_text(classifier)
    (tmp_path / "photos").mkdir()
    for place in range(8):
        pixels = np.random.default_rng(place).integers(0, 256, (20, 20, 3), np.uint8)
        Image.fromarray(pixels).resize((48, 40)).save(tmp_path / "photos" / f"{place}.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def contents(out: Path) -> dict[str, bytes]:
    found = (path for path in out.rglob("*") if path.is_file())
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in found}


def test_an_atlas_is_a_table_figures_and_a_page(here: Path, run: Callable[..., Any]) -> None:
    ended = run(*ATLAS, "--of-class", "pug", "--compare", "pug", "tabby", "--feature", "3:5")
    assert ended.returncode == 0, ended.stderr
    head, *rows = ended.stdout.splitlines()
    assert head.split() == ["row", "column", "samples", "photographs", "supports"]
    made = atlas.load(here / "out")
    assert [grid.side for grid in made.grids] == [2, 4]
    assert sum(int(row.split()[2]) for row in rows[: len(made.grids[0])]) == len(made.samples)
    assert made.classes == ("beer glass", "tabby", "pug")
    for name in ("3-2.png", "3-4.png", "pug-2.png", "pug_against_tabby-4.png"):
        with Image.open(here / "out" / name) as drawn:
            assert drawn.size[0] > 300
    text = (here / "out" / "index.html").read_text()
    assert "pug against tabby" in text
    assert str(here) not in text
    assert len(list((here / "out" / "sheets").iterdir())) == 3


def test_layers_are_laid_out_together(here: Path, run: Callable[..., Any]) -> None:
    ended = run(*ATLAS, "--with", "1")
    assert ended.returncode == 0, ended.stderr
    late, early = (atlas.load(here / "out" / place) for place in "01")
    assert (late.points == early.points).all()
    assert (late.samples.layer, early.samples.layer) == ("3", "1")
    assert json.dumps(late.record["aligned"]) == json.dumps(early.record["aligned"])
    before = contents(here / "out")
    assert run(*ATLAS, "--with", "1").returncode == 0
    assert contents(here / "out") == before


def test_a_class_named_by_its_number_is_no_layer(here: Path, run: Callable[..., Any]) -> None:
    ended = run(*ATLAS, "--with", "1", "--class", "none", "--of-class", "1")
    assert ended.returncode == 0, ended.stderr
    folders = sorted(path.name for path in (here / "out" / "sheets").iterdir())
    assert folders == ["0-3", "1-1", "2-class-1"]
    assert atlas.load(here / "out" / "0").classes == ()


@pytest.mark.slow
def test_killed_in_the_middle_it_resumes_and_writes_the_same_bytes(
    here: Path, run: Callable[..., Any]
) -> None:
    assert run(*ATLAS).returncode == 0
    whole = contents(here / "out")
    command = [sys.executable, "-m", "visioncircuits", *map(str, ATLAS)]
    command[command.index("out")] = "again"
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as job:
        while job.poll() is None and not list((here / "again").glob("icons/*")):
            time.sleep(0.02)
        if job.poll() is None:
            os.kill(job.pid, signal.SIGKILL)
    again = [word if word != "out" else "again" for word in ATLAS]
    assert run(*again).returncode == 0
    assert contents(here / "again") == whole


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--class", "lion"], "'lion'"),
        (["--of-class", "lion"], "'lion'"),
        (["--compare", "pug", "lion"], "'lion'"),
        (["--feature", "3:8"], "3 has units 0 to 7"),
        (["--feature", "1:5"], "1:5 is of none of the layers 3"),
        (["--compare", "pug", "2"], "pug and 2 are one class"),
        (["--side", 256], "less than or equal to 255"),
        (["--size", 513], "less than or equal to 512"),
        (["--with", "3"], "each once"),
        (["--with", "1", "--class", "lion"], "'lion'"),
        (["--with", "6"], "6 has no positions"),
        (["--per-photograph", 500], "per_photograph must be a whole number from 1 to"),
    ],
)
def test_mistakes_are_met_before_work_starts(
    here: Path, run: Callable[..., Any], arguments: list[Any], message: str
) -> None:
    ended = run(*ATLAS, *arguments)
    assert ended.returncode == 2
    assert message in ended.stderr
    assert not (here / "out").exists() or not any((here / "out").iterdir())
