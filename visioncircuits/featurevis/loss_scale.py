"""Loss scaling: each picture's loss is multiplied, so that its gradient fits into float16.

Float16 ends at 65504 and holds nothing below 6e-8, which a gradient soon is on its way back through
many layers. Source: Micikevicius et al., "Mixed Precision Training" (2018). Here every picture has
a scale of its own, so that none depends on the others of its batch.
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

Gradients = Float[Tensor, "batch channels height width"]

START, PATIENCE = 2.0**10, 32
"""The first scale, and the steps after which one that does not overflow is doubled."""

LEAST, MOST = 2.0**-14, 2.0**60


class _Undone(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, pictures: Tensor, factors: Tensor) -> Tensor:
        ctx.save_for_backward(factors)
        return pictures.clone()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        (grad,), (factors,) = grads, ctx.saved_tensors
        finite = grad.isfinite().flatten(1).all(1)
        scale = torch.where(finite, 1 / factors, 0.0)[:, None, None, None]
        return grad.nan_to_num(0.0, 0.0, 0.0) * scale, None


class LossScale:
    """The scale of each picture's loss.

    A gradient that overflows is dropped and the scale divided by 4; where nothing is left of one,
    the scale is multiplied by 16.

    Attributes
    ----------
    factors
        The scales, `(batch,)`: powers of two, by which nothing is rounded.

    Examples
    --------
    >>> scale = LossScale(torch.zeros(2, 3, 8, 8))
    >>> scale.update(torch.stack([torch.full((3, 8, 8), torch.inf), torch.zeros(3, 8, 8)]))
    >>> (scale.factors / START).tolist()
    [0.25, 16.0]
    """

    def __init__(self, pictures: Gradients) -> None:
        self.factors = pictures.new_full((len(pictures),), START)
        self._steps = torch.zeros_like(self.factors)

    def undone(self, pictures: Gradients) -> Gradients:
        """Return the pictures as they are; the gradients that reach them are divided again."""
        same: Tensor = _Undone.apply(pictures, self.factors)
        return same

    def update(self, gradients: Gradients) -> None:
        """Choose the scales of the next step by this step's gradients, which are scaled."""
        flat = gradients.flatten(1)
        finite, nothing = flat.isfinite().all(1), (flat == 0).all(1)
        self._steps = torch.where(finite & ~nothing, self._steps + 1, 0.0)
        change = torch.where(self._steps % PATIENCE == PATIENCE - 1, 2.0, 1.0)
        change = torch.where(nothing, 16.0, torch.where(finite, change, 0.25))
        self.factors = (self.factors * change).clamp(LEAST, MOST)
