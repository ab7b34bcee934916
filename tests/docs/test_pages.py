"""The pages are executed as they are built, show what they promise, and lead to one another."""

import importlib
import inspect
import re
from pathlib import Path

import nbformat
import pytest

import visioncircuits

DOCS = Path(__file__).resolve().parents[2] / "docs"
EXECUTED = ("tutorial", "your-network", "toy-models", *(f"examples/{path.stem}" for path in
            sorted((DOCS / "examples").glob("*.md"))))  # fmt: skip
PACKAGES = sorted(path.stem for path in (DOCS / "reference").glob("*.md"))
OTHERS = ("index", "results")
"""Pages of the reference that are of no package."""


@pytest.mark.slow
@pytest.mark.weights
@pytest.mark.parametrize(
    "page", [pytest.param(EXECUTED[0], marks=pytest.mark.minutes(5)), *EXECUTED[1:]]
)
def test_a_page_is_executed_and_shows_pictures(built: Path, page: str) -> None:
    notebook = nbformat.read(built.parent / "jupyter_execute" / f"{page}.ipynb", as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert cells
    assert all(cell.execution_count for cell in cells)
    outputs = [output for cell in cells for output in cell.outputs]
    kinds = [kind for output in outputs for kind in output.get("data", {})]
    shown = "".join(output.get("data", {}).get("text/html", "") for output in outputs)
    assert {"image/png", "image/svg+xml"} & set(kinds) or "data:image/png" in shown


@pytest.mark.slow
@pytest.mark.weights
def test_every_example_is_on_the_front_page_with_a_thumbnail(built: Path) -> None:
    front = (built / "index.html").read_text("utf-8")
    cards = re.findall(r'class="sd-card (.*?)</a>', front, re.DOTALL)
    pages = [re.search(r'href="(examples/[^"]+)\.html"', card) for card in cards]
    thumbnails = re.findall(r'<img class="thumbnail" src="([^"]+)"', front)
    examples = {page for page in EXECUTED if page.startswith("examples/")}
    assert {page[1] for page in pages if page} == examples
    assert {Path(name).stem for name in thumbnails} == {page.replace("/", "-") for page in examples}
    assert all((built / name).stat().st_size > 1000 for name in thumbnails)


@pytest.mark.slow
@pytest.mark.weights
@pytest.mark.parametrize("package", [name for name in PACKAGES if name not in OTHERS])
def test_the_reference_has_every_public_name(built: Path, package: str) -> None:
    page = (built / "reference" / f"{package}.html").read_text("utf-8")
    module = importlib.import_module(f"visioncircuits.{package}")
    found = set(re.findall(r'id="([^"]+)"', page))
    for name in module.__all__:
        value = getattr(module, name)
        home = getattr(value, "__module__", module.__name__)
        if inspect.ismodule(value) or home.startswith("visioncircuits.datasets") != (
            package == "datasets"
        ):
            continue  # a module, or on the page of `datasets`
        assert found & {f"{module.__name__}.{name}", f"{home}.{name}"}, name


def test_the_reference_names_every_public_constant() -> None:
    """What `automodule` leaves out; known without building the pages."""
    for package in set(PACKAGES) - set(OTHERS):
        page = (DOCS / "reference" / f"{package}.md").read_text("utf-8")
        module = importlib.import_module(f"visioncircuits.{package}")
        for name in module.__all__:
            value = getattr(module, name)
            if not (inspect.ismodule(value) or inspect.isclass(value) or inspect.isroutine(value)):
                assert f".. autodata:: {module.__name__}.{name}\n" in page, name


def test_the_reference_has_a_page_for_every_package() -> None:
    folders = {path.parent.name for path in Path(visioncircuits.__path__[0]).glob("*/__init__.py")}
    assert folders - {"cli"} == set(PACKAGES) - set(OTHERS)


def test_the_glance_at_the_toolkit_has_every_top_level_name() -> None:
    page = (DOCS / "reference" / "index.md").read_text("utf-8")
    for name in visioncircuits.__all__:
        assert f"`{name}`" in page or name == "__version__"


LONGEST = 88
"""Characters of a line of code; a page's column has room for 90 in a window of 1280 pixels."""


@pytest.mark.parametrize("page", EXECUTED)
def test_lines_of_code_fit_into_the_column(page: str) -> None:
    text = (DOCS / f"{page}.md").read_text("utf-8")
    cells = re.findall(r"^```\{code-cell\}.*?\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    lines = "".join(cells).splitlines()
    assert lines
    assert [line for line in lines if len(line) > LONGEST] == []
