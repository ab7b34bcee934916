"""Sines and cosines in degrees, for which a quarter turn is exact."""

import torch
from jaxtyping import Float64
from torch import Tensor

# Angles are rounded to 2**-32 degree, so that the float64 13.7 and 103.7 are a quarter turn apart
# although neither is exactly what it is written as.
_GRAIN = 2.0**32


def cosd(degrees: Float64[Tensor, "*n"]) -> Float64[Tensor, "*n"]:
    """Cosine of an angle in degrees; ``cosd(a + 90) == -sind(a)`` to the bit.

    Examples
    --------
    >>> cosd(torch.tensor([0.0, 90.0, 180.0, 270.0], dtype=torch.float64)).tolist()
    [1.0, 0.0, -1.0, 0.0]
    """
    return _quadrants(degrees, 0)


def sind(degrees: Float64[Tensor, "*n"]) -> Float64[Tensor, "*n"]:
    """Sine of an angle in degrees; ``sind(a + 90) == cosd(a)`` to the bit.

    Examples
    --------
    >>> sind(torch.tensor([0.0, 90.0, 180.0, 270.0], dtype=torch.float64)).tolist()
    [0.0, 1.0, 0.0, -1.0]
    """
    return _quadrants(degrees, 3)


def _quadrants(degrees: Float64[Tensor, "*n"], turns: int) -> Float64[Tensor, "*n"]:
    """Cosine of `degrees` turned on by `turns` quarters, from the angle within its quadrant."""
    turned = torch.remainder(torch.round(degrees * _GRAIN) / _GRAIN, 360.0)
    quadrant = torch.floor(turned / 90.0)
    rest = torch.deg2rad(turned - 90.0 * quadrant)
    quadrant = (quadrant.long() + turns) % 4
    cos, sin = torch.cos(rest), torch.sin(rest)
    value = torch.where(quadrant % 2 == 0, cos, sin)
    # + 0.0 turns a negative zero into zero
    return torch.where((quadrant == 1) | (quadrant == 2), -value, value) + 0.0
