"""`visioncircuits reproduce`, run as a user does."""

from collections.abc import Callable
from typing import Any


def test_a_mistake_is_one_sentence_and_exit_code_2(run: Callable[..., Any]) -> None:
    ended = run("reproduce", "zoom-inn")
    assert ended.returncode == 2
    assert ended.stderr.startswith("error: ")
    assert ended.stderr.count("\n") == 1
    assert "zoom-in" in ended.stderr
