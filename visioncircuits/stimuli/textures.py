"""Textures: band-limited noise, hatches, checkerboards, dots."""

import math
from typing import Unpack

import torch
from jaxtyping import Float64
from torch import Tensor

from visioncircuits.stimuli.color import BLACK, WHITE, Color
from visioncircuits.stimuli.drawing import Canvas, Drawing
from visioncircuits.stimuli.gratings import folded, stripes
from visioncircuits.stimuli.stimulus import Parameter, Stimulus

# Enough for the sum to be distributed like Gaussian noise.
_WAVES = 64


def noise(
    *,
    seed: Parameter = 0,
    orientation: Parameter = 0.0,
    longest: Parameter = 24.0,
    shortest: Parameter = 4.0,
    contrast: Parameter = 0.25,
    ink: Color = WHITE,
    ground: Color = BLACK,
    **canvas: Unpack[Canvas],
) -> Stimulus:
    """Draw band-limited noise: a sum of waves of random direction, frequency and phase.

    The noise is a function of the plane, not of a picture: other sizes and positions are crops of
    the same noise.

    Parameters
    ----------
    seed : Parameter
        A whole number; each yields a different noise.
    orientation : Parameter
        Rotation of the noise, degrees.
    longest, shortest : Parameter
        Periods at the ends of the band, in pixels.
    contrast : Parameter
        Standard deviation of the share of ink about one half, in [0, 0.5]; values beyond ink or
        ground are clipped.
    ink, ground : Color
        The two extremes of the noise.
    **canvas : Canvas
        ``x``, ``y``, ``size``, ``device``.

    Returns
    -------
    Stimulus
        Its mask is the share of ink.

    Raises
    ------
    InputError
        If a seed is not a whole number from 0, the shortest period is below 2 pixels or above the
        longest, or the contrast is outside [0, 0.5].

    Examples
    --------
    >>> small, large = noise(seed=3, size=8).mask, noise(seed=3, size=16).mask
    >>> torch.equal(small, large[:, :, 4:12, 4:12])
    True
    """
    drawing = Drawing(
        canvas,
        seed=seed,
        orientation=orientation,
        longest=longest,
        shortest=shortest,
        contrast=contrast,
        ink=ink,
        ground=ground,
    )
    seeds = drawing["seed"]
    drawing.require((seeds >= 0) & (seeds == seeds.round()), "seed", "a whole number from 0")
    drawing.within("shortest", 2.0, math.inf, "shorter waves alias")
    drawing.require(
        drawing["longest"] >= drawing["shortest"], "longest", "at least the shortest period"
    )
    drawing.within("contrast", 0.0, 0.5)
    frequency, direction, phase = torch.stack([_random(int(s)) for s in seeds]).unbind(2)
    slowest, fastest = (1 / drawing[name][:, None] for name in ("longest", "shortest"))
    total = drawing.plane.waves(
        slowest + (fastest - slowest) * frequency,
        drawing["orientation"][:, None] + 360.0 * direction,
        360.0 * phase,
    )
    # a wave's variance is one half
    amplitude = drawing.plane.column(drawing["contrast"] * math.sqrt(2 / _WAVES))
    return drawing.paint((0.5 + amplitude * total).clamp(0, 1))


def hatch(
    *,
    orientation: Parameter = 0.0,
    between: Parameter = 90.0,
    period: Parameter = 10.0,
    width: Parameter = 2.0,
    ink: Color = BLACK,
    ground: Color = WHITE,
    **canvas: Unpack[Canvas],
) -> Stimulus:
    """Draw two sets of parallel lines that cross; at 90 degrees, a square grid.

    Parameters
    ----------
    orientation : Parameter
        Of the first set's lines, degrees.
    between : Parameter
        From the first set to the second, clockwise, degrees.
    period : Parameter
        Distance between lines, in pixels; one line of each set passes through the origin.
    width : Parameter
        Of a line, in pixels.
    ink, ground : Color
        Of the lines, and between them.
    **canvas : Canvas
        ``x``, ``y``, ``size``, ``device``.

    Returns
    -------
    Stimulus
        Its mask is the lines.

    Raises
    ------
    InputError
        If the width is not positive, or lines are less than 2 pixels apart.

    Examples
    --------
    >>> hatch(period=4.0, width=1.0, size=5).mask[0, 0, 0].tolist()
    [0.0, 0.0, 1.0, 0.0, 0.0]
    """
    drawing = Drawing(
        canvas,
        orientation=orientation,
        between=between,
        period=period,
        width=width,
        ink=ink,
        ground=ground,
    )
    drawing.stroke()
    drawing.require(
        drawing["period"] >= drawing["width"] + 2, "period", "at least the width and 2 pixels more"
    )
    period_column, width_column = drawing.column("period"), drawing.column("width")
    first, second = (
        stripes(drawing.padded.frame(direction).v, period_column, width_column)
        for direction in (drawing["orientation"], drawing["orientation"] + drawing["between"])
    )
    return drawing.paint(torch.maximum(first, second))


def checkerboard(
    *,
    orientation: Parameter = 0.0,
    cell: Parameter = 8.0,
    ink: Color = BLACK,
    ground: Color = WHITE,
    **canvas: Unpack[Canvas],
) -> Stimulus:
    """Draw a checkerboard, with four of its squares meeting at the origin.

    Parameters
    ----------
    orientation : Parameter
        Of its rows, degrees.
    cell : Parameter
        A square's side, in pixels.
    ink, ground, **canvas
        As in `hatch`.

    Returns
    -------
    Stimulus
        Its mask is the squares of ink: those below and right of the origin, and above and left.

    Raises
    ------
    InputError
        If a square is smaller than 1.42 pixels, a pixel's diagonal.

    Examples
    --------
    >>> checkerboard(cell=2.0, size=4).mask[0, 0].tolist()
    [[1.0, 1.0, 0.0, 0.0], [1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 1.0]]
    """
    drawing = Drawing(canvas, orientation=orientation, cell=cell, ink=ink, ground=ground)
    drawing.within("cell", 1.42, math.inf)
    cells = drawing["cell"]
    half, period, width = (drawing.plane.column(cells * share) for share in (0.5, 2.0, 1.0))
    frame = drawing.padded.frame(drawing["orientation"])
    along, across = (stripes(axis - half, period, width) for axis in frame)
    # covered by both stripes or by neither
    return drawing.paint((1 - along - across + 2 * along * across).clamp(0, 1))


def dots(
    *,
    orientation: Parameter = 0.0,
    period: Parameter = 12.0,
    radius: Parameter = 3.0,
    width: Parameter = 0.0,
    fill: Parameter = 1.0,
    ink: Color = BLACK,
    ground: Color = WHITE,
    **canvas: Unpack[Canvas],
) -> Stimulus:
    """Draw dots, or rings, repeated on a square grid, one of them about the origin.

    Parameters
    ----------
    orientation : Parameter
        Of the grid's rows, degrees.
    period : Parameter
        Distance between dots along a row, in pixels.
    radius : Parameter
        Of a dot, in pixels.
    width : Parameter
        Of the stroke around it, in pixels.
    fill : Parameter
        Opacity of the inside, from 0, a ring, to 1, a dot.
    ink, ground, **canvas
        As in `hatch`.

    Returns
    -------
    Stimulus
        Its mask is the dots.

    Raises
    ------
    InputError
        If the radius is not positive, stroke or fill is out of range, or the dots are not at
        least 2 pixels apart.

    Examples
    --------
    >>> pattern = dots(period=12.0, radius=3.0, size=24).mask
    >>> abs(pattern.mean().item() / (math.pi * 3.0**2 / 12.0**2) - 1) < 0.01
    True
    """
    drawing = Drawing(
        canvas,
        orientation=orientation,
        period=period,
        radius=radius,
        width=width,
        fill=fill,
        ink=ink,
        ground=ground,
    )
    drawing.positive("radius")
    drawing.stroke()
    drawing.require(
        drawing["period"] >= 2 * drawing["radius"] + drawing["width"] + 2,
        "period",
        "at least a dot's diameter with its stroke, and 2 pixels more",
    )
    u, v = (
        folded(axis, drawing.column("period"))
        for axis in drawing.padded.frame(drawing["orientation"])
    )
    distance = torch.sqrt(u * u + v * v) - drawing.column("radius")
    return drawing.paint(drawing.outlined(distance))


def _random(seed: int) -> Float64[Tensor, "waves 3"]:
    """Return each wave's frequency, direction and phase, in [0, 1), for one seed."""
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(_WAVES, 3, generator=generator, dtype=torch.float64)
