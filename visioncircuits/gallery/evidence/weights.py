"""Weights: what a unit is computed from and what is computed from it, with links to those units."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from visioncircuits.engine import Work
from visioncircuits.gallery.contents import LayerEntry, Thumbnails, UnitEntry, slug
from visioncircuits.gallery.evidence import connections, kind
from visioncircuits.gallery.evidence.connections import Connected, Connections, Factor, Sheet
from visioncircuits.gallery.evidence.kind import Build, Kind, Task, stem
from visioncircuits.gallery.recipe import Recipe
from visioncircuits.gallery.section import Section, UnitPage
from visioncircuits.gallery.selection import Selection
from visioncircuits.networks import Network, parse
from visioncircuits.site import pages, thumbnails
from visioncircuits.weights import Linearization, surroundings

FAR = 12
"""Connections that are shown with layers that are not adjacent."""

SHOWN = 64
"""Pixels: the side of a thumbnail, and the most that a kernel may have."""

INPUT = "input"
COLORS = "RGB"


@dataclass(frozen=True)
class Weights:
    """The weights into a unit and out of it.

    Attributes
    ----------
    path
        The picture of all kernels, a WebP, from the site's root.
    size
        Its height and width.
    inputs
        By layer, the nearest first.
    outputs
        Of the next layer; empty behind the last.
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
    """Plan the weights of all units of a gallery."""
    return Task(requests(build.recipe, build.network, build.selections), make)


def requests(recipe: Recipe, network: Network, selections: Sequence[Selection]) -> list[Work]:
    """Describe the weights of all units, by layer."""
    if not recipe.weights.connections:
        return []
    return [
        kind.request("weights", network, selection, weights=recipe.weights.model_dump())
        for selection in selections
    ]


def make(network: Network, work: Work) -> dict[str, bytes]:
    """Compute the weights of a piece of work's units.

    Parameters
    ----------
    network
        That the work was planned with.
    work
        As `plan.batches` describes it.

    Returns
    -------
    dict
        File name to content: for each unit its numbers as JSON, and a lossless WebP of kernels.
    """
    units = work["features"]
    options = work["weights"]
    around = surroundings(network, parse(units[0]).layer)
    before = [*around.before, "input"]
    sheets = {unit: Sheet() for unit in units}
    inward: dict[str, list[Connections]] = {unit: [] for unit in units}
    outward: dict[str, list[Connections]] = {unit: [] for unit in units}
    for layer in before if options["layers"] == "all" else before[: options["layers"]]:
        top = min(options["connections"], options["connections"] if layer == before[0] else FAR)
        found = connections.expanded(network, layer, units)
        for unit in units:
            inward[unit].append(
                connections.inputs(found, unit, layer, sheets[unit], top, options["factors"])
            )
    for layer in around.after[:1]:
        found = connections.expanded(network, units, layer)
        for unit in units:
            outward[unit].append(
                connections.outputs(found, unit, layer, sheets[unit], options["connections"])
            )
    files = {}
    for unit in units:
        data = {
            "feature": unit,
            "size": sheets[unit].size,
            "inputs": list(map(asdict, inward[unit])),
            "outputs": list(map(asdict, outward[unit])),
            "record": {
                "network": work["network"],
                "version": work["version"],
                "linearization": Linearization().record(),
            },
        }
        name = stem(unit, "weights")
        files[f"{name}.json"] = json.dumps(data, separators=(",", ":")).encode()
        files[f"{name}.webp"] = sheets[unit].webp()
    return files


def read(
    request: Work, features: Sequence[str], folder: Path, out: Path
) -> Mapping[str, list[Weights]]:
    """Read the weights of some units."""
    return {feature: [_weights(folder / stem(feature, "weights"), out)] for feature in features}


def _weights(path: Path, out: Path) -> Weights:
    data = json.loads(Path(f"{path}.json").read_text("utf-8"))
    return Weights(
        path=f"{path.relative_to(out).as_posix()}.webp",
        size=tuple(data["size"]),
        inputs=tuple(map(_connections, data["inputs"])),
        outputs=tuple(map(_connections, data["outputs"])),
    )


def _connections(data: Mapping[str, Any]) -> Connections:
    units = tuple(Connected(**unit) for unit in data["units"])
    factors = tuple(Factor(tuple(map(tuple, factor["units"]))) for factor in data["factors"])
    sizes = {name: tuple(data[name]) for name in ("kernel", "tile")}
    return Connections(**{**data, **sizes, "units": units, "factors": factors})


def of(unit: UnitEntry) -> Weights | None:
    """Return a unit's weights; None where the site shows none."""
    return next(iter(unit.evidence.get(KIND.name, ())), None)


def inputs(page: UnitPage) -> Section | None:
    """Show the weights into the unit, by layer: units with their kernels, and factors."""
    weights = of(page.unit)
    return _section("Inputs", page, weights, weights.inputs) if weights else None


def outputs(page: UnitPage) -> Section | None:
    """Show the weights out of the unit to the next layer."""
    weights = of(page.unit)
    return _section("Outputs", page, weights, weights.outputs) if weights else None


def _section(
    title: str, page: UnitPage, weights: Weights, found: Sequence[Connections]
) -> Section | None:
    if not found:
        return None
    layers = [page.gallery.layer(each.layer) for each in found]
    families = list(dict.fromkeys(f for layer in layers if layer for f in layer.families))
    blocks = [
        _block(each, layer, families, page) for each, layer in zip(found, layers, strict=True)
    ]
    body = pages.render(
        "weights.html",
        title=title,
        inwards=title == "Inputs",
        blocks=blocks,
        quick=any(card["at"] and not card["page"] for each in blocks for card in each["cards"]),
        families=families,
        weights=weights,
        columns=thumbnails.COLUMNS,
        root=page.root,
    )
    return Section(title, title.lower(), body)


def _block(
    shown: Connections, layer: LayerEntry | None, families: list[str], page: UnitPage
) -> dict[str, Any]:
    """Prepare a layer's connections for the template."""
    small = page.gallery.thumbnails.get(shown.layer)

    def card(index: int) -> dict[str, Any]:
        return _card(index, shown, layer, small, families)

    return {
        "connections": shown,
        "thumbnails": small and page.root + small.path,
        "zoom": max(SHOWN // max(*shown.tile, 1), 1),
        "cards": [{**card(unit.index), "unit": unit} for unit in shown.units],
        "factors": [
            [{**card(index), "weight": weight} for index, weight in factor.units]
            for factor in shown.factors
        ],
    }


def _card(
    index: int,
    shown: Connections,
    layer: LayerEntry | None,
    small: Thumbnails | None,
    families: list[str],
) -> dict[str, Any]:
    entry = layer and layer.by_index.get(index)
    place = small.places.get(index) if small else None
    color = shown.layer == INPUT and index < len(COLORS)
    return {
        "name": COLORS[index] if color else str(index),
        "page": entry and f"../{slug(entry.layer)}/{index}.html",
        "at": None if place is None else thumbnails.position(place),
        "families": [families.index(family) for family in entry.families] if entry else [],
    }


KIND = Kind("weights", plan, read)
