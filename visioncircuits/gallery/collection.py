"""From finished work to the contents of a gallery."""

from collections.abc import Mapping, Sequence
from typing import Any

from visioncircuits.engine import Work
from visioncircuits.gallery.contents import FeatureEntry, Gallery, LayerEntry, label
from visioncircuits.gallery.evidence import partners, visualizations
from visioncircuits.gallery.evidence.kind import Build, Kind
from visioncircuits.gallery.finished import Finished
from visioncircuits.gallery.selection import Selection
from visioncircuits.networks import Feature


def collect(
    build: Build, requests: Mapping[Kind, Sequence[Work]]
) -> tuple[Gallery, dict[Kind, Finished]]:
    """Collect what a site shows, of all that is finished.

    Parameters
    ----------
    build
        The recipe, its network and features, and the site's folder.
    requests
        The work on each kind of evidence.

    Returns
    -------
    Gallery
        Features without any picture are left out, and layers without any feature.
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
        layers=tuple(layer for layer in layers if layer.features),
        recipe=build.source.text,
        partners=_partners(small),
    )
    return gallery, finished


def _layer(
    selection: Selection,
    pictures: Mapping[Feature, tuple[Any, ...]],
    evidence: Mapping[str, Mapping[Feature, tuple[Any, ...]]],
) -> LayerEntry:
    layer = selection.layer
    features = tuple(
        FeatureEntry(
            feature=feature,
            pictures=pictures[feature],
            families=selection.families_of(feature),
            branch=selection.branch_of(feature),
            evidence={kind: found[feature] for kind, found in evidence.items() if feature in found},
        )
        for feature in selection.features
        if feature in pictures
    )
    return LayerEntry(layer.name, layer.units, layer.receptive_field, layer.stride, features)


def _partners(small: Mapping[Feature, tuple[str, ...]]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for feature, (path,) in small.items():
        found.setdefault(feature.layer, {})[label(feature)] = path
    return found
