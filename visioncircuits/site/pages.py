"""HTML from templates, the filters that they use, and the files that every page refers to."""

import json
import re
from functools import cache
from importlib.resources import files as package_files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from visioncircuits.weights.pictures import SMALL
from visioncircuits.weights.pictures import number as brief


def number(value: float) -> str:
    """Format a number with three significant digits; one below `SMALL` as `brief` does.

    Examples
    --------
    >>> number(1234.5), number(12.345), number(0.5), number(-0.00123), number(-8.6e-5)
    ('1234', '12.3', '0.5', '−0.00123', '−8.6e-5')
    """
    if 0 < abs(value) < SMALL:
        return brief(value)
    text = f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return text.replace("-", "−")


def size(pixels: tuple[int, int]) -> str:
    """Format height and width, as one number where they are equal.

    Examples
    --------
    >>> size((43, 43)), size((7, 9))
    ('43', '7 × 9')
    """
    height, width = pixels
    return str(height) if height == width else f"{height} × {width}"


def pretty(record: Any) -> str:
    """Format a record as indented JSON, each list of numbers on one line.

    Examples
    --------
    >>> print(pretty({"weights": [0.5, -1.0]}))
    {
      "weights": [0.5, -1.0]
    }
    """
    text = json.dumps(record, indent=2, ensure_ascii=False)
    return re.sub(r"\[\n[-+.,\de\s]+\]", lambda found: _in_line(found[0]), text)


def _in_line(numbers: str) -> str:
    return re.sub(r"\s+", " ", numbers).replace("[ ", "[").replace(" ]", "]")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("visioncircuits.site"),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(number=number, brief=brief, size=size, pretty=pretty)
    return environment


def render(template: str, **context: Any) -> Markup:
    """Render a template of this folder; values are escaped unless they are `Markup`."""
    return Markup(_environment().get_template(template).render(context))


def file_name(text: str) -> str:
    """Return a text as the name of a file, without what a path or an address gives a meaning.

    Examples
    --------
    >>> file_name("mixed4c: a/b")
    'mixed4c--a-b'
    """
    return re.sub(r"[^\w.+-]", "-", text)


def script(data: Any) -> Markup:
    r"""Return JSON that ends no script element.

    Examples
    --------
    >>> print(script({"class": "</script>"}))
    {"class":"\u003c/script>"}
    """
    return Markup(json.dumps(data, separators=(",", ":")).replace("<", "\\u003c"))


def asset(name: str) -> bytes:
    """Read the style sheet, "gallery.css", or the script, "gallery.js"."""
    return (package_files("visioncircuits.site") / "assets" / name).read_bytes()
