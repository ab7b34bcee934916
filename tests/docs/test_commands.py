"""The command lines of README and documentation are run, in order, in an empty folder."""

import itertools
import json
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from torch import nn

from visioncircuits import thread

ROOT = Path(__file__).resolve().parents[2]
GENERATED = ROOT / "docs" / "commands"
"""Pages of the commands' help, whose examples `tests/cli` runs."""
PAGES = (
    ROOT / "README.md",
    *(page for page in sorted((ROOT / "docs").rglob("*.md")) if page.parent != GENERATED),
)
BLOCK = re.compile(r"^```(.*?)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PROMISES = ("-o", "--out", "--json", "--plot")
WHOLE = "visioncircuits reproduce all --network bvlc_googlenet --photographs photos/ --out thread/"
QUICK = f"{WHOLE} --quick"
ONE = WHOLE.replace(" all ", " curve-detectors ")
SQUEEZENET = (
    "visioncircuits reproduce all --network torchvision:squeezenet1_1 --photographs photos/ "
    "--out squeezenet/"
)
ACROSS = "visioncircuits across thread/scorecard.json squeezenet/scorecard.json --out across.html"
COMPARE = (
    "visioncircuits compare handwritten:curves bvlc_googlenet --layer mixed3b "
    "--photographs photos/ --out report/"
)
DICTIONARY = "visioncircuits dictionary"
TRAIN = f"{DICTIONARY} train bvlc_googlenet mixed3b --photographs photos/"
TESTED = "bvlc_googlenet a.safetensors --photographs photos/ --second b.safetensors"
ALONE = {"compare": COMPARE, "reproduce": QUICK}
"""Lines that take minutes and need no other: each has a folder and a test of its own."""
LEFT_OUT = {
    WHOLE: "takes 40 minutes; with --quick it is run",
    SQUEEZENET: "takes longer still; SqueezeNet's layers are tested in tests/thread",
    ACROSS: "needs both scorecards; tested in tests/cli",
    f"{TRAIN} -o a.safetensors": "trains for long; tested in tests/cli",
    f"{TRAIN} --seed 1 -o b.safetensors": "the same",
    f"{DICTIONARY} evaluate {TESTED}": "needs both dictionaries; tested in tests/cli",
    f"{DICTIONARY} features curve {TESTED}": "the same",
    ONE: "takes 4 minutes; with --quick it is run, with the others",
}


def commands(page: Path) -> list[str]:
    """The command lines of a page's fenced blocks, without their comments."""
    lines = "".join(block for _, block in BLOCK.findall(page.read_text("utf-8"))).splitlines()
    typed = (line for line in lines if line.startswith("visioncircuits "))
    return [shlex.join(shlex.split(line, comments=True)) for line in typed]


@pytest.fixture
def beside(
    tmp_path: Path,
    checkpoints: Path,
    published: Path,
    photographs: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """A folder with what the pages take for granted: recipes, photographs, and one of these.

    Where a recipe is of all units of a layer, two are made here, and as drafts.
    """
    (tmp_path / "galleries").mkdir()
    for path in (ROOT / "galleries").glob("*.toml"):
        recipe = path.read_text("utf-8").replace('units = "all"', "units = [0, 1]")
        recipe = recipe.replace('preset = "standard"', 'preset = "draft"')
        recipe = re.sub('(?m)^photographs = ".*"', 'photographs = "../photos"', recipe)
        (tmp_path / "galleries" / path.name).write_text(recipe, "utf-8")
    (tmp_path / "photos").mkdir()
    chosen = [path.resolve() for path in sorted(photographs.iterdir())[::40]]
    for path in chosen:
        (tmp_path / "photos" / path.name).symlink_to(path)
    (tmp_path / "photo.jpg").symlink_to(chosen[0])
    monkeypatch.setenv("VISIONCIRCUITS_CHECKPOINTS", str(checkpoints))
    monkeypatch.setenv("VISIONCIRCUITS_PUBLISHED", str(published))
    monkeypatch.setenv("VISIONCIRCUITS_OFFLINE", "1")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def follow(line: str, folder: Path) -> tuple[float, str, str]:
    """Type a command line: the seconds it took, its exit code, and what was wrong with it."""
    program, *arguments = shlex.split(line)
    began = time.monotonic()
    told = subprocess.run(
        [Path(sys.executable).with_name(program), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    wrong = [] if told.returncode == 0 else [told.stderr]
    for option, value in itertools.pairwise(arguments):
        if option in PROMISES:
            files = [folder / value, *(folder / value).rglob("*")]
            if not any(path.is_file() and path.stat().st_size for path in files):
                wrong.append(f"{option} {value} is not there or empty")
    return time.monotonic() - began, str(told.returncode), "\n".join(wrong)


LINES = [line for page in PAGES for line in commands(page)]


def test_what_is_run_alone_or_left_out_stands_on_a_page() -> None:
    assert {*ALONE.values(), *LEFT_OUT} <= set(LINES)


@pytest.mark.slow
@pytest.mark.weights
@pytest.mark.published
@pytest.mark.images
@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(
            [line for line in LINES if line not in ALONE.values()],
            marks=pytest.mark.minutes(7),
            id="others",
        ),
        *(
            pytest.param([line], marks=pytest.mark.minutes(4), id=name)
            for name, line in ALONE.items()
        ),
    ],
)
def test_every_command_line_does_what_it_promises(
    lines: list[str], beside: Path, record_property: Callable[[str, object], None]
) -> None:
    rows, wrong = [], {}
    for line in lines:
        if line in LEFT_OUT:
            rows.append(f"{'':>7}     not run: {LEFT_OUT[line]}: {line}")
            continue
        seconds, code, fault = follow(line, beside)
        rows.append(f"{seconds:6.1f} s  {code:>3}  {line}")
        if fault:
            wrong[line] = fault
    record_property("command lines: seconds, exit codes", "\n".join(rows))
    assert wrong == {}
    if QUICK in lines:
        check(beside / "thread")


def check(written: Path) -> None:
    """The whole thread was run quickly: every article is there, and says so."""
    card = json.loads((written / "scorecard.json").read_text())
    assert [article["name"] for article in card["articles"]] == thread.names()
    assert card["quick"]
    rows = [row for article in card["articles"] for row in article["claims"]]
    for article in card["articles"]:
        assert article["unfinished"] == []
        assert {row["kind"] for row in article["claims"]} - {"inception5h"}
        assert "Quick run" in (written / f"{article['name']}.html").read_text()
        for row in article["claims"]:
            assert row["why"] or row["status"] not in ("cannot be tested", "not run"), row["claim"]
    from_data = [row for row in rows if row["kind"] == "published data"]
    assert sum(row["status"] == "holds" for row in from_data) > 0.85 * len(from_data)
    here = [row for row in rows if row["kind"] == "this network"]
    decided = [row for row in here if row["status"] in ("holds", "does not hold")]
    assert len(decided) > len(here) / 2
    assert sum(card["totals"]["this network"].values()) == len(here)


@pytest.mark.slow
@pytest.mark.weights
def test_the_python_of_readme_and_tour_runs_as_it_stands(beside: Path) -> None:
    texts = [(ROOT / page).read_text("utf-8") for page in ("README.md", "docs/tour.md")]
    blocks = [text for page in texts for kind, text in BLOCK.findall(page) if kind == "python"]
    assert len(blocks) >= 4
    layers = (nn.Conv2d(1, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 48, 3), nn.ReLU())
    names = {"module": nn.Sequential()}  # the reader's own network, which the page takes as given
    names["module"].add_module("features", nn.Sequential(*layers))
    for block in blocks:
        exec(compile(block, "README.md or docs/tour.md", "exec"), names)
    assert (beside / "curve.png").stat().st_size
    assert (beside / "curve.json").stat().st_size
