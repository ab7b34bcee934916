"""A batch of stimuli, as the families return it, and what their parameters are."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float32, Float64, Real
from torch import Tensor

Parameter = float | int | Real[Tensor, "_"]
"""One number for the whole batch, or a 1-D tensor with one for each of its pictures."""


def values_of(parameter: Parameter) -> Float64[Tensor, "_"]:
    """Return a parameter's values as one row, on the CPU."""
    return torch.as_tensor(parameter, dtype=torch.float64, device="cpu").reshape(-1)


@dataclass(frozen=True, repr=False)
class Stimulus:
    """A batch of pictures, with the masks of their figures and their parameters.

    A notebook shows the pictures; of many, some.

    Attributes
    ----------
    picture : Tensor, float32, (batch, 3, height, width)
        RGB in [0, 1].
    mask : Tensor, float32, (batch, 1, height, width)
        The share of each pixel, in [0, 1], that belongs to the figure, which each family defines.
    parameters : mapping of str to Tensor
        Every parameter, float64 on the CPU: ``(batch,)`` numbers or ``(batch, 3)`` RGB colors.

    Examples
    --------
    >>> from visioncircuits.stimuli import line
    >>> drawn = line(orientation=torch.tensor([0.0, 45.0, 90.0]), size=60)
    >>> drawn
    <Stimulus: 3 of 60 × 60 px>
    >>> drawn.parameters["orientation"].tolist()
    [0.0, 45.0, 90.0]
    """

    picture: Float32[Tensor, "batch 3 height width"]
    mask: Float32[Tensor, "batch 1 height width"]
    parameters: Mapping[str, Tensor]

    def __len__(self) -> int:
        return len(self.picture)

    def __repr__(self) -> str:
        height, width = self.picture.shape[-2:]
        return f"<Stimulus: {len(self)} of {height} × {width} px>"

    def _repr_png_(self) -> bytes | None:
        from visioncircuits.stimuli.sheet import png, row_of

        return png(row_of(self)) if len(self) else None
