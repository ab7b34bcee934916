"""The weight explorer: on each unit's page what it is made of and used for, and links on."""

from collections.abc import Sequence
from typing import Any

from visioncircuits.gallery import pages, thumbnails
from visioncircuits.gallery.contents import Connections, LayerEntry, slug
from visioncircuits.gallery.section import Section, UnitPage

SHOWN = 64
"""Pixels: the side of a thumbnail, and the most that a kernel may have."""

INPUT = "input"
COLOURS = "RGB"


def inputs(page: UnitPage) -> Section | None:
    """Show what the unit is made of, by layer: units with their kernels, and factors."""
    return _section("Inputs", page, page.unit.weights.inputs) if page.unit.weights else None


def outputs(page: UnitPage) -> Section | None:
    """Show what the unit is used for in the next layer."""
    return _section("Outputs", page, page.unit.weights.outputs) if page.unit.weights else None


def _section(title: str, page: UnitPage, found: Sequence[Connections]) -> Section | None:
    if not found:
        return None
    layers = [page.gallery.layer(connections.layer) for connections in found]
    families = list(dict.fromkeys(f for layer in layers if layer for f in layer.families))
    body = pages.render(
        "explorer.html",
        title=title,
        inwards=title == "Inputs",
        blocks=[
            _block(connections, layer, families, page)
            for connections, layer in zip(found, layers, strict=True)
        ],
        families=families,
        weights=page.unit.weights,
        columns=thumbnails.COLUMNS,
        root=page.root,
    )
    return Section(title, title.lower(), body)


def _block(
    connections: Connections, layer: LayerEntry | None, families: list[str], page: UnitPage
) -> dict[str, Any]:
    """Prepare a layer's connections for the template."""
    return {
        "told": connections,
        "thumbnails": layer and page.root + layer.thumbnails,
        "zoom": max(SHOWN // max(*connections.tile, 1), 1),
        "cards": [
            {**_card(unit.index, connections, layer, families), "unit": unit}
            for unit in connections.units
        ],
        "factors": [
            [
                {**_card(index, connections, layer, families), "weight": weight}
                for index, weight in factor.units
            ]
            for factor in connections.factors
        ],
    }


def _card(
    index: int, connections: Connections, layer: LayerEntry | None, families: list[str]
) -> dict[str, Any]:
    card: dict[str, Any] = {
        "name": str(index),
        "page": None,
        "at": None,
        "families": [],
    }
    if connections.layer == INPUT:
        card["name"] = COLOURS[index] if index < len(COLOURS) else card["name"]
    if layer is not None and (place := layer.places.get(index)) is not None:
        entry = layer.units[place]
        card["page"] = f"../{slug(layer.name)}/{index}.html"
        card["at"] = None if entry.first.dead else thumbnails.position(place)
        card["families"] = [families.index(family) for family in entry.families]
    return card
