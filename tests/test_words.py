"""Names, messages and docstrings use the field's terms: units activate, results are returned."""

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OLD = re.compile(
    r"\b(says?|said|saying|tells?|told|hears?|heard|speaks?|speakers?|answers?|answered"
    r"|foretold|foretells?|silenced?|rewired|intact|unaltered|colours?|grey|centres?|neighbours?)\b",
    re.IGNORECASE,
)
FOLDERS = sorted(path.parent.name for path in (ROOT / "visioncircuits").glob("*/__init__.py"))
TEXT = {".py", ".md", ".html", ".css", ".js", ".toml"}
EXCEPTIONS = {"CHANGELOG.md": "names that are no more"}


def old_words(paths: Iterable[Path]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in sorted(paths)
        if path.suffix in TEXT and path.name not in EXCEPTIONS
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if OLD.search(line.replace("_", " "))
    ]


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_module_template_or_script_of_a_page_uses_the_old_words(folder: str) -> None:
    assert old_words((ROOT / "visioncircuits" / folder).rglob("*")) == []


def test_no_page_of_the_documentation_uses_them() -> None:
    pages = (path for path in (ROOT / "docs").rglob("*.md") if path.parent.name != "commands")
    assert old_words([*pages, *ROOT.glob("*.md"), *(ROOT / "galleries").glob("*.toml")]) == []


def test_no_script_or_module_of_the_package_itself_uses_them() -> None:
    assert (
        old_words([*(ROOT / "scripts").glob("*.py"), *(ROOT / "visioncircuits").glob("*.py")]) == []
    )
