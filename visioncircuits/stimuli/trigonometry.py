"""Sines and cosines in degrees, exact at multiples of 90."""

import torch
from jaxtyping import Float64
from torch import Tensor

# Angles are rounded to 2**-32 degree, so that the float64 values nearest to 13.7 and 103.7 differ
# by exactly 90.
_GRAIN = 2.0**32


def cosd(degrees: Float64[Tensor, "*n"]) -> Float64[Tensor, "*n"]:
    """Return the cosine of an angle in degrees; ``cosd(a + 90) == -sind(a)`` to the bit.

    Examples
    --------
    >>> cosd(torch.tensor([0.0, 90.0, 180.0, 270.0], dtype=torch.float64)).tolist()
    [1.0, 0.0, -1.0, 0.0]
    """
    return _quadrants(degrees, 0)


def sind(degrees: Float64[Tensor, "*n"]) -> Float64[Tensor, "*n"]:
    """Return the sine of an angle in degrees; ``sind(a + 90) == cosd(a)`` to the bit.

    Examples
    --------
    >>> sind(torch.tensor([0.0, 90.0, 180.0, 270.0], dtype=torch.float64)).tolist()
    [0.0, 1.0, 0.0, -1.0]
    """
    return _quadrants(degrees, 3)


def _quadrants(degrees: Float64[Tensor, "*n"], quarters: int) -> Float64[Tensor, "*n"]:
    """Return the cosine of `degrees` plus `quarters` right angles."""
    reduced = torch.remainder(torch.round(degrees * _GRAIN) / _GRAIN, 360.0)
    quadrant = torch.floor(reduced / 90.0)
    rest = torch.deg2rad(reduced - 90.0 * quadrant)
    quadrant = (quadrant.long() + quarters) % 4
    cos, sin = torch.cos(rest), torch.sin(rest)
    value = torch.where(quadrant % 2 == 0, cos, sin)
    # + 0.0 replaces a negative zero by zero
    return torch.where((quadrant == 1) | (quadrant == 2), -value, value) + 0.0
