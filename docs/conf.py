"""How Sphinx builds the documentation: `make docs`."""

from importlib.metadata import version as installed

project = "visioncircuits"
version = release = installed("visioncircuits")
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "visioncircuits"
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True, "imported-members": True}
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_attr_annotations = False  # shapes such as "*axes" are no markup
copybutton_prompt_text = ">>> |... "
copybutton_prompt_is_regexp = True
suppress_warnings = ["ref.python"]  # a record and its module's function may share a name
