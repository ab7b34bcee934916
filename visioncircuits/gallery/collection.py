"""From finished work to the contents of a gallery."""

from collections.abc import Mapping, Sequence
from typing import Any

from visioncircuits.engine import Work
from visioncircuits.gallery.contents import Gallery, LayerEntry, UnitEntry
from visioncircuits.gallery.evidence import partners, visualizations
from visioncircuits.gallery.evidence.kind import Build, Kind
from visioncircuits.gallery.finished import Finished
from visioncircuits.gallery.selection import Selection
from visioncircuits.networks import Unit, parse


def collect(
    build: Build, requests: Mapping[Kind, Sequence[Work]]
) -> tuple[Gallery, dict[Kind, Finished]]:
    """Collect what a site shows, of all that is finished.

    Parameters
    ----------
    build
        The recipe, its network and units, and the site's folder.
    requests
        The work on each kind of evidence.

    Returns
    -------
    Gallery
        Units without any picture are left out, and layers without any unit.
    dict
        What is finished of each kind, and was read as far as the site shows it.
    """
    finished = {kind: Finished(kind, build.out) for kind in requests}
    pictures = finished[visualizations.KIND].read(requests[visualizations.KIND])
    small = finished[partners.KIND].read(requests[partners.KIND])
    evidence = {
        kind.name: finished[kind].read(requests[kind], among=pictures)
        for kind in requests
        if kind not in (visualizations.KIND, partners.KIND)
    }
    layers = [_layer(selection, pictures, evidence) for selection in build.selections]
    gallery = Gallery(
        title=build.recipe.title,
        description=build.recipe.description,
        network=build.network.record(),
        layers=tuple(layer for layer in layers if layer.units),
        recipe=build.source.text,
        partners=_partners(small),
    )
    return gallery, finished


def _layer(
    selection: Selection,
    pictures: Mapping[str, tuple[Any, ...]],
    evidence: Mapping[str, Mapping[str, tuple[Any, ...]]],
) -> LayerEntry:
    layer = selection.layer
    units = [
        UnitEntry(
            layer=layer.name,
            index=index,
            pictures=pictures[name],
            families=selection.families_of(index),
            branch=selection.branch_of(index),
            evidence={kind: found[name] for kind, found in evidence.items() if name in found},
        )
        for index in selection.units
        if (name := str(Unit(layer.name, index))) in pictures
    ]
    return LayerEntry(layer.name, layer.units, layer.receptive_field, layer.stride, tuple(units))


def _partners(small: Mapping[str, tuple[str, ...]]) -> dict[str, dict[int, str]]:
    found: dict[str, dict[int, str]] = {}
    for feature, (path,) in small.items():
        unit = parse(feature)
        assert isinstance(unit, Unit)
        found.setdefault(unit.layer, {})[unit.index] = path
    return found
