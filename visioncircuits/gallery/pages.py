"""HTML from templates, with the few filters that they use."""

import json
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from visioncircuits.weights.pictures import number as brief


def number(value: float) -> str:
    """Write a number for reading: three digits that count.

    Examples
    --------
    >>> number(1234.5), number(12.345), number(0.5), number(-0.00123)
    ('1234', '12.3', '0.5', '−0.00123')
    """
    text = f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return text.replace("-", "−")


def size(pixels: tuple[int, int]) -> str:
    """Write height and width, once where they are the same.

    Examples
    --------
    >>> size((43, 43)), size((7, 9))
    ('43', '7 × 9')
    """
    height, width = pixels
    return str(height) if height == width else f"{height} × {width}"


def pretty(record: Any) -> str:
    """Write a record as JSON for reading."""
    return json.dumps(record, indent=2, ensure_ascii=False)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("visioncircuits.gallery"),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(number=number, brief=brief, size=size, pretty=pretty)
    return environment


def render(template: str, **context: Any) -> Markup:
    """Fill in a template of this folder; what is put in is escaped unless it is `Markup`."""
    return Markup(_environment().get_template(template).render(context))
