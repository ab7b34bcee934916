"""`visioncircuits compare`, run as a user does."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("handwritten:curve", "bvlc_googlenet"), "'curves'"),
        pytest.param(
            ("handwritten:curves", "handwritten:lines", "--units", "1"),
            "holds no photographs",
            marks=pytest.mark.slow,
        ),
        (("handwritten:curves", "handwritten:lines", "--units", "one"), "names no units"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(
    run: Callable[..., Any], arguments: tuple[str, ...], message: str, tmp_path: Path
) -> None:
    rest = ("--layer", "mixed3a", "--photographs", tmp_path, "--out", tmp_path / "report")
    ended = run("compare", *arguments, *rest)
    assert ended.returncode == 2
    assert ended.stderr.startswith("error: ")
    assert ended.stderr.count("\n") == 1
    assert message in ended.stderr
    assert not (tmp_path / "report").exists()
