"""From the distance to an edge to the share of each pixel that lies behind it.

A pixel is a unit square, and a shape covers some share of it. Where the edge is straight over the
pixel, that share is a closed formula of two things: how far the pixel's center is from the edge,
and which way the edge runs. Both are in the distance field, which is all a shape has to give.
"""

import torch
from jaxtyping import Float32
from torch import Tensor

# Farther from the edge than half its diagonal, a pixel is wholly on one side.
_REACH = 0.5**0.5 + 1e-3

Field = Float32[Tensor, "batch 1 rows columns"]
"""A value a pixel, with a margin of one pixel around the picture."""

Coverage = Float32[Tensor, "batch 1 rows-2 columns-2"]
"""A share of each pixel of the picture within a `Field`'s margin."""

Column = Float32[Tensor, "batch 1 1 1"]
Near = Float32[Tensor, " near"]


def covered(
    distance: Field,
    *,
    width: Column | None = None,
    fill: Column | None = None,
    facing: Field | None = None,
) -> Coverage:
    """Share of each pixel that a shape covers: its inside, or a stroke along its edge.

    Parameters
    ----------
    distance : Tensor, float32, (batch, 1, height + 2, width + 2)
        Signed distance of each pixel's center to the edge in pixels, negative inside, with a
        margin of one pixel around the picture: the edge runs on beyond the border.
    width : Tensor, float32, (batch, 1, 1, 1), optional
        Width of a stroke centerd on the edge, in pixels. Default 0.
    fill : Tensor, float32, (batch, 1, 1, 1), optional
        Opacity of the inside, from 0, the stroke alone, to 1, the shape whole out to the stroke's
        outer side. Default 1.
    facing : Tensor, float32, (batch, 1, height + 2, width + 2), optional
        A smooth field that rises across the edge, where the distance itself has a kink or a jump
        within two pixels of it, as between narrow stripes. Default the distance.

    Returns
    -------
    Tensor, float32, (batch, 1, height, width)
        In [0, 1]. Exact where the edge is straight over a pixel, within about 1 / (24 r) where
        its radius is r pixels.

    Examples
    --------
    An upright edge a quarter of a pixel right of the second of three pixels:

    >>> distance = torch.tensor([-2.25, -1.25, -0.25, 0.75, 1.75]).expand(1, 1, 3, 5)
    >>> covered(distance).tolist()
    [[[[1.0, 0.75, 0.0]]]]
    """
    batch = len(distance)
    half = distance.new_zeros(batch) if width is None else width.flatten() / 2
    opacity = distance.new_ones(batch) if fill is None else fill.flatten()
    shown = distance[:, :, 1:-1, 1:-1]
    whole = torch.where(shown < 0, opacity[:, None, None, None], 0.0)
    # almost every pixel is wholly in or out; the formula is for the few that are not
    b, _, y, x = (shown.abs() <= half[:, None, None, None] + _REACH).nonzero(as_tuple=True)
    near = shown[b, 0, y, x]
    major, minor = _normal(distance if facing is None else facing, b, y + 1, x + 1)
    outer = _share(near - half[b], major, minor)
    inner = _share(near + half[b], major, minor)
    whole[b, 0, y, x] = (outer - (1 - opacity[b]) * inner).clamp(0, 1)
    return whole


def _normal(field: Field, b: Tensor, y: Tensor, x: Tensor) -> tuple[Near, Near]:
    """The larger and smaller absolute components of the edge's unit normal, by differences."""
    across = (field[b, 0, y, x + 1] - field[b, 0, y, x - 1]).abs()
    down = (field[b, 0, y + 1, x] - field[b, 0, y - 1, x]).abs()
    length = torch.sqrt(across * across + down * down).clamp_min(1e-6)
    return torch.maximum(across, down) / length, torch.minimum(across, down) / length


def _share(distance: Near, major: Near, minor: Near) -> Near:
    """Share of a unit square on the inner side of a straight edge.

    The integral of the square's profile across the edge: a trapezoid, flat out to
    (major - minor) / 2 and zero from (major + minor) / 2.
    """
    # where the field has no slope there is no direction, and the edge is taken as upright
    major = major.clamp_min(0.5)
    reach, flat = (major + minor) / 2, (major - minor) / 2
    distance = torch.clamp(distance, -reach, reach)
    ramp = distance - torch.clamp(distance, -flat, flat)
    # an edge along an axis has no ramp, and nothing to divide by
    ramp = ramp * ramp.abs() / (2 * minor).clamp_min(1e-6)
    return 0.5 - (distance - ramp) / major
