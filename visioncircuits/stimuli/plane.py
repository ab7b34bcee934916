"""The picture plane about a stimulus' origin: fields with one value for each pixel.

A sum or product of a term along the row and a term along the column is kept as these two terms
until the end, in float64, so that a picture costs a few operations for each pixel. A rotation by
90 degrees swaps the two and one sign, which changes no rounding.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float32, Float64
from torch import Tensor

from visioncircuits.stimuli.trigonometry import cosd, sind

Pixels = Float32[Tensor, "batch 1 height width"]
Column = Float32[Tensor, "batch 1 1 1"]
Values = Float64[Tensor, " batch"]
Several = Float64[Tensor, "batch several"]


class Frame(NamedTuple):
    """Coordinates of pixel centers along (`u`) and clockwise across (`v`) an orientation, in px."""

    u: Pixels
    v: Pixels


@dataclass(frozen=True)
class Plane:
    """Pixel centers relative to each stimulus' origin, in pixels, y down.

    Attributes
    ----------
    x : Tensor, float64, (batch, width), on the CPU
    y : Tensor, float64, (batch, height), on the CPU
    device : torch.device
        On which all fields are computed.
    """

    x: Float64[Tensor, "batch width"]
    y: Float64[Tensor, "batch height"]
    device: torch.device

    @staticmethod
    def about(x: Values, y: Values, size: tuple[int, int], device: torch.device) -> "Plane":
        """Return the plane of a picture of `size` whose origin is at `x`, `y` from its center."""
        down, across = (torch.arange(n).double() - (n - 1) / 2 for n in size)
        return Plane(across - x[:, None], down - y[:, None], device)

    def moved(self, direction: Values, distance: Values) -> "Plane":
        """Return the same pixels, with the origin moved by `distance` pixels."""
        x, y = distance * cosd(direction), distance * sind(direction)
        return Plane(self.x - x[:, None], self.y - y[:, None], self.device)

    def column(self, values: Values) -> Column:
        """Return one number for each picture, in a shape that broadcasts over its pixels."""
        return values.float().to(self.device)[:, None, None, None]

    def frame(self, orientation: Values) -> Frame:
        """Return the coordinates along and across `orientation`."""
        cos, sin = cosd(orientation)[:, None], sind(orientation)[:, None]
        return Frame(
            u=self._across(self.x * cos) + self._down(self.y * sin),
            v=self._down(self.y * cos) - self._across(self.x * sin),
        )

    def disc(self, radius: Values) -> Pixels:
        """Return the signed distance to a circle about the origin."""
        length = self._across(self.x**2) + self._down(self.y**2)
        return length.sqrt_().sub_(self.column(radius))

    def arc(self, orientation: Values, radius: Values) -> Pixels:
        """Return the signed distance to the circle whose apex toward `orientation` is the origin.

        |p + r n| − r is written as (|p|² + 2 r n·p) / (|p + r n| + r), which has no cancellation:
        at a radius of 1e9 it is the straight edge, and at 0 the distance to the origin.
        """
        x, y = radius * cosd(orientation), radius * sind(orientation)
        difference = self._across(self.x * (self.x + 2 * x[:, None])) + self._down(
            self.y * (self.y + 2 * y[:, None])
        )
        # at the center rounding may yield a negative value, and for a radius of 0 zero
        length = (difference + self.column(radius**2)).clamp_min_(1e-12).sqrt_()
        return difference.div_(length.add_(self.column(radius)))

    def wave(self, frequency: Values, direction: Values, phase: Values) -> Pixels:
        """Return samples of cos(2π · frequency · (distance along direction) + phase).

        `frequency` in cycles per pixel, `direction` and `phase` in degrees.
        """
        return self.waves(frequency[:, None], direction[:, None], phase[:, None])

    def waves(self, frequency: Several, direction: Several, phase: Several) -> Pixels:
        """Return the sum of several waves."""
        angular, half = 2 * math.pi * frequency, torch.deg2rad(phase / 2)[..., None]
        x = (angular * cosd(direction))[..., None] * self.x[:, None] + half
        y = (angular * sind(direction))[..., None] * self.y[:, None] + half
        terms = zip(
            torch.cos(x).unbind(1),
            torch.cos(y).unbind(1),
            torch.sin(x).unbind(1),
            torch.sin(y).unbind(1),
            strict=True,
        )
        size = (len(self.x), 1, self.y.shape[1], self.x.shape[1])
        total = torch.zeros(size, device=self.device)
        for cos_x, cos_y, sin_x, sin_y in terms:
            total.add_(self._across(cos_x) * self._down(cos_y))
            total.sub_(self._across(sin_x) * self._down(sin_y))
        return total

    def gaussian(self, sigma: Values) -> Pixels:
        """Return a Gaussian of standard deviation `sigma` pixels about the origin, with peak 1."""
        x, y = (torch.exp(-0.5 * (axis / sigma[:, None]) ** 2) for axis in (self.x, self.y))
        return self._across(x) * self._down(y)

    def _across(self, row: Float64[Tensor, "batch width"]) -> Float32[Tensor, "batch 1 1 width"]:
        return row.float().to(self.device)[:, None, None, :]

    def _down(self, column: Float64[Tensor, "batch height"]) -> Float32[Tensor, "batch 1 height 1"]:
        return column.float().to(self.device)[:, None, :, None]
