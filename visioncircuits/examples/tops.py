"""The strongest examples of every unit, and which of them come first where two are alike."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int64


@dataclass(frozen=True)
class Places:
    """Neurons, each in some picture.

    Attributes
    ----------
    values : float32, (units, count)
        Pre-activations there; of places that are not filled, NaN.
    pictures : int64, (units, count)
        Which picture, as it was counted; -1 where not filled.
    positions : int64, (units, count, 2)
        Row and column of the neuron.
    """

    values: Float32[np.ndarray, "units count"]
    pictures: Int64[np.ndarray, "units count"]
    positions: Int64[np.ndarray, "units count 2"]

    @classmethod
    def none(cls, units: int) -> "Places":
        """Those of no picture."""
        return cls(
            np.empty((units, 0), np.float32),
            np.empty((units, 0), np.int64),
            np.empty((units, 0, 2), np.int64),
        )

    def joined(self, other: "Places", count: int, *, sign: int = 1) -> "Places":
        """Keep the `count` greatest of both, or with `sign` -1 the least; the earlier of equals.

        The order in which parts are joined does not matter.
        """
        values, pictures, positions = (
            np.concatenate(pair, 1)
            for pair in (
                (self.values, other.values),
                (self.pictures, other.pictures),
                (self.positions, other.positions),
            )
        )
        # last the order of pictures, first what is filled at all
        order = np.lexsort((pictures, -sign * values.astype(np.float64), np.isnan(values)))
        kept = order[:, :count]
        return Places(
            np.take_along_axis(values, kept, 1),
            np.take_along_axis(pictures, kept, 1),
            np.take_along_axis(positions, kept[..., None], 1),
        )
