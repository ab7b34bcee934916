"""How Sphinx builds the documentation: `make docs`.

Tutorial, how-to and examples are executed, on real networks. Where their checkpoints can neither be
found nor downloaded, the pages are built without their results.
"""

import os
import sys
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.pycode import ModuleAnalyzer

from visioncircuits import InputError, load
from visioncircuits.figures import Figure
from visioncircuits.labeled import LabeledArray, LabeledTable

sys.path.insert(0, str(Path(__file__).parent))  # the extensions `command_pages` and `thumbnails`
os.environ |= {
    "OMP_NUM_THREADS": "1",  # pages are executed side by side
    "PYTHONWARNINGS": "ignore:IProgress not found",  # of tqdm, which torch imports
}


def _executed() -> bool:
    """Check whether the pages' networks can be loaded, and print the reason if not."""
    try:
        for network in ("bvlc_googlenet", "torchvision:squeezenet1_1"):
            load(network)
    except InputError as error:
        print(f"The pages are built without their results: {error}.")
        return False
    return True


project = "visioncircuits"
author = project_copyright = "the visioncircuits contributors"
version = release = installed("visioncircuits")
extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "sphinx_design",
    "command_pages",
    "thumbnails",
]
exclude_patterns = ["_build"]
default_role = "py:obj"  # what docstrings quote is a link where it is a name

html_theme = "furo"
html_title = "visioncircuits"
html_static_path = ["_static"]
html_css_files = ["pages.css"]

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

nb_execution_mode = "force" if _executed() else "off"
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_output_stderr = "warn"
nb_merge_streams = True

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True, "imported-members": True}
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_attr_annotations = False  # shapes such as "*axes" are no markup
suppress_warnings = ["ref.python"]  # a record and its module's function may share a name


def _foreign(
    app: Sphinx, what: str, name: str, value: Any, skip: bool, options: Any
) -> bool | None:
    """Leave out methods that xarray and matplotlib add to every subclass."""
    module = getattr(value, "__module__", None) or ""
    foreign = what == "class" and callable(value) and not module.startswith("visioncircuits")
    return True if foreign else None


def _constructor(
    app: Sphinx, what: str, name: str, value: Any, options: Any, arguments: str, returned: str
) -> tuple[str, str] | None:
    """Leave out the arguments of classes of xarray and matplotlib, which no one calls here."""
    inherited = what == "class" and issubclass(value, Figure | LabeledArray | LabeledTable)
    return ("", "") if inherited else None


def _comment(app: Sphinx, what: str, name: str, value: Any, options: Any, lines: list[str]) -> None:
    """Give a constant the text below its definition, which is in another module than its name."""
    package, constant = name.rsplit(".", 1)
    for module, imported in list(sys.modules.items()):
        if what == "data" and module.startswith(f"{package}.") and constant in vars(imported):
            texts = ModuleAnalyzer.for_module(module).find_attr_docs()
            if ("", constant) in texts and vars(imported)[constant] is value:
                lines[:] = texts["", constant]


def setup(app: Sphinx) -> None:
    """Register what the reference leaves out, and where constants are explained."""
    app.connect("autodoc-process-docstring", _comment)
    app.connect("autodoc-skip-member", _foreign)
    app.connect("autodoc-process-signature", _constructor)
