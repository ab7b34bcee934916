"""From finished work to the contents of a site."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from visioncircuits.engine import Store, Work
from visioncircuits.gallery import plan
from visioncircuits.gallery.contents import Gallery, LayerEntry, Picture, UnitEntry
from visioncircuits.gallery.drawing import stem
from visioncircuits.gallery.recipe import Source
from visioncircuits.gallery.selection import Selection
from visioncircuits.networks import Network, Unit


def collect(
    source: Source,
    network: Network,
    selections: Sequence[Selection],
    asked: Sequence[Work],
    store: Store,
    out: Path,
) -> tuple[Gallery, list[Work]]:
    """Put together what a site shows, of all that is finished.

    Returns
    -------
    Gallery
        Units without any picture are left out, and layers without any unit.
    list
        The pieces of work that it shows something of.
    """
    finished = plan.index(store.finished())
    pictures: dict[str, list[Picture]] = {}
    used = {}
    for request in asked:
        for feature in request["features"]:
            name = plan.key(request, feature)
            if name in finished:
                folder = store.path(finished[name])
                used[folder] = finished[name]
                found = _pictures(request, feature, folder, out)
                pictures.setdefault(feature, []).extend(found)
    layers = [_layer(selection, pictures) for selection in selections]
    recipe = source.recipe
    gallery = Gallery(
        title=recipe.title,
        description=recipe.description,
        network=network.record(),
        layers=tuple(layer for layer in layers if layer.units),
        recipe=source.text,
    )
    return gallery, list(used.values())


def _pictures(request: Work, feature: str, folder: Path, out: Path) -> list[Picture]:
    found = []
    for place in range(request["pictures"]):
        path = folder / f"{stem(feature, request['kind'], place)}.webp"
        data = json.loads(path.with_suffix(".json").read_text("utf-8"))
        size = data["record"]["settings"]["size"]
        negative = request["kind"] == "negative"
        found.append(
            Picture(
                kind=request["kind"],
                path=path.relative_to(out).as_posix(),
                width=size,
                height=size,
                activation=-data["score"] if negative else data["activation"],
                history=tuple(data.pop("history")),
                dead=data["dead"],
                record=data,
            )
        )
    return found


def _layer(selection: Selection, pictures: Mapping[str, Sequence[Picture]]) -> LayerEntry:
    layer = selection.layer
    units = [
        UnitEntry(
            layer=layer.name,
            index=index,
            pictures=tuple(shown),
            families=selection.families_of(index),
            branch=selection.branch_of(index),
        )
        for index in selection.units
        if (shown := pictures.get(str(Unit(layer.name, index))))
    ]
    return LayerEntry(layer.name, layer.units, layer.receptive_field, layer.stride, tuple(units))
