"""Mistakes that need no network are reported before torch is imported or anything is written."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

RUN = """
import contextlib, io, json, sys
from visioncircuits.cli import main

sys.argv[0] = "visioncircuits"
for line in json.load(sys.stdin):
    out, err = io.StringIO(), io.StringIO()
    sys.argv[1:] = line.split()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main()
        except SystemExit as ended:
            code = ended.code
    torch = "torch" in sys.modules
    print(json.dumps([line, code, out.getvalue(), err.getvalue(), torch]))
"""

FILES = {
    "broken.toml": "title = ",
    "misspelt.toml": 'title = "A"\nnetwork = "bvlc_googlenet"\nlayer = []\n',
    "stranger.toml": 'title = "A"\nnetwork = "googlenot"\nlayers = [{name = "a", units = "1"}]\n',
    "keys.toml": 'stimuli = "curves"\npredictons = []\n',
    "prediction.toml": 'stimuli = "curves"\n[[predictions]]\neffect = "echo"\nmots = 1\n',
    "causal.toml": 'behavior = "mixed3b:18"\n[[variables]]\nname = "a"\nunits = "b"\n',
    "file": "",
}

MISTAKES = {
    "nosuch": "'nosuch'",
    "render --nosuch": "--nosuch",
    "render": "'NETWORK'",
    "render bvlc_googlenot mixed3b:1 -o a.png": "'bvlc_googlenet'",
    "render resnet18 layer1:1 -o a.png": "torchvision:NAME",
    "render own.py layer1:1 -o a.png": "write file.py:function",
    "render own.py:build layer1:1 -o a.png": "there is no file own.py",
    "render own.nets:build layer1:1 -o a.png": "no module 'own.nets' is here or installed",
    "render torchvison:resnet18 a:1 -o a.png": "the nearest are 'torchvision:resnet18'",
    "render bvlc_googlenet a:1 -o a.png --network-option depth=18": "takes no options",
    "networks show json.tool:main --network-option depth": "'depth' is no option",
    "reproduce all --network own.py:build --network-option a=1": "there is no file own.py",
    "render bvlc_googlenet mixed3b: -o a.png": "'mixed3b:'",
    "render bvlc_googlenet mixed3b:1": "nothing to write",
    "render bvlc_googlenet mixed3b:1 --sheet a.webp": ".png or .svg",
    "render bvlc_googlenet mixed3b:1 -o a.gif": ".png or .webp",
    "render bvlc_googlenet mixed3b:1 -o nowhere/a.png": "nowhere",
    "render bvlc_googlenet mixed3b:1 -o a.png --steps many": "'--steps'",
    "render bvlc_googlenet mixed3b:1 -o a.png --checkpoint lost.pth": "lost.pth",
    "render bvlc_googlenet mixed3b:1 -o a.png --aim up": "'up'",
    "tune bvlc_googlenet mixed3b:1, --stimuli curves -o a.nc": "'mixed3b:'",
    "tune bvlc_googlenet mixed3b --stimuli keys.toml -o a.nc": "'predictions'",
    "weights bvlc_googlenet mixed3a mixed3b: --save a.nc": "'mixed3b:'",
    "weights bvlc_googlenet mixed3a mixed3b": "nothing to write",
    "find lost.toml bvlc_googlenet mixed3b": "lost.toml",
    "find broken.toml bvlc_googlenet mixed3b": "broken.toml is no TOML",
    "find keys.toml bvlc_googlenet mixed3b": "'predictions'",
    "find curve bvlc_googlenet mixed3b --photographs nowhere": "nowhere",
    "judge prediction.toml bvlc_googlenet mixed3b:1": "'most'",
    "scrub handwritten:curves lost.toml": "lost.toml cannot be read",
    "scrub handwritten:curves keys.toml": "'predictons'",
    "scrub handwritten:curves causal.toml": "unknown key of a variable 'units'",
    "coverage bvlc_googlenet mixed3b --hypothesis keys.toml": "'predictions'",
    "ablate bvlc_googlenet mixed3b --photographs photos": "names no units",
    "examples bvlc_googlenet mixed3b --photographs photos --out new --engine cloud": "'cloud'",
    "examples bvlc_googlenet mixed3b --photographs photos --out file/new": "is a file",
    "prefer bvlc_googlenet mixed4d --photographs nowhere --classes 1": "nowhere",
    "prefer bvlc_googlenet mixed4d --photographs photos --classes 1 -o a.gif": ".svg or .png",
    "attribute bvlc_googlenet mixed3b:1 --photograph lost.jpg -o a.png": "lost.jpg",
    "match bvlc_googlenet mixed3b alexnett features.7 --photographs photos": "alexnett",
    "compare handwriten bvlc_googlenet --layer a --photographs photos --out new": "handwriten",
    "compare handwritten:curves inceptionv1 --layer a --units a --photographs photos -o b": "units",
    "seven-arguments bvlc_googlenet mixed3b: -o a.pdf": "'mixed3b:'",
    "seven-arguments bvlc_googlenet mixed3b:1 --photographs nowhere -o a.pdf": "nowhere",
    "reproduce all --photographs nowhere": "nowhere",
    "stimuli curves -o a.gif": ".png or .webp",
    "handwritten curves -o a.pth": ".safetensors",
    "networks verify bvlc_googlenet --published nowhere": "nowhere",
    "gallery lost.toml --out site": "lost.toml cannot be read",
    "gallery broken.toml --out site": "broken.toml, line 1",
    "gallery misspelt.toml --out site": "misspelt.toml, line 3",
    "gallery stranger.toml --out site": "stranger.toml, line 2: unknown network",
    "gallery misspelt.toml --out file": "is a file",
}
HELP = ("--help", "render --help", "gallery --help")


@dataclass(frozen=True)
class Ended:
    """What a command left: its exit code, what it printed, whether torch was imported by then."""

    code: int
    stdout: str
    stderr: str
    torch: bool


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with files to make mistakes with, and an empty one for photographs."""
    folder = tmp_path_factory.mktemp("mistakes")
    for name, text in FILES.items():
        (folder / name).write_text(text)
    (folder / "photos").mkdir()
    return folder


@pytest.fixture(scope="module")
def ended(folder: Path) -> dict[str, Ended]:
    """How every command line ends, one after the other in one process."""
    # Settings of the runner's terminal, which messages are laid out for, are of no matter here.
    environment = {key: os.environ[key] for key in ("PATH", "PYTHONPATH") if key in os.environ}
    done = subprocess.run(
        [sys.executable, "-c", RUN],
        input=json.dumps([*HELP, *MISTAKES]),
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment,
        check=True,
    )
    rows = map(json.loads, done.stdout.splitlines())
    return {line: Ended(*rest) for line, *rest in rows}


@pytest.mark.parametrize("line", MISTAKES)
def test_a_mistake_is_one_line_printed_before_torch_is_imported(
    ended: dict[str, Ended], folder: Path, line: str
) -> None:
    found = ended[line]
    assert found.code == 2, found.stderr
    assert found.stderr.startswith("error: ")
    assert found.stderr.count("\n") == 1
    assert MISTAKES[line] in found.stderr
    assert found.stdout == ""
    assert not found.torch
    assert {path.name for path in folder.iterdir()} == {*FILES, "photos"}


@pytest.mark.parametrize("line", HELP)
def test_help_does_not_import_torch(ended: dict[str, Ended], line: str) -> None:
    found = ended[line]
    assert found.code == 0, found.stderr
    assert "Usage: visioncircuits" in found.stdout
    assert not found.torch
