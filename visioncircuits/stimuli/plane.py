"""The picture plane about a stimulus' origin: what can be said of every pixel at once.

Whatever is a sum or a product of something along the row and something along the column is kept
as those two until the end, in float64, so that a picture costs a few operations a pixel. Turning
by 90 degrees swaps the two and a sign, which no line here rounds differently.
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
    """Each pixel center's place along (`u`) and clockwise across (`v`) an orientation, in px."""

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
        Where everything that has a value a pixel is made.
    """

    x: Float64[Tensor, "batch width"]
    y: Float64[Tensor, "batch height"]
    device: torch.device

    @staticmethod
    def about(x: Values, y: Values, size: tuple[int, int], device: torch.device) -> "Plane":
        """The plane of a picture of `size` whose origin lies at `x`, `y` from its center."""
        down, across = (torch.arange(n).double() - (n - 1) / 2 for n in size)
        return Plane(across - x[:, None], down - y[:, None], device)

    def moved(self, direction: Values, distance: Values) -> "Plane":
        """The same pixels, with the origin moved on by `distance` pixels."""
        x, y = distance * cosd(direction), distance * sind(direction)
        return Plane(self.x - x[:, None], self.y - y[:, None], self.device)

    def column(self, values: Values) -> Column:
        """One number a picture, to be broadcast over its pixels."""
        return values.float().to(self.device)[:, None, None, None]

    def frame(self, orientation: Values) -> Frame:
        """Coordinates along and across `orientation`."""
        cos, sin = cosd(orientation)[:, None], sind(orientation)[:, None]
        return Frame(
            u=self._across(self.x * cos) + self._down(self.y * sin),
            v=self._down(self.y * cos) - self._across(self.x * sin),
        )

    def disc(self, radius: Values) -> Pixels:
        """Signed distance to a circle about the origin."""
        length = self._across(self.x**2) + self._down(self.y**2)
        return length.sqrt_().sub_(self.column(radius))

    def arc(self, orientation: Values, radius: Values) -> Pixels:
        """Signed distance to the circle whose apex towards `orientation` is the origin.

        |p + r n| − r is written as (|p|² + 2 r n·p) / (|p + r n| + r), in which nothing cancels:
        at a radius of 1e9 it is the straight edge, and at 0 the distance to the origin.
        """
        x, y = radius * cosd(orientation), radius * sind(orientation)
        difference = self._across(self.x * (self.x + 2 * x[:, None])) + self._down(
            self.y * (self.y + 2 * y[:, None])
        )
        # at the center rounding may leave less than nothing, and for a radius of 0 nothing
        length = (difference + self.column(radius**2)).clamp_min_(1e-12).sqrt_()
        return difference.div_(length.add_(self.column(radius)))

    def wave(self, frequency: Values, direction: Values, phase: Values) -> Pixels:
        """Samples of cos(2π · frequency · (distance along direction) + phase).

        `frequency` in cycles per pixel, `direction` and `phase` in degrees.
        """
        return self.waves(frequency[:, None], direction[:, None], phase[:, None])

    def waves(self, frequency: Several, direction: Several, phase: Several) -> Pixels:
        """The sum of several waves."""
        turn, half = 2 * math.pi * frequency, torch.deg2rad(phase / 2)[..., None]
        x = (turn * cosd(direction))[..., None] * self.x[:, None] + half
        y = (turn * sind(direction))[..., None] * self.y[:, None] + half
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
        """A Gaussian of standard deviation `sigma` pixels about the origin, 1 at its peak."""
        x, y = (torch.exp(-0.5 * (axis / sigma[:, None]) ** 2) for axis in (self.x, self.y))
        return self._across(x) * self._down(y)

    def _across(self, row: Float64[Tensor, "batch width"]) -> Float32[Tensor, "batch 1 1 width"]:
        return row.float().to(self.device)[:, None, None, :]

    def _down(self, column: Float64[Tensor, "batch height"]) -> Float32[Tensor, "batch 1 height 1"]:
        return column.float().to(self.device)[:, None, :, None]
