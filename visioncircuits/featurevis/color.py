"""Decorrelated colors: a space in which the channels of natural pictures are uncorrelated.

Optimization there changes brightness and hue independently. Source: Olah,
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
    """Map three decorrelated channels to colors; other numbers of channels are unchanged."""
    if maps.shape[1] != 3:
        return maps
    return torch.einsum("rc,bchw->brhw", _ROOT.to(maps), maps)


def decorrelate(maps: Maps) -> Maps:
    """Invert `correlate`.

    Examples
    --------
    >>> maps = torch.rand(1, 3, 2, 2)
    >>> torch.allclose(decorrelate(correlate(maps)), maps, atol=1e-5)
    True
    """
    if maps.shape[1] != 3:
        return maps
    return torch.einsum("cr,brhw->bchw", _ROOT.inverse().to(maps), maps)


def to_picture(maps: Maps, *, colors: bool = True) -> Maps:
    """Map unbounded channels to a picture in [0, 1]; those of colors are decorrelated."""
    return (correlate(maps) if colors else maps).sigmoid()


def from_picture(picture: Maps, *, colors: bool = True) -> Maps:
    """Invert `to_picture`, with values clipped to [.01, .99], since it never reaches 0 and 1."""
    maps = picture.clamp(0.01, 0.99).logit()
    return decorrelate(maps) if colors else maps
