"""From finished work to the contents of a site."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from visioncircuits.engine import Store, Work
from visioncircuits.gallery import illustrating, measuring, plan, weighing
from visioncircuits.gallery.contents import (
    Connected,
    Connections,
    DatasetExamples,
    Example,
    Factor,
    Gallery,
    LayerEntry,
    Picture,
    Tuning,
    UnitEntry,
    Weights,
)
from visioncircuits.gallery.drawing import stem
from visioncircuits.gallery.recipe import Source
from visioncircuits.gallery.selection import Selection
from visioncircuits.networks import Network, Unit


def collect(
    source: Source,
    network: Network,
    selections: Sequence[Selection],
    asked: Mapping[str, Sequence[Work]],
    stores: Mapping[str, Store],
    out: Path,
) -> tuple[Gallery, dict[str, list[Work]]]:
    """Put together what a site shows, of all that is finished.

    Parameters
    ----------
    asked, stores
        The work on "pictures", "weights", "tuning" and perhaps "examples", and where it is when
        finished.

    Returns
    -------
    Gallery
        Units without any picture are left out, and layers without any unit.
    dict
        The pieces of work that it shows something of.
    """
    finished = {label: _Finished(store) for label, store in stores.items()}
    pictures: dict[str, list[Picture]] = {}
    for request in asked["pictures"]:
        for feature in request["features"]:
            if folder := finished["pictures"].find(request, feature):
                found = _pictures(request, feature, folder, out)
                pictures.setdefault(feature, []).extend(found)
    weights = {
        feature: _weights(feature, folder, out)
        for request in asked["weights"]
        for feature in request["features"]
        if feature in pictures and (folder := finished["weights"].find(request, feature))
    }
    examples = {
        feature: _examples(feature, folder, out)
        for request in asked.get("examples", ())
        for feature in request["features"]
        if feature in pictures and (folder := finished["examples"].find(request, feature))
    }
    tunings: dict[str, list[Tuning]] = {}
    for request in asked["tuning"]:
        shown = [feature for feature in request["features"] if feature in pictures]
        folders = {feature: finished["tuning"].find(request, feature) for feature in shown}
        measured = {
            folder: measuring.told(request["stimuli"], folder, out)
            for folder in set(folders.values())
            if folder
        }
        for feature, folder in folders.items():
            if folder:
                tunings.setdefault(feature, []).append(measured[folder][feature])
    layers = [_layer(selection, pictures, weights, tunings, examples) for selection in selections]
    recipe = source.recipe
    gallery = Gallery(
        title=recipe.title,
        description=recipe.description,
        network=network.record(),
        layers=tuple(layer for layer in layers if layer.units),
        recipe=source.text,
    )
    return gallery, {label: found.used for label, found in finished.items()}


class _Finished:
    """What a store has, and which of it was asked for."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._finished = plan.index(store.finished())
        self._used: dict[Path, Work] = {}

    @property
    def used(self) -> list[Work]:
        """The pieces of work in which something was found."""
        return list(self._used.values())

    def find(self, request: Work, feature: str) -> Path | None:
        """Find the folder with what was asked for of a feature."""
        work = self._finished.get(plan.key(request, feature))
        if work is None:
            return None
        folder = self._store.path(work)
        self._used[folder] = work
        return folder


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


def _weights(feature: str, folder: Path, out: Path) -> Weights:
    path = folder / f"{weighing.stem(feature)}.webp"
    data = json.loads(path.with_suffix(".json").read_text("utf-8"))
    return Weights(
        path=path.relative_to(out).as_posix(),
        size=tuple(data["size"]),
        inputs=tuple(map(_connections, data["inputs"])),
        outputs=tuple(map(_connections, data["outputs"])),
    )


def _examples(feature: str, folder: Path, out: Path) -> DatasetExamples:
    path = folder / f"{illustrating.stem(feature)}.json"
    data = json.loads(path.read_text("utf-8"))
    del data["feature"], data["record"]

    def shown(examples: Sequence[Mapping[str, Any]]) -> tuple[Example, ...]:
        return tuple(Example(**{**each, "box": tuple(each["box"])}) for each in examples)

    return DatasetExamples(
        **{
            **data,
            "path": path.relative_to(out).as_posix(),
            "tops": shown(data["tops"]),
            "bottoms": shown(data["bottoms"]),
            "quilt": tuple(map(shown, data["quilt"])),
            **{name: tuple(data[name]) for name in ("steps", "density", "shares")},
            **{name: tuple(map(tuple, data[name])) for name in ("quantiles", "classes")},
        }
    )


def _connections(data: Mapping[str, Any]) -> Connections:
    units = tuple(Connected(**unit) for unit in data["units"])
    factors = tuple(Factor(tuple(map(tuple, factor["units"]))) for factor in data["factors"])
    sizes = {name: tuple(data[name]) for name in ("kernel", "tile")}
    return Connections(**{**data, **sizes, "units": units, "factors": factors})


def _layer(
    selection: Selection,
    pictures: Mapping[str, Sequence[Picture]],
    weights: Mapping[str, Weights],
    tunings: Mapping[str, Sequence[Tuning]],
    examples: Mapping[str, DatasetExamples],
) -> LayerEntry:
    layer = selection.layer
    units = [
        UnitEntry(
            layer=layer.name,
            index=index,
            pictures=tuple(shown),
            families=selection.families_of(index),
            branch=selection.branch_of(index),
            weights=weights.get(str(Unit(layer.name, index))),
            tunings=tuple(tunings.get(str(Unit(layer.name, index)), ())),
            examples=examples.get(str(Unit(layer.name, index))),
        )
        for index in selection.units
        if (shown := pictures.get(str(Unit(layer.name, index))))
    ]
    return LayerEntry(layer.name, layer.units, layer.receptive_field, layer.stride, tuple(units))
