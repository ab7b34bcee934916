"""Names, messages and docstrings use the field's terms: units activate, results are returned."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OLD = re.compile(
    r"\b(says?|said|saying|tells?|told|hears?|heard|speaks?|speakers?|listeners?|answers?|answered"
    r"|foretold|foretells?|silenced?|rewired|intact|unaltered|colours?|grey|centres?|neighbours?)\b",
    re.IGNORECASE,
)
DONE = ("attribution", "cli", "comparison", "interventions")


@pytest.mark.parametrize("folder", DONE)
def test_no_module_uses_the_old_words(folder: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in sorted((ROOT / "visioncircuits" / folder).rglob("*.py"))
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if OLD.search(line.replace("_", " "))
    ]
    assert found == []
