"""Tiles of dataset examples: crops of photographs, and whole ones with a feature's activations."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import pairwise

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from visioncircuits.examples import LayerExamples, Places, crops
from visioncircuits.gallery.evidence import histogram
from visioncircuits.networks import Layer

COLUMNS = 8
"""Tiles in a row of a sheet."""

CROP, WHOLE = 96, 144
"""The side of a crop's tile in pixels, and of a whole picture's."""

FRAME = 1
"""Pixels around each tile that repeat its edge."""

EACH = 4
"""The most random examples of a step of activation."""

_RED, _BLUE = (torch.tensor(c)[:, None, None] / 255 for c in ((202, 0, 32), (5, 113, 176)))


@dataclass(frozen=True)
class Neuron:
    """A feature at a position of a photograph, the one of that number, and its activation there."""

    value: float
    picture: int
    position: tuple[int, int]


class Sheets:
    """A feature's examples, in a row of those found, and the tiles cut of them so far."""

    def __init__(
        self, found: LayerExamples, unit: int, layer: Layer, side: int, *, whole: bool
    ) -> None:
        self.layer, self.side, self.whole = layer, side, whole
        self.tops = list(_neurons(found.tops, unit))
        self.bottoms = [each for each in _neurons(found.bottoms, unit) if each.value < 0]
        self.steps = histogram.steps(found, unit)
        self.quilt = [
            _apart(_neurons(found.drawn(unit, low, high), 0))[:EACH]
            for low, high in pairwise(self.steps.tolist())
        ]
        self.scale = max((abs(each.value) for each in self.extremes), default=0.0)
        every = [*self.extremes, *(each for column in self.quilt for each in column)]
        self.wanted: dict[int, list[tuple[int, Neuron]]] = {}
        for place, each in enumerate(every):
            self.wanted.setdefault(each.picture, []).append((place, each))
        self.codes: list[float | None] = [None] * len(every)
        self.tiles: dict[str, list[np.ndarray]] = {
            "crops": [np.empty(0)] * len(every),
            "masked": [np.empty(0)] * len(self.extremes),
            "overlaid": [np.empty(0)] * len(self.extremes),
        }

    @property
    def extremes(self) -> list[Neuron]:
        """Examples of which the whole picture is shown too."""
        return self.tops + self.bottoms

    def box(self, position: tuple[int, int]) -> tuple[int, int, int]:
        """Compute where a crop is in its picture: the left and the upper edge, and the side."""
        if self.whole:  # a receptive field larger than the picture would only add margins
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
        """Cut all tiles of a photograph."""
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
    """Lay a unit's activations over a photograph in gray: positive ones red, negative ones blue.

    Parameters
    ----------
    picture
        In [0, 1].
    activations
        Of the unit at all positions.
    scale
        The activation, of either sign, that is drawn in the deepest color.
    """
    shown = F.interpolate(
        activations[None, None], size=picture.shape[1:], mode="bilinear", align_corners=False
    )[0]
    depth = 0.85 * (shown.abs() / scale if scale else torch.zeros_like(shown)).clamp(0, 1)
    gray = 0.3 + 0.7 * picture.mean(0, keepdim=True)
    return gray * (1 - depth) + torch.where(shown > 0, _RED, _BLUE) * depth


def _neurons(places: Places, unit: int) -> Iterator[Neuron]:
    rows = zip(places.values[unit], places.pictures[unit], places.positions[unit], strict=True)
    for value, picture, (row, column) in rows:
        if picture >= 0:
            yield Neuron(float(value), int(picture), (int(row), int(column)))


def _apart(neurons: Iterable[Neuron]) -> list[Neuron]:
    """Keep the first of each photograph."""
    first: dict[int, Neuron] = {}
    for each in neurons:
        first.setdefault(each.picture, each)
    return list(first.values())


def webp(*groups: Sequence[UInt8[np.ndarray, "side side 3"]]) -> bytes:
    """Put tiles on a sheet, each framed so that a browser blends in no other.

    Row by row; each group begins a row.
    """
    pitch = len(groups[0][0]) + 2 * FRAME
    rows = []
    cuts = (tiles[at : at + COLUMNS] for tiles in groups for at in range(0, len(tiles), COLUMNS))
    for cut in cuts:
        row = np.full((pitch, COLUMNS * pitch, 3), 255, np.uint8)
        for place, tile in enumerate(cut):
            frame = ((FRAME, FRAME), (FRAME, FRAME), (0, 0))
            row[:, pitch * place : pitch * (place + 1)] = np.pad(tile, frame, "edge")
        rows.append(row)
    buffer = BytesIO()
    Image.fromarray(np.concatenate(rows)).save(buffer, "WEBP", quality=72)
    return buffer.getvalue()
