"""The scale at which one unit takes the place of another."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

Maps = Float[Tensor, "batch units rows columns"]


@dataclass(frozen=True)
class Scale:
    """The scale of a donor in the place of a unit: `gain · relu(value − threshold)`.

    Attributes
    ----------
    threshold, gain
        One number a unit.
    """

    threshold: Float[Tensor, " units"]
    gain: Float[Tensor, " units"]

    @classmethod
    def between(cls, donors: Maps, family: Maps) -> "Scale":
        """Fit scales so that each donor is active as often as its unit, and as strongly.

        Parameters
        ----------
        donors
            Their values before a rectifier, on some photographs.
        family
            The activations of the units that they replace, on the same.

        Examples
        --------
        >>> family = torch.tensor([0.0, 0.0, 2.0, 6.0]).reshape(1, 1, 2, 2)
        >>> scale = Scale.between(family / 8 + 5, family)
        >>> scale(family / 8 + 5).flatten().tolist()
        [0.0, 0.0, 2.0, 6.0]
        """
        values, wanted = (maps.transpose(0, 1).flatten(1).float() for maps in (donors, family))
        firing = (wanted > 0).sum(1)
        ordered = values.sort(1, descending=True).values
        first_silent = firing.clamp(max=ordered.shape[1] - 1)
        threshold = ordered.gather(1, first_silent[:, None])[:, 0]
        driven = (values - threshold[:, None]).clamp(min=0).sum(1)
        gain = torch.where(driven > 0, wanted.sum(1) / driven, 0.0)
        return cls(threshold, gain)

    def __call__(self, donors: Maps) -> Maps:
        """Scale donors' values."""
        threshold, gain = (
            each.to(donors)[None, :, None, None] for each in (self.threshold, self.gain)
        )
        return gain * (donors - threshold).clamp(min=0)
