"""What a direction is made of: the units in which its weights are largest."""

import json
from math import hypot

from visioncircuits.gallery.evidence import atoms
from visioncircuits.gallery.evidence.cards import Card
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
    highest = abs(shown[0][1])
    found = [Card.of(page, direction.layer, str(index)) for index, _ in shown]
    cards = [
        card.html(
            f"{'+' if weight > 0 else ''}{pages.number(weight)}", inside=_bar(weight / highest)
        )
        for card, (_, weight) in zip(found, shown, strict=True)
    ]
    atom = atoms.of(page.entry)
    rows = [
        (card, weight / length, (weight / length) ** 2, atom and atom.encoder[index])
        for card, (index, weight) in zip(found, shown, strict=True)
    ]
    path = page.entry.page.removesuffix("html") + "json"
    body = pages.render(
        "composition.html",
        cards=cards,
        rows=rows,
        encoded=atom is not None,
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


def _bar(share: float) -> str:
    """Return a bar as long as a weight is large, above the unit's name."""
    sign = " negative" if share < 0 else ""
    return f'<i class="bar{sign}" style="width:{100 * abs(share):.0f}%"></i>'
