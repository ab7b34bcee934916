"""Mean, deviation and frequency of activation of a layer's units."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float64, Int64
from torch import Tensor


@dataclass(frozen=True)
class Moments:
    """Moments of each unit's pre-activations over all positions of all pictures.

    Attributes
    ----------
    count
        Number of values of each unit.
    mean, squares
        `(units,)`; `squares` is the sum of squared deviations from the mean.
    positive
        Number of values above zero.

    Examples
    --------
    >>> moments = Moments(4, np.array([2.0]), np.array([36.0]), np.array([3]))
    >>> moments.deviation, moments.firing
    (array([3.]), array([0.75]))
    """

    count: int
    mean: Float64[np.ndarray, " units"]
    squares: Float64[np.ndarray, " units"]
    positive: Int64[np.ndarray, " units"]

    def __repr__(self) -> str:
        return f"Moments({len(self.mean)} units, {self.count} values each)"

    @classmethod
    def empty(cls, units: int) -> "Moments":
        """Return the moments of no values."""
        return cls(0, np.zeros(units), np.zeros(units), np.zeros(units, np.int64))

    @classmethod
    def of(
        cls,
        values: Float[Tensor, "units pictures positions"],
        positive: Int64[np.ndarray, " units"],
    ) -> "Moments":
        """Compute the moments of values, in float32 within pictures and float64 across them."""
        means = values.mean(2)
        within = torch.linalg.vector_norm(values - means[..., None], dim=2).double().square().sum(1)
        each = means.double()
        mean = each.mean(1)
        between = (each - mean[:, None]).square().sum(1)
        return cls(
            values.shape[1] * values.shape[2],
            mean.cpu().numpy(),
            (within + values.shape[2] * between).cpu().numpy(),
            positive,
        )

    def joined(self, other: "Moments") -> "Moments":
        """Return the moments of both together (Chan, Golub and LeVeque, 1979)."""
        count = self.count + other.count
        difference = other.mean - self.mean
        return Moments(
            count,
            self.mean + difference * (other.count / count),
            self.squares + other.squares + difference**2 * (self.count * other.count / count),
            self.positive + other.positive,
        )

    @property
    def deviation(self) -> Float64[np.ndarray, " units"]:
        """Standard deviations."""
        return np.sqrt(self.squares / self.count)

    @property
    def firing(self) -> Float64[np.ndarray, " units"]:
        """The fraction of positions at which each unit is positive."""
        return self.positive / self.count
