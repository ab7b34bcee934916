"""Pictures on which a variable has the same value, and random draws of them."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor

Drawn = Int64[Tensor, "references own_units own_rows own_columns"]
"""A picture for each reference, and for each unit and position that has a value of its own."""


class Agreement:
    """Draws, for a picture, others on which a variable has the same value.

    Parameters
    ----------
    codes
        Of the readings, `(pictures, units, rows, columns)`, where an axis on which nothing depends
        has the length 1; pictures agree where all of them do.
    count
        Of pictures.

    Attributes
    ----------
    shape
        Of units, rows and columns, each 1 where all have the same value.
    joint
        A number for each picture, equal where all units and positions agree.

    Examples
    --------
    >>> agreement = Agreement([np.array([0, 1, 0, 1]).reshape(4, 1, 1, 1)], 4)
    >>> drawn = agreement.draw(torch.tensor([0, 1, 2]), torch.Generator())
    >>> (drawn % 2).flatten().tolist(), agreement.pictures
    ([0, 1, 0], 2.0)
    """

    def __init__(self, codes: Sequence[np.ndarray], count: int) -> None:
        joined = np.zeros((count, 1, 1, 1), np.int64)
        for each in codes:
            joined = joined * (int(each.max()) + 1) + each
            joined = np.unique(joined, return_inverse=True)[1].reshape(joined.shape)
        self.shape = joined.shape[1:]
        columns = joined.reshape(count, -1)
        self.joint = np.unique(columns, axis=0, return_inverse=True)[1].reshape(count)
        order = np.argsort(columns, axis=0, kind="stable")
        start, size = np.empty_like(order), np.empty_like(order)
        for place, column in enumerate(columns.T):
            _, group, counts = np.unique(column, return_inverse=True, return_counts=True)
            first = np.cumsum(counts) - counts
            start[:, place], size[:, place] = first[group], counts[group]
        self._order, self._start, self._size = map(torch.from_numpy, (order, start, size))

    @property
    def pictures(self) -> float:
        """From how many pictures one is drawn, on average; 1 where a claim is empty."""
        return float(self._size.double().mean())

    def draw(self, references: Int64[Tensor, " references"], generator: torch.Generator) -> Drawn:
        """Draw a picture for each reference, each unit and each position."""
        start, size = self._start[references], self._size[references]
        chance = torch.rand(start.shape, generator=generator, dtype=torch.float64)
        drawn = self._order.gather(0, start + (chance * size).long())
        return drawn.reshape(len(references), *self.shape)
