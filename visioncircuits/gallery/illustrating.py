"""What a worker cuts out of photographs: sheets of a unit's dataset examples, and numbers."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from io import BytesIO
from itertools import pairwise
from math import ceil
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8
from matplotlib.ticker import MaxNLocator
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from visioncircuits import examples
from visioncircuits.engine import Work
from visioncircuits.examples import Examples, LayerExamples, Places, crops, sketch
from visioncircuits.gallery.contents import DatasetExamples, Example, slug
from visioncircuits.gallery.drawing import loaded
from visioncircuits.networks import Layer, Unit, parse

COLUMNS = 8
"""How many tiles stand side by side on a sheet."""

CROP, WHOLE = 96, 144
"""Pixels: the side of a crop's tile, and of a whole picture's."""

FRAME = 1
"""Pixels around each tile that repeat its edge."""

STEPS, EACH = 14, 4
"""How many steps of activation are told of at most, and how many random examples of each."""

BARS = 5
"""Bars of the histogram in a step."""

QUANTILES = (0.01, 0.5, 0.9, 0.99, 0.999)

CLASSES = 5
"""How many classes are told of."""

_RED, _BLUE = (torch.tensor(c)[:, None, None] / 255 for c in ((202, 0, 32), (5, 113, 176)))


def illustrate(
    work: Work,
    *,
    images: Path,
    found: Path,
    classes: Mapping[int, str],
    checkpoint: Path | None = None,
    device: str = "cpu",
) -> dict[str, bytes]:
    """Cut the examples of a piece of work's units out of photographs.

    Parameters
    ----------
    work
        As `plan.illustrations` describes it.
    images
        The photographs, as `examples.survey` takes them.
    found
        The file of the `Examples` that were collected of them.
    classes
        Their names; others are told by number.
    checkpoint, device
        Where the network's parameters are, if not where they are looked for, and where to
        compute.

    Returns
    -------
    dict
        File name to content: for each unit its numbers as JSON, and three WebP sheets of tiles,
        of crops, of whole pictures veiled where the unit is silent, and of whole pictures with
        its pre-activations in colour.
    """
    network = loaded(work["network"]["name"], checkpoint, device)
    name = parse(work["features"][0]).layer
    kept = _read(found)
    layer, told = network.layers[name], kept.record["layers"][name]
    side = min(work["examples"]["crop"] or max(layer.receptive_field), network.size)
    sheets = {}
    for feature in work["features"]:
        unit = parse(feature)
        assert isinstance(unit, Unit)
        sheets[feature] = _Sheets(
            unit.index, kept.layers[name], layer, side, whole=side == network.size
        )
    wanted = sorted({number for sheet in sheets.values() for number in sheet.wanted})
    for number in wanted:  # each is read once, and few are in memory at a time
        picture = examples.photograph(images, kept.names[number], size=network.size)
        with torch.inference_mode():
            maps = network.activations(picture[None], [told])[told][0].float().cpu()
        for sheet in sheets.values():
            sheet.cut(number, picture, maps[sheet.unit])
    files = {}
    for feature, sheet in sheets.items():
        data = {
            "feature": feature,
            **asdict(_told(kept, name, sheet, network.size, classes)),
            "record": {"network": work["network"], "version": work["version"]},
        }
        files[f"{stem(feature)}.json"] = json.dumps(data, separators=(",", ":")).encode()
        for kind, tiles in sheet.tiles.items():
            files[f"{stem(feature)}-{kind}.webp"] = _webp(tiles)
    return files


def stem(feature: str) -> str:
    """Name the files of a unit's examples.

    Examples
    --------
    >>> stem("mixed3b:413")
    'mixed3b-413-examples'
    """
    unit = parse(feature)
    assert isinstance(unit, Unit)
    return f"{slug(unit.layer)}-{unit.index}-examples"


@lru_cache(maxsize=2)
def _read(path: Path) -> Examples:
    return Examples.load(path)


@dataclass(frozen=True)
class _Neuron:
    value: float
    picture: int
    position: tuple[int, int]


class _Sheets:
    """A unit's examples, and the tiles that have been cut of them so far."""

    def __init__(
        self, unit: int, found: LayerExamples, layer: Layer, side: int, *, whole: bool
    ) -> None:
        self.unit, self.layer, self.side, self.whole = unit, layer, side, whole
        self.tops = list(_neurons(found.tops, unit))
        self.bottoms = [each for each in _neurons(found.bottoms, unit) if each.value < 0]
        self.steps = _steps(found, unit)
        self.quilt = [
            _apart(_neurons(found.drawn(unit, low, high), 0))[:EACH]
            for low, high in pairwise(self.steps.tolist())
        ]
        self.scale = max((abs(each.value) for each in self.extremes), default=0.0)
        everyone = [*self.extremes, *(each for column in self.quilt for each in column)]
        self.wanted: dict[int, list[tuple[int, _Neuron]]] = {}
        for place, each in enumerate(everyone):
            self.wanted.setdefault(each.picture, []).append((place, each))
        self.tiles: dict[str, list[np.ndarray]] = {
            "crops": [np.empty(0)] * len(everyone),
            "masked": [np.empty(0)] * len(self.extremes),
            "overlaid": [np.empty(0)] * len(self.extremes),
        }

    @property
    def extremes(self) -> list[_Neuron]:
        """Those of which the whole picture is shown too."""
        return self.tops + self.bottoms

    def box(self, position: tuple[int, int]) -> tuple[int, int, int]:
        """Say where a crop is in its picture: the left and the upper edge, and the side."""
        if self.whole:  # of a neuron that sees more, the position would only add margins
            return 0, 0, self.side
        middles = self.layer.center(position)
        top, left = (round(middle - (self.side - 1) / 2) for middle in middles)
        return left, top, self.side

    def cut(
        self,
        number: int,
        picture: Float32[Tensor, "3 height width"],
        values: Float32[Tensor, "rows columns"],
    ) -> None:
        """Cut all tiles that come out of a photograph."""
        for place, each in self.wanted.get(number, ()):
            cut = (
                picture
                if self.whole
                else crops.crop(self.layer, picture, each.position, most=self.side)
            )
            self.tiles["crops"][place] = crops.tile(cut, CROP)
            if place < len(self.extremes):
                mask = crops.masked(picture, values if each.value > 0 else -values)
                self.tiles["masked"][place] = crops.tile(mask, WHOLE)
                overlay = overlaid(picture, values, self.scale)
                self.tiles["overlaid"][place] = crops.tile(overlay, WHOLE)


def overlaid(
    picture: Float32[Tensor, "3 height width"],
    activations: Float32[Tensor, "rows columns"],
    scale: float,
) -> Float32[Tensor, "3 height width"]:
    """Lay a unit's activations over a photograph in grey: red what excites it, blue what inhibits.

    Parameters
    ----------
    picture
        In [0, 1].
    activations
        Of the unit at all positions.
    scale
        The activation, of either sign, that is drawn in the deepest colour.
    """
    shown = F.interpolate(
        activations[None, None], size=picture.shape[1:], mode="bilinear", align_corners=False
    )[0]
    depth = 0.85 * (shown.abs() / scale if scale else torch.zeros_like(shown)).clamp(0, 1)
    grey = 0.3 + 0.7 * picture.mean(0, keepdim=True)
    return grey * (1 - depth) + torch.where(shown > 0, _RED, _BLUE) * depth


def _neurons(places: Places, unit: int) -> Iterator[_Neuron]:
    rows = zip(places.values[unit], places.pictures[unit], places.positions[unit], strict=True)
    for value, picture, (row, column) in rows:
        if picture >= 0:
            yield _Neuron(float(value), int(picture), (int(row), int(column)))


def _apart(neurons: Iterable[_Neuron]) -> list[_Neuron]:
    """Keep the first of each photograph."""
    first: dict[int, _Neuron] = {}
    for each in neurons:
        first.setdefault(each.picture, each)
    return list(first.values())


def _steps(found: LayerExamples, unit: int) -> Float[np.ndarray, " edges"]:
    """Give round steps of activation, from the rare on the one side to the strongest."""
    low = float(found.quantiles(np.array([0.0005]))[unit, 0])
    high = float(np.nanmax(found.tops.values[unit]))
    ticks = MaxNLocator(STEPS, steps=[1, 2, 2.5, 5, 10]).tick_values(min(low, high), high)
    return np.asarray(ticks)


def _told(
    found: Examples, name: str, sheet: _Sheets, size: int, classes: Mapping[int, str]
) -> DatasetExamples:
    layer, unit = found.layers[name], sheet.unit
    edges = np.linspace(sheet.steps[0], sheet.steps[-1], BARS * (len(sheet.steps) - 1) + 1)
    counts = layer.counts[unit]
    _, shares = examples.expected_value(layer, unit)
    labels, means = layer.class_means()
    best = np.argsort(-means[:, unit], kind="stable")[:CLASSES] if labels else ()

    def shown(neurons: Sequence[_Neuron]) -> tuple[Example, ...]:
        return tuple(
            Example(_rounded(each.value), found.names[each.picture], sheet.box(each.position))
            for each in neurons
        )

    return DatasetExamples(
        path="",
        size=size,
        seen=found.seen,
        skipped=len(found.skipped),
        positions=layer.moments.count,
        rectified=found.record["layers"][name] == name,
        tops=shown(sheet.tops),
        bottoms=shown(sheet.bottoms),
        steps=tuple(map(_rounded, sheet.steps.tolist())),
        quilt=tuple(map(shown, sheet.quilt)),
        density=_spread(counts / counts.sum(), edges, per=float(edges[1] - edges[0])),
        shares=_spread(shares, edges),
        scale=_rounded(sheet.scale),
        mean=_rounded(layer.moments.mean[unit]),
        deviation=_rounded(layer.moments.deviation[unit]),
        firing=_rounded(layer.moments.firing[unit]),
        quantiles=tuple(
            (share, _rounded(value))
            for share, value in zip(
                QUANTILES, sketch.quantiles(counts[None], np.array(QUANTILES))[0], strict=True
            )
        ),
        classes=tuple(
            (classes.get(labels[place], str(labels[place])), _rounded(means[place, unit]))
            for place in best
        ),
    )


def _spread(
    values: Float[np.ndarray, " bins"], edges: Float[np.ndarray, " edges"], *, per: float = 1.0
) -> tuple[float, ...]:
    """Put what is known by the sketch's bins into others, as if it lay evenly within each."""
    cumulated = np.concatenate([[0.0], np.cumsum(values)])
    return tuple(map(_rounded, np.diff(np.interp(edges, sketch.edges(), cumulated)) / per))


def _webp(tiles: Sequence[UInt8[np.ndarray, "side side 3"]]) -> bytes:
    """Put tiles on a sheet, row by row, each framed so that a browser mixes in no other."""
    framed = [np.pad(tile, ((FRAME, FRAME), (FRAME, FRAME), (0, 0)), "edge") for tile in tiles]
    pitch = len(framed[0])
    whole = np.full((ceil(len(tiles) / COLUMNS) * pitch, COLUMNS * pitch, 3), 255, np.uint8)
    for place, tile in enumerate(framed):
        row, column = (pitch * at for at in divmod(place, COLUMNS))
        whole[row : row + pitch, column : column + pitch] = tile
    buffer = BytesIO()
    Image.fromarray(whole).save(buffer, "WEBP", quality=72)
    return buffer.getvalue()


def _rounded(value: float) -> float:
    """Keep four digits: what a page shows, in as few bytes."""
    return float(f"{value:.4g}")
