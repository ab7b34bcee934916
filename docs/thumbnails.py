"""A Sphinx extension: cards of pages, each with a picture that the page itself shows.

The directive `cards` lists pages, one a line. A card has the page's title, and as its thumbnail the
first picture of the code cell with the tag `thumbnail`, taken from the executed notebook. A page
that was not executed has a card without one.
"""

import base64
import io
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
from docutils import nodes
from docutils.statemachine import StringList
from PIL import Image
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

TAG = "thumbnail"
FOLDER = "_images/thumbnails"
SIZE = (480, 360)
"""The most that a thumbnail measures, in pixels."""

EMBEDDED = re.compile(r"data:image/png;base64,([^\"']+)")


class Cards(SphinxDirective):
    """A grid of cards, one a page."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return the grid, as sphinx-design makes it of its own directives."""
        lines = ["::::{grid} 2 2 4 4", ":gutter: 3", ":class-container: pages"]
        for page in self.content:
            lines += [f":::{{grid-item-card}} {{doc}}`/{page}`", f"{{thumbnail}}`{page}`", ":::"]
        container = nodes.Element()
        source = self.get_source_info()[0]
        self.state.nested_parse(StringList([*lines, "::::"], source), 0, container)
        return container.children


class thumbnail(nodes.General, nodes.Inline, nodes.Element):
    """The picture of a page."""


def _role(*arguments: Any, **options: Any) -> tuple[list[nodes.Node], list[nodes.Node]]:
    return [thumbnail(page=arguments[2])], []


def _visit(translator: Any, node: thumbnail) -> None:
    """Write the picture, where there is one."""
    builder = translator.builder
    name = node["page"].replace("/", "-")
    for path in sorted(Path(builder.outdir, FOLDER).glob(f"{name}.*")):
        source = posixpath.join(builder.imgpath, "thumbnails", path.name)
        translator.body.append(f'<img class="thumbnail" src="{source}" alt="" loading="lazy">')
    raise nodes.SkipNode


def _write(app: Sphinx, env: Any) -> None:
    """Write the thumbnails of all pages that were executed."""
    if app.config.nb_execution_mode == "off" or app.builder.format != "html":
        return
    folder = Path(app.outdir, FOLDER)
    folder.mkdir(parents=True, exist_ok=True)
    executed = Path(app.outdir).parent / "jupyter_execute"
    for page in sorted(env.found_docs):
        path = executed / f"{page}.ipynb"
        if not path.is_file():
            continue
        tagged = [
            cell
            for cell in nbformat.read(path, as_version=4).cells
            if TAG in cell.metadata.get("tags", ())
        ]
        for cell in tagged[:1]:
            found = next(_pictures(cell), None)
            if found is None:
                raise ExtensionError(f"{page}: the cell with the tag {TAG} shows no picture")
            suffix, data = found
            (folder / page.replace("/", "-")).with_suffix(suffix).write_bytes(data)


def _pictures(cell: Any) -> Iterator[tuple[str, bytes]]:
    """Yield the pictures among a cell's outputs, each with its file's suffix."""
    for output in cell.outputs:
        data = output.get("data", {})
        if "image/svg+xml" in data:
            yield ".svg", data["image/svg+xml"].encode()
        elif "image/png" in data:
            yield ".png", _fitted(base64.b64decode(data["image/png"]))
        elif embedded := EMBEDDED.search(data.get("text/html", "")):
            yield ".png", _fitted(base64.b64decode(embedded[1]))


def _fitted(png: bytes) -> bytes:
    """Scale a picture into a card."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    scale = min(SIZE[0] / picture.width, SIZE[1] / picture.height)
    size = round(picture.width * scale), round(picture.height * scale)
    buffer = io.BytesIO()
    picture.resize(size, Image.Resampling.LANCZOS).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive, and the event after which all pages have been executed."""
    app.add_directive("cards", Cards)
    app.add_role("thumbnail", _role)
    app.add_node(thumbnail, html=(_visit, None))
    app.connect("env-updated", _write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
