"""How a unit is tuned to orientation: on its page, for each set of stimuli that it was shown."""

import base64
from collections.abc import Sequence
from functools import cache
from io import BytesIO
from typing import Any

import matplotlib
import numpy as np
from PIL import Image

from visioncircuits.gallery import pages, sets
from visioncircuits.gallery.contents import Tuning
from visioncircuits.gallery.section import Section, UnitPage
from visioncircuits.tuning import radial
from visioncircuits.tuning.strip import rows, strip

POINT = 3.0
"""Degrees between the points of a radial tuning curve's outline."""


def tuning(page: UnitPage) -> Section | None:
    """Show the unit's radial tuning curves, heat maps under their stimuli, and numbers."""
    if not page.unit.tunings:
        return None
    shown = [told for told in page.unit.tunings if not (told.untold or told.silent)]
    assets = {_sheet(told): _stimuli(told.stimuli, told.down) for told in shown}
    highest = max((told.numbers["strongest"] for told in shown), default=0.0)
    body = pages.render(
        "tuning.html",
        blocks=[_block(told, highest) for told in page.unit.tunings],
        highest=highest,
        unit=str(page.unit),
        root=page.root,
        inner=radial.INNER,
        outer=1 + radial.INNER,
    )
    return Section("Tuning", "tuning", body, assets)


def _block(told: Tuning, highest: float) -> dict[str, Any]:
    """Prepare what is told of a set for the template."""
    if told.untold or told.silent:
        return {"told": told}
    shown = rows(len(told.values))
    steps = told.angles[1] - told.angles[0]
    return {
        "told": told,
        "sheet": _sheet(told),
        "hue": round(told.numbers["orientation"] * 360 / told.period),
        # What hardly drives it is drawn as large, but pale.
        "strength": f"{max(told.numbers['strongest'] / highest, 0.15):.2f}",
        "outline": _outline(told),
        "map": _map(told.responses, highest),
        "rows": [told.values[place] for place in shown] if told.down else [],
        "angles": [
            (f"{angle:g}", f"{100 * (angle - told.angles[0] + steps / 2) / told.period:.4g}")
            for angle in np.arange(0, told.period, told.period / 8)
        ],
        "numbers": _numbers(told),
    }


def _numbers(told: Tuning) -> list[tuple[str, str]]:
    """Tell the numbers by name, in the order in which they are read."""
    numbers = told.numbers
    answers = np.asarray(told.responses)
    row, column = np.unravel_index(answers.argmax(), answers.shape)
    where = f"{told.angles[column]:g}°"
    if told.down:
        where += f", {told.down} {pages.number(told.values[row])}"
    opposite = "opposite" if told.period == 360 else "perpendicular"
    return [
        ("Orientation", f"{numbers['orientation']:.0f}°"),
        ("Width at half height", f"{numbers['width']:.0f}°"),
        (f"Echo, {opposite}", f"{numbers['echo']:.2f} of the peak"),
        ("Concentration", f"{numbers['concentration']:.2f}"),
        ("Strongest answer", f"{pages.number(numbers['strongest'])} at {where}"),
    ]


def _outline(told: Tuning) -> str:
    """Give the corners of the radial tuning curve for an SVG's polygon."""
    curve = np.asarray(told.curve) / max(told.curve)
    first = told.angles[0]
    places = radial.outline(curve, first=first, period=told.period, step=POINT)[:-1]
    return " ".join(f"{x:.3g},{y:.3g}" for x, y in places)


def _map(responses: Sequence[Sequence[float]], highest: float) -> str:
    """Draw responses as a PNG in a data URL, a pixel each: black where they are not above 0."""
    answers = np.asarray(responses)
    shares = np.clip(answers / highest, 0, 1)
    colors = matplotlib.colormaps["turbo"](shares, bytes=True)[..., :3]
    colors[answers <= 0] = 0
    buffer = BytesIO()
    Image.fromarray(colors).save(buffer, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def _sheet(told: Tuning) -> str:
    return f"assets/stimuli-{told.stimuli}.webp"


@cache
def _stimuli(name: str, down: str) -> bytes:
    """Draw the strip of stimuli above the maps: one file for all units."""
    picture = strip(sets.stimuli(name), down or None, across=sets.ACROSS)
    buffer = BytesIO()
    Image.fromarray(picture).save(buffer, "WEBP", lossless=True)
    return buffer.getvalue()
