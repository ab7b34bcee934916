"""Where a variable is in a network: its features, at the positions around the pictures' center."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float64, Int64
from torch import Tensor

from visioncircuits.errors import InputError
from visioncircuits.interventions.edits import Access, access
from visioncircuits.networks import Network, select
from visioncircuits.scrubbing.hypothesis import Variable
from visioncircuits.scrubbing.shown import Shown

Window = Float[Tensor, "batch features rows columns"]
"""Values of a variable's features; one row and one column where a layer has no positions."""


@dataclass(frozen=True)
class Place:
    """A variable's features, and the rows and columns of its window.

    Attributes
    ----------
    features
        How they are read and written.
    rows, columns
        Of the window; None where the layer has no positions.
    offsets
        From the pictures' center to the middle of each receptive field, `(y, x)` in pixels.
    units
        Indices of the features where all of them are units.
    whole
        Whether it is all of the layer, unit by unit, at all positions.
    """

    features: Access
    rows: slice | None
    columns: slice | None
    offsets: Float64[np.ndarray, "rows columns 2"]
    units: Int64[Tensor, " units"] | None = None
    whole: bool = False

    @property
    def layer(self) -> str:
        """Its layer."""
        return self.features.layer

    def read(self, values: Tensor) -> Window:
        """Return the variable's values, of the layer's."""
        return self.window(self.features.read(values))

    def window(self, found: Tensor) -> Window:
        """Return the window of the features' values."""
        return (
            found[:, :, None, None] if self.rows is None else found[:, :, self.rows, self.columns]
        )

    def write(self, values: Tensor, new: Window) -> Tensor:
        """Return the layer's values with new ones of the variable."""
        if self.whole:
            return new
        if self.rows is None:
            return self.features.write(values, new[:, :, 0, 0].to(values))
        changed = self.features.read(values).clone()
        changed[:, :, self.rows, self.columns] = new.to(values)
        return self.features.write(values, changed)


def place_of(network: Network, variable: Variable, shown: Shown) -> Place:
    """Find a variable in a network.

    Raises
    ------
    InputError
        For unknown features, and a layer with a grid that is not two-dimensional.
    """
    found, chosen = access(network, variable.features), select(network, variable.features).indices
    units = None if chosen is None else torch.tensor(chosen)
    height, width = shown.pictures.shape[2:]
    layer = network.layer_at(found.layer, (height, width))
    if not layer.shape:
        return Place(found, None, None, np.zeros((1, 1, 2)), units)
    if len(layer.shape) != 2:
        raise InputError(f"{found.layer} has no rows and columns, so no window about a center")
    spans, offsets = [], []
    for first, stride, count, middle in zip(
        layer.center((0, 0)), layer.stride, layer.shape, shown.center, strict=True
    ):
        nearest = round((middle - first) / stride) if stride else 0
        reach = count if variable.positions is None else variable.positions // 2
        span = range(max(nearest - reach, 0), min(nearest + reach + 1, count))
        if not span:
            raise InputError(f"the center of the pictures lies outside of {found.layer}")
        spans.append(slice(span.start, span.stop))
        offsets.append(first + stride * np.array(span) - middle)
    grid = np.stack(np.meshgrid(*offsets, indexing="ij"), axis=-1).astype(float)
    every = chosen == list(range(layer.units)) and grid.shape[:2] == layer.shape
    rows, columns = spans
    return Place(found, rows, columns, grid, units, every)
