"""Positions of a unit's sources, and trigonometry that is exact for rotations by 90 degrees.

Such a rotation swaps coordinates and signs without rounding, so rotated kernels are bitwise equal.
"""

import math
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from jaxtyping import Float64

Weights = Float64[np.ndarray, "size size"]

Number = TypeVar("Number", float, Weights)


def cosd(degrees: float) -> float:
    """Cosine of an angle in degrees; adding 90 degrees gives exactly the negative sine.

    Examples
    --------
    >>> cosd(60.0) == cosd(-60.0) == sind(150.0), cosd(90.0)
    (True, 0.0)
    """
    quarter, rest = divmod(degrees % 360.0, 90.0)
    cos, sin = math.cos(math.radians(rest)), math.sin(math.radians(rest))
    if rest == 45.0:
        cos = sin = math.sqrt(0.5)
    elif rest > 45.0:  # mirrored at the diagonal
        cos, sin = math.sin(math.radians(90.0 - rest)), math.cos(math.radians(90.0 - rest))
    return (cos, -sin, -cos, sin)[int(quarter)] + 0.0


def sind(degrees: float) -> float:
    """Sine of an angle in degrees, as exact as `cosd`."""
    return cosd(degrees - 90.0)


def difference(degrees: Number, period: float) -> Number:
    """Wrap the angle between two directions to [-period/2, period/2).

    Examples
    --------
    >>> difference(350.0, 360.0), difference(350.0, 180.0)
    (-10.0, -10.0)
    """
    return (degrees + period / 2) % period - period / 2


@dataclass(frozen=True)
class Positions:
    """Positions of a kernel's weights relative to its center, in pixels of the input.

    Attributes
    ----------
    x, y
        To the right and down, float64 `(size, size)`.
    """

    x: Weights
    y: Weights

    @classmethod
    def grid(cls, size: int, spacing: float) -> "Positions":
        """Return the positions of a kernel of `size` squared, `spacing` pixels apart.

        Examples
        --------
        >>> Positions.grid(3, 8.0).x[0]
        array([-8.,  0.,  8.])
        """
        steps = (np.arange(size) - (size - 1) / 2) * spacing
        x, y = np.meshgrid(steps, steps)
        return cls(x, y)

    def frame(self, orientation: float) -> tuple[Weights, Weights]:
        """Return each position's coordinates along `orientation` and, clockwise, across it.

        Examples
        --------
        >>> along, across = Positions.grid(3, 1.0).frame(90.0)
        >>> along[0].astype(int), across[0].astype(int)
        (array([-1, -1, -1]), array([ 1,  0, -1]))
        """
        cos, sin = cosd(orientation), sind(orientation)
        return self.x * cos + self.y * sin, self.y * cos - self.x * sin
