"""What a family of stimuli gives back."""

from collections.abc import Mapping
from dataclasses import dataclass

from jaxtyping import Float32
from torch import Tensor


@dataclass(frozen=True)
class Stimulus:
    """A batch of pictures, with what was drawn in them and how.

    Attributes
    ----------
    picture : Tensor, float32, (batch, 3, height, width)
        RGB in [0, 1].
    mask : Tensor, float32, (batch, 1, height, width)
        The share of each pixel, in [0, 1], that belongs to the figure; each family says what its
        figure is.
    parameters : mapping of str to Tensor
        Every parameter, float64 on the CPU: ``(batch,)`` numbers or ``(batch, 3)`` RGB colors.
    """

    picture: Float32[Tensor, "batch 3 height width"]
    mask: Float32[Tensor, "batch 1 height width"]
    parameters: Mapping[str, Tensor]

    def __len__(self) -> int:
        return len(self.picture)
