"""Imports point downward only, and importing the package costs no more than torch."""

import ast
import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent / "visioncircuits"
ARGUMENTS = {"featurevis", "examples", "tuning", "weights", "handwritten"}
MAY_KNOW = {
    "networks": set[str](),
    "stimuli": set[str](),
    "engine": set[str](),
    "featurevis": {"networks"},
    "examples": {"networks", "engine"},
    "tuning": {"networks", "stimuli", "engine"},
    "weights": {"networks"},
    "handwritten": {"networks"},
    "circuits": {"networks", "stimuli", "engine"} | ARGUMENTS,
    "site": {"networks", "stimuli", "engine", "circuits"} | ARGUMENTS,
    "gallery": {"networks", "stimuli", "engine", "circuits", "site"} | ARGUMENTS,
    "thread": {"networks", "stimuli", "engine", "circuits", "site", "gallery"} | ARGUMENTS,
    "cli": {"networks", "stimuli", "engine", "circuits", "site", "gallery", "thread"} | ARGUMENTS,
}


def imported(path: Path) -> set[str]:
    """Name the folders of the package that a module imports from, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "visioncircuits":
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("visioncircuits."):
            found.add(node.module.split(".")[1])
        elif isinstance(node, ast.Import):
            found |= {
                a.name.split(".")[1] for a in node.names if a.name.startswith("visioncircuits.")
            }
    return found & set(MAY_KNOW)


def test_imports_point_downward_only() -> None:
    for path in PACKAGE.rglob("*.py"):
        folder = path.relative_to(PACKAGE).parts[0]
        if folder in MAY_KNOW:
            assert imported(path) <= MAY_KNOW[folder] | {folder}, path


def test_every_folder_has_its_place() -> None:
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert folders <= set(MAY_KNOW)


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = "import sys, visioncircuits; print(*{'torch', 'torchvision', 'rich'} & set(sys.modules))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == ""
