"""A feature's dataset examples in numbers: where each is, and statistics over all positions."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from visioncircuits.examples import Examples, expected_value, sketch
from visioncircuits.gallery.evidence import histogram
from visioncircuits.gallery.evidence.kind import rounded
from visioncircuits.gallery.evidence.tiles import Neuron, Sheets
from visioncircuits.networks import Direction, Feature

QUANTILES = (0.01, 0.5, 0.9, 0.99, 0.999)

CLASSES = 5
"""The most classes that are shown."""


@dataclass(frozen=True)
class Example:
    """A neuron in a photograph.

    Attributes
    ----------
    value
        The activation there, before its rectifier where the network has a name for that.
    photograph
        The file's name in the folder of photographs.
    box
        Its receptive field: the left and the upper edge and the side of a square, in pixels of
        the picture as the network takes it.
    code
        Of a dictionary's atom, its code there; else None.
    """

    value: float
    photograph: str
    box: tuple[int, int, int]
    code: float | None = None


@dataclass(frozen=True)
class DatasetExamples:
    """Which photographs activate a feature, how often, and how strongly.

    Attributes
    ----------
    path
        The file of these numbers, from the site's root; "" before it is on the site.
    seen, skipped
        Photographs that were read, and files that could not be.
    size
        The side of the photographs as the network takes them, in pixels.
    positions
        Positions over all photographs, at each of which the activation counts.
    rectified
        Whether activations are those after a rectifier, for want of a name of those before; a
        direction's always are.
    tops, bottoms
        The strongest and the weakest examples, one a photograph; of the weakest those below zero.
    steps
        Edges of the steps of activation, one more than there are steps.
    quilt
        For each step, examples at random.
    density
        The share of positions for each unit of activation, by bars, some to every step.
    shares
        The part of the mean positive activation that each bar makes up.
    scale
        The activation that is drawn in the deepest color.
    mean, deviation, active
        Over all positions; `active` is the share at which it is above zero.
    quantiles
        Shares of positions, with the activation that they stay below.
    classes
        Those that activate it most: names, and means of the highest activation.
    """

    path: str
    seen: int
    skipped: int
    size: int
    positions: int
    rectified: bool
    tops: tuple[Example, ...]
    bottoms: tuple[Example, ...]
    steps: tuple[float, ...]
    quilt: tuple[tuple[Example, ...], ...]
    density: tuple[float, ...]
    shares: tuple[float, ...]
    scale: float
    mean: float
    deviation: float
    active: float
    quantiles: tuple[tuple[float, float], ...]
    classes: tuple[tuple[str, float], ...] = ()

    def sheet(self, kind: str) -> str:
        """Return the file of tiles: "crops", or "whole" pictures, masked and then overlaid."""
        return f"{self.path.removesuffix('.json')}-{kind}.webp"


def summarize(
    found: Examples, feature: Feature, sheet: Sheets, size: int, classes: Mapping[int, str]
) -> DatasetExamples:
    """Summarize what was collected of a feature, for photographs of a size in pixels."""
    layer, unit = found.row(feature)
    bars = histogram.BARS * (len(sheet.steps) - 1)
    edges = np.linspace(sheet.steps[0], sheet.steps[-1], bars + 1)
    counts = layer.counts[unit]
    _, shares = expected_value(layer, unit)
    labels, means = layer.class_means()
    best = np.argsort(-means[:, unit], kind="stable")[:CLASSES] if labels else ()

    codes = iter(sheet.codes)  # as the examples: the strongest, the weakest, the quilt

    def shown(neurons: Sequence[Neuron]) -> tuple[Example, ...]:
        return tuple(
            Example(rounded(each.value), found.names[each.picture], sheet.box(each.position), code)
            for each, code in zip(neurons, codes, strict=False)
        )

    return DatasetExamples(
        path="",
        size=size,
        seen=found.seen,
        skipped=len(found.skipped),
        positions=layer.moments.count,
        rectified=isinstance(feature, Direction)
        or found.record["layers"][feature.layer] == feature.layer,
        tops=shown(sheet.tops),
        bottoms=shown(sheet.bottoms),
        steps=tuple(map(rounded, sheet.steps.tolist())),
        quilt=tuple(map(shown, sheet.quilt)),
        density=histogram.spread(counts / counts.sum(), edges, per=float(edges[1] - edges[0])),
        shares=histogram.spread(shares, edges),
        scale=rounded(sheet.scale),
        mean=rounded(layer.moments.mean[unit]),
        deviation=rounded(layer.moments.deviation[unit]),
        active=rounded(layer.moments.firing[unit]),
        quantiles=tuple(
            (share, rounded(value))
            for share, value in zip(
                QUANTILES, sketch.quantiles(counts[None], np.array(QUANTILES))[0], strict=True
            )
        ),
        classes=tuple(
            (classes.get(labels[place], str(labels[place])), rounded(means[place, unit]))
            for place in best
        ),
    )


def load(path: Path, out: Path) -> DatasetExamples:
    """Read back the numbers of a feature."""
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
