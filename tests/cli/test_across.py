"""`visioncircuits across`, run as a user does."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from visioncircuits.thread import Run, reproduce


@pytest.mark.slow
def test_scorecards_become_a_page(run: Callable[..., Any], tmp_path: Path) -> None:
    for name in ("lines", "circles"):
        reproduce([], Run(f"handwritten:{name}"), tmp_path / name)
    cards = [tmp_path / name / "scorecard.json" for name in ("lines", "circles")]
    out = tmp_path / "across.html"
    ended = run("across", *cards, "-o", out)
    assert ended.returncode == 0, ended.stderr
    assert str(out) in ended.stdout
    assert "handwritten:circles" in out.read_text()


def test_a_mistake_is_one_sentence_and_exit_code_2(run: Callable[..., Any], tmp_path: Path) -> None:
    missing, out = tmp_path / "scorecard.json", tmp_path / "across.html"
    ended = run("across", missing, "-o", out)
    assert ended.returncode == 2
    assert ended.stderr == f"error: {missing} cannot be read: No such file or directory\n"
    assert run("across", missing, "-o", tmp_path / "across.png").returncode == 2
    assert not out.exists()
