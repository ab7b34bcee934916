"""`visioncircuits compare`, run as a user does."""

import subprocess
import sys
from pathlib import Path

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
    arguments: tuple[str, ...], told: str, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", "from visioncircuits.cli import main; main()", "compare"]
    rest = ("--layer", "mixed3a", "--images", str(tmp_path), "--out", str(tmp_path / "report"))
    answer = subprocess.run(
        [*command, *arguments, *rest], capture_output=True, text=True, check=False
    )
    assert answer.returncode == 2
    assert answer.stderr.startswith("error: ")
    assert answer.stderr.count("\n") == 1
    assert told in answer.stderr
    assert not (tmp_path / "report").exists()
