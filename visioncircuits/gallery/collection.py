"""From finished work to the contents of a gallery."""

from collections.abc import Container, Mapping, Sequence
from pathlib import Path
from typing import Any

from visioncircuits.engine import Store, Work
from visioncircuits.gallery import plan
from visioncircuits.gallery.contents import Gallery, LayerEntry, UnitEntry
from visioncircuits.gallery.evidence import visualizations
from visioncircuits.gallery.evidence.kind import Kind
from visioncircuits.gallery.recipe import Source
from visioncircuits.gallery.selection import Selection
from visioncircuits.networks import Network, Unit


def collect(
    source: Source,
    network: Network,
    selections: Sequence[Selection],
    requests: Mapping[Kind, Sequence[Work]],
    stores: Mapping[Kind, Store],
    out: Path,
) -> tuple[Gallery, dict[Kind, list[Work]]]:
    """Collect what a site shows, of all that is finished.

    Parameters
    ----------
    requests, stores
        The work on each kind of evidence, and where it is when finished.
    out
        The site's folder.

    Returns
    -------
    Gallery
        Units without any picture are left out, and layers without any unit.
    dict
        The pieces of work of which the site shows something.
    """
    finished = {kind: _Finished(store) for kind, store in stores.items()}
    pictures = _read(visualizations.KIND, requests, finished, out)
    evidence = {
        kind.name: _read(kind, requests, finished, out, among=pictures)
        for kind in requests
        if kind is not visualizations.KIND
    }
    layers = [_layer(selection, pictures, evidence) for selection in selections]
    recipe = source.recipe
    gallery = Gallery(
        title=recipe.title,
        description=recipe.description,
        network=network.record(),
        layers=tuple(layer for layer in layers if layer.units),
        recipe=source.text,
    )
    return gallery, {kind: found.used for kind, found in finished.items()}


class _Finished:
    """What a store holds, and which of it was read."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._finished = plan.index(store.finished())
        self._used: dict[Path, Work] = {}

    @property
    def used(self) -> list[Work]:
        """The pieces of work in which something was found."""
        return list(self._used.values())

    def find(self, request: Work, feature: str) -> Path | None:
        """Return the folder with what was requested of a feature; None where it is missing."""
        work = self._finished.get(plan.key(request, feature))
        if work is None:
            return None
        folder = self._store.path(work)
        self._used[folder] = work
        return folder


def _read(
    kind: Kind,
    requests: Mapping[Kind, Sequence[Work]],
    finished: Mapping[Kind, _Finished],
    out: Path,
    *,
    among: Container[str] | None = None,
) -> dict[str, tuple[Any, ...]]:
    """Read one kind of evidence, by feature: of those `among`, by default of all."""
    found: dict[str, tuple[Any, ...]] = {}
    for request in requests[kind]:
        folders: dict[Path, list[str]] = {}
        for feature in request["features"]:
            shown = among is None or feature in among
            if shown and (folder := finished[kind].find(request, feature)):
                folders.setdefault(folder, []).append(feature)
        for folder, features in folders.items():
            for feature, items in kind.read(request, features, folder, out).items():
                found[feature] = (*found.get(feature, ()), *items)
    return found


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
