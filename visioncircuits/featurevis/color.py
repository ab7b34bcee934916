"""Color space in which the channels of natural pictures vary independently of one another.

Optimizing there keeps the steps for brightness from dragging the hues along. Source: Olah,
Mordvintsev and Schubert, "Feature Visualization" (2017); the matrix is lucid's, a square root of
the covariance of ImageNet's colors.
"""

import torch
from jaxtyping import Float
from torch import Tensor

Maps = Float[Tensor, "batch channels height width"]

_ROOT = torch.tensor([[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]])
_ROOT = _ROOT / _ROOT.norm(dim=0).max()


def correlate(maps: Maps) -> Maps:
    """Mix three independent channels into colors; other numbers of channels pass through."""
    if maps.shape[1] != 3:
        return maps
    return torch.einsum("rc,bchw->brhw", _ROOT.to(maps), maps)


def decorrelate(maps: Maps) -> Maps:
    """Undo `correlate`.

    Examples
    --------
    >>> maps = torch.rand(1, 3, 2, 2)
    >>> torch.allclose(decorrelate(correlate(maps)), maps, atol=1e-5)
    True
    """
    if maps.shape[1] != 3:
        return maps
    return torch.einsum("cr,brhw->bchw", _ROOT.inverse().to(maps), maps)


def to_picture(maps: Maps) -> Maps:
    """Turn unbounded independent channels into a picture in [0, 1]."""
    return correlate(maps).sigmoid()


def from_picture(picture: Maps) -> Maps:
    """Undo `to_picture`, with values kept a little away from 0 and 1, which it never reaches."""
    return decorrelate(picture.clamp(0.01, 0.99).logit())
