"""Weights: what a feature is computed from, what is computed from it, and links to those units."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import Any

from jaxtyping import Float
from torch import Tensor

from visioncircuits.engine import Work
from visioncircuits.gallery.contents import FeatureEntry
from visioncircuits.gallery.evidence import connections, kind
from visioncircuits.gallery.evidence.cards import Card
from visioncircuits.gallery.evidence.connections import Connected, Connections, Factor, Sheet
from visioncircuits.gallery.evidence.kind import Build, Kind, Task, stem
from visioncircuits.gallery.recipe import Recipe
from visioncircuits.gallery.section import FeaturePage, Section
from visioncircuits.gallery.selection import Selection
from visioncircuits.networks import Feature, Network
from visioncircuits.site import pages
from visioncircuits.weights import Linearization, surroundings
from visioncircuits.weights.pictures import number as brief

FAR = 8
"""Connections that are shown with layers that are not adjacent."""

SHOWN = 64
"""Pixels: the side of a thumbnail, and the most that a kernel may have."""


@dataclass(frozen=True)
class Weights:
    """The weights into a feature and out of it.

    Attributes
    ----------
    path
        The picture of all kernels, a WebP, from the site's root.
    size
        Its height and width.
    inputs
        By layer, the nearest first; from units, then from the atoms of the layer's dictionary.
    outputs
        Of the next layer, likewise; empty behind the last.
    """

    path: str
    size: tuple[int, int]
    inputs: tuple[Connections, ...]
    outputs: tuple[Connections, ...]

    @property
    def record_path(self) -> str:
        """The file of the numbers."""
        return self.path.removesuffix(".webp") + ".json"


def plan(build: Build) -> Task:
    """Plan the weights of all features of a gallery."""
    atoms = {
        each.layer.name: each.atoms.dictionary.atoms for each in build.selections if each.atoms
    }
    work = partial(make, atoms=atoms)
    return Task(requests(build.recipe, build.network, build.selections), work)


def requests(recipe: Recipe, network: Network, selections: Sequence[Selection]) -> list[Work]:
    """Describe the weights of all features, by layer."""
    if not recipe.weights.connections:
        return []
    options = recipe.weights.model_dump()
    atoms = {each.layer.name: each.atoms.files["file"][1] for each in selections if each.atoms}
    found = []
    for selection in selections:
        others = {layer: sha for layer, sha in atoms.items() if layer != selection.layer.name}
        more = {"atoms": others} if others else {}
        found.append(kind.request("weights", network, selection, weights=options, **more))
    return found


def make(
    network: Network, work: Work, *, atoms: Mapping[str, Float[Tensor, "atoms units"]] | None = None
) -> dict[str, bytes]:
    """Compute the weights of a piece of work's features.

    Parameters
    ----------
    network
        That the work was planned with.
    work
        As `plan.batches` describes it.
    atoms
        Layer to the atoms of its dictionary.

    Returns
    -------
    dict
        File name to content: for each feature its numbers as JSON, and a lossless WebP of kernels.
    """
    features, atoms = kind.features(work), atoms or {}
    options = work["weights"]
    around = surroundings(network, features[0].layer)
    before = [*around.before, "input"]
    sheets = {feature: Sheet() for feature in features}
    inward: dict[Feature, list[Connections]] = {feature: [] for feature in features}
    outward: dict[Feature, list[Connections]] = {feature: [] for feature in features}
    for layer in before if options["layers"] == "all" else before[: options["layers"]]:
        top = min(options["connections"], options["connections"] if layer == before[0] else FAR)
        found = connections.expanded(network, layer, features)
        for each in features:
            inward[each].append(
                connections.inputs(found, each, layer, sheets[each], top, options["factors"])
            )
        if layer in atoms:
            found = connections.along_atoms(found, atoms[layer], inwards=True)
            for each in features:
                shown = connections.inputs(found, each, layer, sheets[each], top, 0)
                inward[each].append(replace(shown, atoms=True))
    for layer in around.after[:1]:
        found = connections.expanded(network, features, layer)
        for each in features:
            outward[each].append(
                connections.outputs(found, each, layer, sheets[each], options["connections"])
            )
        if layer in atoms:
            found = connections.along_atoms(found, atoms[layer], inwards=False)
            for each in features:
                shown = connections.outputs(
                    found, each, layer, sheets[each], options["connections"]
                )
                outward[each].append(replace(shown, atoms=True))
    files = {}
    for each in features:
        data = {
            "feature": each.record(),
            "size": sheets[each].size,
            "inputs": list(map(_plain, inward[each])),
            "outputs": list(map(_plain, outward[each])),
            "record": {
                "network": work["network"],
                "version": work["version"],
                "linearization": Linearization().record(),
            },
        }
        name = stem(each, "weights")
        files[f"{name}.json"] = json.dumps(data, separators=(",", ":")).encode()
        files[f"{name}.webp"] = sheets[each].webp()
    return files


def read(
    request: Work, features: Sequence[Feature], folder: Path, out: Path
) -> Mapping[Feature, list[Weights]]:
    """Read the weights of some features."""
    return {feature: [_weights(folder / stem(feature, "weights"), out)] for feature in features}


def _weights(path: Path, out: Path) -> Weights:
    data = json.loads(Path(f"{path}.json").read_text("utf-8"))
    return Weights(
        path=f"{path.relative_to(out).as_posix()}.webp",
        size=tuple(data["size"]),
        inputs=tuple(map(_connections, data["inputs"])),
        outputs=tuple(map(_connections, data["outputs"])),
    )


def _plain(found: Connections) -> dict[str, Any]:
    """Return connections for JSON: units by columns, so that keys are not repeated for each."""
    names = [field.name for field in fields(Connected)]
    units = {name: [getattr(unit, name) for unit in found.units] for name in names}
    return {**vars(found), "units": units, "factors": [factor.units for factor in found.factors]}


def _connections(data: Mapping[str, Any]) -> Connections:
    units = tuple(map(Connected, *data["units"].values()))
    factors = tuple(Factor(tuple(map(tuple, units))) for units in data["factors"])
    sizes = {name: tuple(data[name]) for name in ("kernel", "tile")}
    return Connections(**{**data, **sizes, "units": units, "factors": factors})


def of(entry: FeatureEntry) -> Weights | None:
    """Return a feature's weights; None where the site shows none."""
    return next(iter(entry.evidence.get(KIND.name, ())), None)


def inputs(page: FeaturePage) -> Section | None:
    """Show the weights into the feature, by layer: units with their kernels, and factors."""
    weights = of(page.entry)
    return _section("Inputs", page, weights, weights.inputs) if weights else None


def outputs(page: FeaturePage) -> Section | None:
    """Show the weights out of the feature to the next layer."""
    weights = of(page.entry)
    return _section("Outputs", page, weights, weights.outputs) if weights else None


def _section(
    title: str, page: FeaturePage, weights: Weights, found: Sequence[Connections]
) -> Section | None:
    if not found:
        return None
    layers = [page.gallery.layer(each.layer) for each in found]
    names = dict.fromkeys(f for layer in layers if layer for f in layer.families)
    families = {name: place for place, name in enumerate(names)}
    blocks = [_block(each, families, page) for each in found]
    body = pages.render(
        "weights.html",
        title=title,
        inwards=title == "Inputs",
        blocks=blocks,
        quick=any(each["quick"] for each in blocks),
        along=any(each.atoms for each in found),
        families=families,
        weights=weights,
        root=page.root,
    )
    return Section(title, title.lower(), body)


def _block(shown: Connections, families: Mapping[str, int], page: FeaturePage) -> dict[str, Any]:
    """Prepare a layer's connections for the template."""
    small = page.gallery.thumbnails.get(shown.layer)
    called, heading = ("atom {}", f"{shown.layer}, atoms") if shown.atoms else ("{}", shown.layer)
    cards = [Card.of(page, shown.layer, called.format(unit.index)) for unit in shown.units]
    return {
        "connections": shown,
        "heading": heading,
        "thumbnails": small and page.root + small.path,
        "zoom": max(SHOWN // max(*shown.tile, 1), 1),
        "quick": any(card.at and not card.page for card in cards),
        "cards": [
            card.html(
                f"+{brief(unit.positive)} −{brief(unit.negative)}",
                data=f"{unit.positive:g} {unit.negative:g}",
                families=[families[family] for family in card.families],
                place=place,
            )
            for place, (card, unit) in enumerate(zip(cards, shown.units, strict=True))
        ],
        "factors": [
            [
                Card.of(page, shown.layer, str(index)).html(brief(weight))
                for index, weight in factor.units
            ]
            for factor in shown.factors
        ],
    }


KIND = Kind("weights", plan, read)
