"""The documentation, built once."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"

Build = Callable[[Path, Mapping[str, str]], str]


@pytest.fixture(scope="session")
def build() -> Build:
    """Build the documentation as `make docs` does; a warning or a cell that raises is an error."""

    def build(site: Path, environment: Mapping[str, str]) -> str:
        command = [sys.executable, "-m", "sphinx", "-W", "-q", "-j", "auto", str(DOCS), str(site)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        reports = [path.read_text("utf-8") for path in sorted(site.rglob("*.err.log"))]
        assert done.returncode == 0, "\n".join([done.stderr, *reports])
        return done.stdout

    return build


@pytest.fixture(scope="session")
def built(
    build: Build,
    checkpoints: Path,
    tmp_path_factory: pytest.TempPathFactory,
    once: Callable[[str, Callable[[], Any]], Any],
) -> Path:
    """The site, with its pages executed."""

    def make() -> Path:
        site = tmp_path_factory.mktemp("documentation") / "html"
        found = {"VISIONCIRCUITS_CHECKPOINTS": str(checkpoints), "VISIONCIRCUITS_OFFLINE": "1"}
        build(site, os.environ | found)
        return site

    found: Path = once("documentation", make)
    return found
