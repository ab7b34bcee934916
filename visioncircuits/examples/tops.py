"""The strongest examples of every unit, in an order that ties do not change."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int64
from torch import Tensor


@dataclass(frozen=True)
class Places:
    """Neurons, each in one picture.

    Attributes
    ----------
    values : float32, (units, count)
        Pre-activations; NaN in unfilled places.
    pictures : int64, (units, count)
        Number of the picture; -1 in unfilled places.
    positions : int64, (units, count, 2)
        Row and column of the neuron.

    Examples
    --------
    >>> import torch
    >>> from visioncircuits.examples import collect
    >>> from visioncircuits.networks import untrained
    >>> network = untrained("bvlc_googlenet")
    >>> found = collect(network, "conv2d0", torch.rand(3, 3, 224, 224), top=2)
    >>> found.layers["conv2d0"].tops
    Places(64 units, 2 neurons each)
    """

    values: Float32[np.ndarray, "units count"]
    pictures: Int64[np.ndarray, "units count"]
    positions: Int64[np.ndarray, "units count 2"]

    def __repr__(self) -> str:
        units, count = self.values.shape
        return f"Places({units} units, {count} neurons each)"

    @classmethod
    def empty(cls, units: int) -> "Places":
        """Return places without neurons."""
        return cls(
            np.empty((units, 0), np.float32),
            np.empty((units, 0), np.int64),
            np.empty((units, 0, 2), np.int64),
        )

    @classmethod
    def of(
        cls,
        values: Float32[Tensor, "units pictures"],
        where: Int64[Tensor, "units pictures"],
        numbers: Int64[np.ndarray, " pictures"],
        columns: int,
        count: int,
        *,
        sign: int = 1,
    ) -> "Places":
        """Select the `count` greatest, or with `sign` -1 the least; of equals the earlier.

        Parameters
        ----------
        values
            One of each unit in each picture.
        where
            Its position, rows of `columns` one after the other.
        numbers
            Of the pictures.
        """
        order = (sign * values).sort(dim=1, descending=True, stable=True).indices[:, :count]
        place = where.gather(1, order).cpu().numpy()
        return cls(
            values.gather(1, order).cpu().numpy(),
            numbers[order.cpu().numpy()],
            np.stack([place // columns, place % columns], -1),
        )

    def joined(self, other: "Places", count: int, *, sign: int = 1) -> "Places":
        """Keep the `count` greatest of both, or with `sign` -1 the least; of equals the earlier.

        The result does not depend on the order in which parts are joined.
        """
        values, pictures, positions = (
            np.concatenate(pair, 1)
            for pair in (
                (self.values, other.values),
                (self.pictures, other.pictures),
                (self.positions, other.positions),
            )
        )
        # by the last key first: filled places, then values, then pictures
        order = np.lexsort((pictures, -sign * values.astype(np.float64), np.isnan(values)))
        kept = order[:, :count]
        return Places(
            np.take_along_axis(values, kept, 1),
            np.take_along_axis(pictures, kept, 1),
            np.take_along_axis(positions, kept[..., None], 1),
        )
