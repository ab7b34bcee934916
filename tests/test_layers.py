"""Imports point downward only, and importing the package costs no more than torch."""

import ast
import subprocess
import sys
from pathlib import Path

import visioncircuits

PACKAGE = Path(__file__).resolve().parent.parent / "visioncircuits"
TOOLS = {"networks", "datasets", "stimuli", "engine"}
ARGUMENTS = {"featurevis", "examples", "tuning", "hypotheses", "weights", "handwritten"}
CIRCUITS = {
    "interventions", "attribution", "dictionaries", "circuits", "scrubbing", "comparison", "atlas",
}  # fmt: skip
MAY_KNOW = {
    "networks": set[str](),
    "datasets": {"networks"},
    "stimuli": set[str](),
    "engine": set[str](),
    "featurevis": {"networks", "datasets"},
    "examples": {"networks", "datasets", "engine"},
    "tuning": {"networks", "datasets", "stimuli", "engine"},
    "hypotheses": TOOLS | {"tuning", "examples", "handwritten"},
    "weights": {"networks"},
    "handwritten": {"networks"},
    "interventions": TOOLS | ARGUMENTS,
    "attribution": TOOLS | ARGUMENTS | {"interventions"},
    "toy": {"stimuli"},
    "dictionaries": TOOLS | ARGUMENTS | {"interventions", "attribution"},
    "circuits": TOOLS | ARGUMENTS | {"interventions", "attribution", "dictionaries"},
    "comparison": TOOLS | ARGUMENTS | {"interventions", "attribution"},
    "scrubbing": TOOLS | ARGUMENTS | {"interventions", "attribution"},
    "atlas": TOOLS | {"featurevis", "examples", "interventions", "attribution", "dictionaries"},
    "site": TOOLS | ARGUMENTS | CIRCUITS,
    "gallery": TOOLS | ARGUMENTS | CIRCUITS | {"site"},
    "thread": TOOLS | ARGUMENTS | CIRCUITS | {"toy", "site", "gallery"},
    "cli": TOOLS | ARGUMENTS | CIRCUITS | {"site", "gallery", "thread"},
}
DECLARED = {
    ("networks/catalog.py", "handwritten"),
    ("networks/accuracy.py", "datasets"),
    ("networks/verification.py", "datasets"),
    ("networks/accuracy.py", "interventions"),
}
"""Upward imports within functions: `load` loads networks that other folders build, and a network is
verified on labeled photographs."""


def imported(path: Path) -> set[str]:
    """Return the folders of the package that a module imports from, anywhere in it."""
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
            module = path.relative_to(PACKAGE).as_posix()
            declared = {other for declaring, other in DECLARED if declaring == module}
            assert imported(path) <= MAY_KNOW[folder] | {folder} | declared, path


def test_every_folder_has_its_place() -> None:
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert folders <= set(MAY_KNOW)


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = "import sys, visioncircuits; print(*{'torch', 'torchvision', 'rich'} & set(sys.modules))"
    completed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert completed.stdout.strip() == ""


def test_the_package_shows_every_tool_and_what_it_shows_is_there() -> None:
    for name in visioncircuits.__all__:
        assert getattr(visioncircuits, name) is not None
    assert {"load", "render", "collect", "measure", "find", "ablate"} <= {*dir(visioncircuits)}
