"""What the documentation shows is run, and the site builds without a warning."""

import doctest
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"
RUN = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


@pytest.fixture
def beside_photographs(
    tmp_path: Path, photographs: Path, checkpoints: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A folder to work in, with a hundred photographs in `photos`."""
    (tmp_path / "photos").mkdir()
    for path in sorted(photographs.iterdir())[::10]:
        (tmp_path / "photos" / path.name).symlink_to(path.resolve())
    monkeypatch.setenv("VISIONCIRCUITS_CHECKPOINTS", str(checkpoints.resolve()))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(page: str) -> None:
    failed, tried = doctest.testfile(str(DOCS / page), module_relative=False, optionflags=RUN)
    assert tried > 10
    assert failed == 0


@pytest.mark.slow
@pytest.mark.usefixtures("beside_photographs")
def test_the_tutorial_says_what_happens() -> None:
    run("tutorial.md")


@pytest.mark.usefixtures("beside_photographs")
def test_the_how_to_for_your_network_says_what_happens() -> None:
    run("your-network.md")


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sphinx", "-W", "-q", str(DOCS), str(tmp_path / "site")]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    reference = tmp_path / "site" / "reference"
    for folder, name in (("tuning", "measure"), ("hypotheses", "find"), ("hypotheses", "judge")):
        assert f"visioncircuits.{folder}.{name}" in (reference / f"{folder}.html").read_text()
