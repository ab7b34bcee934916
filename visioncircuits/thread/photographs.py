"""Photographs in batches, and those that activate a unit most."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float
from torch import Tensor

from visioncircuits.datasets import Photographs
from visioncircuits.thread.study import Study


def batched(photographs: Photographs, *, size: int = 16) -> Iterator[Photographs]:
    """Cut photographs into batches."""
    for start in range(0, len(photographs), size):
        yield photographs.part(range(start, min(start + size, len(photographs))))


def strongest(
    study: Study, layer: str, unit: int, *, most: int
) -> tuple[list[Float[Tensor, "3 side side"]], list[tuple[float, float]]]:
    """Return the photographs that activate a unit most, and where: `(y, x)` in pixels.

    Raises
    ------
    Unavailable
        Without photographs.
    """
    record, size = study.examples(), study.network.size
    tops, about = record.layers[layer].tops, study.network.layer_at(layer, size)
    pictures, centers = [], []
    for rank in range(min(most, tops.values.shape[1])):
        number = int(tops.pictures[unit, rank])
        if number < 0:
            break
        row, column = tops.positions[unit, rank].tolist()
        y, x = np.clip(about.center((row, column)), 0, size - 1).tolist()
        pictures.append(study.photograph(record.names[number]))
        centers.append((y, x))
    return pictures, centers
