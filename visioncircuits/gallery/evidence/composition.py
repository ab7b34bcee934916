"""What a direction is made of: the units in which its weights are largest."""

import json
from math import hypot

from visioncircuits.gallery.evidence import weights
from visioncircuits.gallery.section import FeaturePage, Section
from visioncircuits.networks import Direction
from visioncircuits.site import pages

SHOWN = 12
"""The most units that are shown."""


def largest(direction: Direction) -> list[tuple[int, float]]:
    """List the units with the largest weights of either sign, and their weights.

    Examples
    --------
    >>> largest(Direction("mixed3b", [0, -2, 1]))
    [(1, -2.0), (2, 1.0)]
    """
    ranked = sorted(enumerate(direction.weights), key=lambda each: -abs(each[1]))
    return [(index, weight) for index, weight in ranked[:SHOWN] if weight]


def section(page: FeaturePage) -> Section | None:
    """Show the largest weights of a direction, with their units."""
    direction = page.entry.feature
    if not isinstance(direction, Direction):
        return None
    shown = largest(direction)
    length = hypot(*direction.weights)
    cards = [
        {**weights.card(page, direction.layer, index), "weight": weight} for index, weight in shown
    ]
    path = page.entry.page.removesuffix("html") + "json"
    body = pages.render(
        "composition.html",
        cards=cards,
        highest=abs(shown[0][1]),
        used=sum(weight != 0 for weight in direction.weights),
        length=length,
        share=hypot(*(weight / length for _, weight in shown)) ** 2,
        thumbnails=page.root + page.gallery.thumbnails[direction.layer].path
        if direction.layer in page.gallery.thumbnails
        else None,
        path=page.root + path,
    )
    record = json.dumps(direction.record()).encode()
    return Section("Made of", "composition", body, {path: record})
