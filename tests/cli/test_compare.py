"""`visioncircuits compare`, run as a user does."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("handwritten:curve", "bvlc_googlenet"), "'curves'"),
        (("handwritten:curves", "handwritten:lines", "--units", "1"), "holds no photographs"),
        (("handwritten:curves", "handwritten:lines", "--units", "one"), "names no units"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(
    run: Callable[..., Any], arguments: tuple[str, ...], told: str, tmp_path: Path
) -> None:
    rest = ("--layer", "mixed3a", "--images", tmp_path, "--out", tmp_path / "report")
    answer = run("compare", *arguments, *rest)
    assert answer.returncode == 2
    assert answer.stderr.startswith("error: ")
    assert answer.stderr.count("\n") == 1
    assert told in answer.stderr
    assert not (tmp_path / "report").exists()
