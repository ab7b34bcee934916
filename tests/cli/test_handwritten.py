"""`visioncircuits handwritten`, run as a user does."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from visioncircuits import load
from visioncircuits.handwritten import labels


def test_a_circuit_is_written_to_a_file_that_can_be_loaded(
    run: Callable[..., Any], tmp_path: Path
) -> None:
    file = tmp_path / "curves-network.safetensors"
    ended = run("handwritten", "curves", "-o", file)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == f"{file}: 68,400 parameters, all set by formula\n"
    assert str(labels(load(f"handwritten:{file}"), "mixed3b")[18]) == "curve 270°, radius 60 px"


@pytest.mark.parametrize(
    ("circuit", "file", "message"),
    [("curve", "a.safetensors", "'curves'"), ("curves", "a.pth", ".safetensors")],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(
    run: Callable[..., Any], circuit: str, file: str, message: str, tmp_path: Path
) -> None:
    ended = run("handwritten", circuit, "-o", tmp_path / file)
    assert ended.returncode == 2
    assert ended.stderr.startswith("error: ")
    assert ended.stderr.count("\n") == 1
    assert message in ended.stderr
    assert not list(tmp_path.iterdir())
