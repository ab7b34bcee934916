"""Mistakes that need no network are told before torch is imported or anything is written."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

RUN = """
import sys
from visioncircuits.cli import main
sys.argv[0] = "visioncircuits"
try:
    main()
finally:
    print("torch imported" if "torch" in sys.modules else "torch not imported")
"""

FILES = {
    "broken.toml": "title = ",
    "misspelt.toml": 'title = "A"\nnetwork = "bvlc_googlenet"\nlayer = []\n',
    "stranger.toml": 'title = "A"\nnetwork = "googlenot"\nlayers = [{name = "a", units = "1"}]\n',
    "keys.toml": 'stimuli = "curves"\npredictons = []\n',
    "prediction.toml": 'stimuli = "curves"\n[[predictions]]\neffect = "echo"\nmots = 1\n',
    "file": "",
}


def run(arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    # Settings of the runner's terminal, which messages are laid out for, are of no matter here.
    environment = {key: os.environ[key] for key in ("PATH", "PYTHONPATH") if key in os.environ}
    return subprocess.run(
        [sys.executable, "-c", RUN, *arguments.split()],
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment,
        check=False,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with files to make mistakes with, and an empty one for photographs."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "photos").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("nosuch", "'nosuch'"),
        ("render --nosuch", "--nosuch"),
        ("render", "'NETWORK'"),
        ("render bvlc_googlenot mixed3b:1 -o a.png", "'bvlc_googlenet'"),
        ("render resnet18 layer1:1 -o a.png", "torchvision:NAME"),
        ("render bvlc_googlenet mixed3b:x -o a.png", "'mixed3b:x'"),
        ("render bvlc_googlenet mixed3b:1 -o a.gif", ".png or .webp"),
        ("render bvlc_googlenet mixed3b:1 -o nowhere/a.png", "nowhere"),
        ("render bvlc_googlenet mixed3b:1 -o a.png --steps many", "'--steps'"),
        ("render bvlc_googlenet mixed3b:1 -o a.png --checkpoint lost.pth", "lost.pth"),
        ("render bvlc_googlenet mixed3b:1 -o a.png --aim up", "'up'"),
        ("tune bvlc_googlenet mixed3b:1,b --stimuli curves -o a.nc", "'mixed3b:b'"),
        ("weights bvlc_googlenet mixed3a mixed3b: --save a.nc", "'mixed3b:'"),
        ("weights bvlc_googlenet mixed3a mixed3b", "nothing to write"),
        ("find lost.toml bvlc_googlenet mixed3b", "lost.toml"),
        ("find broken.toml bvlc_googlenet mixed3b", "broken.toml is no TOML"),
        ("find keys.toml bvlc_googlenet mixed3b", "'predictions'"),
        ("find curve bvlc_googlenet mixed3b --images nowhere", "nowhere"),
        ("test prediction.toml bvlc_googlenet mixed3b:1", "'most'"),
        ("coverage bvlc_googlenet mixed3b --hypothesis keys.toml", "'predictions'"),
        ("ablate bvlc_googlenet mixed3b --images photos", "names no units"),
        ("examples bvlc_googlenet mixed3b --images photos --out new --engine cloud", "'cloud'"),
        ("examples bvlc_googlenet mixed3b --images photos --out file/new", "is a file"),
        ("attribute bvlc_googlenet mixed3b:1 --image lost.jpg -o a.png", "lost.jpg"),
        ("match bvlc_googlenet mixed3b alexnett features.7 --images photos", "alexnett"),
        ("compare handwriten bvlc_googlenet --layer a --images photos --out new", "handwriten"),
        (
            "compare handwritten:curves bvlc_googlenet --layer a --units a --images photos --out b",
            "'a' names no units",
        ),
        ("reproduce all --images nowhere", "nowhere"),
        ("stimuli curves -o a.gif", ".png or .webp"),
        ("handwritten curves -o a.pth", ".safetensors"),
        ("networks verify bvlc_googlenet --published nowhere", "nowhere"),
        ("gallery lost.toml --out site", "lost.toml cannot be read"),
        ("gallery broken.toml --out site", "broken.toml, line 1"),
        ("gallery misspelt.toml --out site", "misspelt.toml, line 3"),
        ("gallery stranger.toml --out site", "stranger.toml, line 2: unknown network"),
        ("gallery misspelt.toml --out file", "is a file"),
    ],
)
def test_a_mistake_is_one_line_told_before_torch_is_imported(
    folder: Path, arguments: str, told: str
) -> None:
    answer = run(arguments, folder)
    assert answer.returncode == 2, answer.stderr
    assert answer.stderr.startswith("error: ")
    assert answer.stderr.count("\n") == 1
    assert told in answer.stderr
    assert answer.stdout == "torch not imported\n"
    assert {path.name for path in folder.iterdir()} == {*FILES, "photos"}


@pytest.mark.parametrize("arguments", ["--help", "render --help", "gallery --help"])
def test_help_does_not_import_torch(folder: Path, arguments: str) -> None:
    answer = run(arguments, folder)
    assert answer.returncode == 0, answer.stderr
    assert "Usage: visioncircuits" in answer.stdout
    assert answer.stdout.endswith("torch not imported\n")
