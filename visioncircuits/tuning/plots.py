"""Plots: colors, number formats, and figures side by side."""

import colorsys
import io
from collections.abc import Mapping, Sequence

import xarray as xr
from PIL import Image

from visioncircuits.figures import Figure

Thumbnails = Mapping[str, Image.Image]
"""Small pictures of features, by name; a feature without one is shown by its name alone."""


def quantity(responses: xr.DataArray) -> str:
    """Return the attribute `units` of responses, by default "activation"."""
    return str(responses.attrs.get("units", "activation"))


def number(value: float) -> str:
    """Format a number to three digits.

    Examples
    --------
    >>> number(1234.5), number(25.7), number(0.012345), number(float("inf"))
    ('1234', '25.7', '0.0123', '∞')
    """
    if abs(value) == float("inf"):
        return "∞" if value > 0 else "−∞"
    text = f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return text.replace("-", "−")


def hsl(hue: float, saturation: float, lightness: float) -> tuple[float, float, float]:
    """Convert a color to red, green and blue in [0, 1]; the hue is in degrees, as in CSS.

    Examples
    --------
    >>> hsl(360, 1, 0.5)
    (1.0, 0.0, 0.0)
    """
    return colorsys.hls_to_rgb(hue / 360 % 1, lightness, saturation)


def beside(figures: Sequence[Figure], *, dpi: int = 110) -> Image.Image:
    """Draw plots side by side, as in the thread's banners of radial tuning curves.

    Examples
    --------
    >>> beside([Figure(figsize=(2, 1)), Figure(figsize=(1, 1))], dpi=100).size
    (300, 100)
    """
    drawn = []
    for figure in figures:
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=dpi)
        drawn.append(Image.open(buffer).convert("RGB"))
    size = sum(one.width for one in drawn), max(one.height for one in drawn)
    whole = Image.new("RGB", size, "white")
    left = 0
    for one in drawn:
        whole.paste(one, (left, 0))
        left += one.width
    return whole
