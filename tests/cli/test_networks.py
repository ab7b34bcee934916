"""`visioncircuits networks`, run as a user does."""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest


def run(*arguments: str, checkpoints: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": "/usr/bin:/bin", "VISIONCIRCUITS_OFFLINE": "1"}
    if checkpoints is not None:
        environment["VISIONCIRCUITS_CHECKPOINTS"] = str(checkpoints)
    command = [sys.executable, "-c", "from visioncircuits.cli import main; main()", *arguments]
    with TemporaryDirectory() as home:  # what commands cache stays out of the system
        environment["HOME"] = home
        return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def test_the_list_says_where_checkpoints_are(checkpoints: Path) -> None:
    told = run("networks", checkpoints=checkpoints)
    assert told.returncode == 0, told.stderr
    assert str(checkpoints / "bvlc_googlenet.safetensors") in told.stdout
    assert "torchvision:squeezenet1_1" in told.stdout


def test_show_prints_every_layer_with_its_geometry(checkpoints: Path) -> None:
    told = run("networks", "show", "bvlc_googlenet", checkpoints=checkpoints)
    assert told.returncode == 0, told.stderr
    line = next(line for line in told.stdout.splitlines() if line.startswith("mixed3b "))
    assert line.split()[1:4] == ["480", "91", "8"]
    assert "mixed3b_5x5 320–415" in line


def test_verify_answers_with_its_exit_code(checkpoints: Path, tmp_path: Path) -> None:
    assert run("networks", "verify", "bvlc_googlenet", checkpoints=checkpoints).returncode == 0
    cut = tmp_path / "bvlc_googlenet.safetensors"
    cut.write_bytes((checkpoints / cut.name).read_bytes()[:-1000])
    told = run("networks", "verify", "bvlc_googlenet", "--checkpoint", str(cut))
    assert told.returncode == 2
    assert told.stderr.startswith("error: ")
    assert str(cut) in told.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("networks", "show", "bvlc_googlene"), "bvlc_googlenet"),
        (("networks", "show", "torchvision:resnet19"), "resnet18"),
        (("networks", "show", "bvlc_googlenet"), "VISIONCIRCUITS_CHECKPOINTS"),
        (("render", "handwritten:nothing", "a:1", "-o", "/nowhere/a.png"), "/nowhere"),
        (("render", "bvlc_googlenet", "mixed3b:1", "-o", "a.gif"), ".png or .webp"),
        (("gallery", "/nowhere.toml", "--out", "site"), "/nowhere.toml"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(arguments: tuple[str, ...], told: str) -> None:
    answer = run(*arguments)
    assert answer.returncode == 2
    assert answer.stderr.count("\n") == 1
    assert answer.stderr.startswith("error: ")
    assert told in answer.stderr
