"""Every public name has an example: in its docstring, or on a page of the documentation."""

import importlib
import inspect
import re
from pathlib import Path
from types import UnionType

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = sorted(
    path.parent.name
    for path in (ROOT / "visioncircuits").glob("*/__init__.py")
    if path.parent.name != "cli"
)
MINUTES = {"compare", "Comparison"}
"""Need photographs and minutes: the command of the same name is run, and tested, instead."""

LINE = re.compile(r"^\s*(?:>>>|\.\.\.) (.*)$", re.MULTILINE)


def executed(text: str) -> str:
    """The lines of a docstring's examples that run."""
    return "\n".join(line for line in LINE.findall(text) if "+SKIP" not in line)


@pytest.fixture(scope="module")
def elsewhere() -> str:
    """All examples of all modules, and the code of all executed pages."""
    modules = (ROOT / "visioncircuits").rglob("*.py")
    pages = (ROOT / "docs").rglob("*.md")
    cells = (
        cell
        for path in pages
        for cell in re.findall(r"^```\{code-cell\}.*?^```", path.read_text("utf-8"), re.S | re.M)
    )
    return "\n".join([*(executed(path.read_text("utf-8")) for path in modules), *cells])


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_public_name_has_an_example(folder: str, elsewhere: str) -> None:
    package = importlib.import_module(f"visioncircuits.{folder}")
    without = []
    for name in package.__all__:
        value = getattr(package, name)
        if isinstance(value, UnionType) or name in MINUTES:  # an alias is for annotations
            continue
        described = inspect.isclass(value) or inspect.isroutine(value)
        own = executed(inspect.getdoc(value) or "") if described else ""
        if not own and not re.search(rf"\b{re.escape(name)}\b", elsewhere):
            without.append(name)
    assert without == []
