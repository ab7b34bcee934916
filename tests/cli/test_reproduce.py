"""`visioncircuits reproduce`, run as a user does."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from visioncircuits.cli.reproduce import named_layers
from visioncircuits.errors import InputError


def test_a_mistake_is_one_sentence_and_exit_code_2(run: Callable[..., Any]) -> None:
    ended = run("reproduce", "zoom-inn")
    assert ended.returncode == 2
    assert ended.stderr.startswith("error: ")
    assert ended.stderr.count("\n") == 1
    assert "zoom-in" in ended.stderr


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("curves=conv2d9", "unknown layer"),
        ("curvs=features.7", "'curves'"),
        ("curves", "NAME=LAYER"),
        ("missing.toml", "cannot be read"),
    ],
)
def test_a_layer_that_is_not_there_is_refused_before_work(
    run: Callable[..., Any], tmp_path: Path, given: str, message: str
) -> None:
    out = tmp_path / "thread"
    ended = run("reproduce", "zoom-in", "--network", "handwritten:lines", "-o", out,
                "--layers", given)  # fmt: skip
    assert ended.returncode == 2
    assert message in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert not out.exists()


def test_layers_are_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "layers.toml"
    path.write_text('[layers]\ncurves = "features.7"\nhigh-low = "features.6"\n')
    assert named_layers([str(path), "mixed4a=features.11"]) == {
        "curves": "features.7", "high-low": "features.6", "mixed4a": "features.11",
    }  # fmt: skip
    with pytest.raises(InputError, match="curves twice"):
        named_layers([str(path), "curves=features.9"])
