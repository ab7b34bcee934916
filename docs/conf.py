"""How Sphinx builds the documentation: `make docs`.

Tutorial, how-to and examples are executed, on real networks. Where their checkpoints can neither be
found nor downloaded, the pages are built without their results.
"""

import os
import sys
from importlib.metadata import version as installed
from pathlib import Path

from visioncircuits import InputError, load

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
author = "the visioncircuits contributors"
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
