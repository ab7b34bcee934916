"""Circles, spirals and evolutes: figures that enclose the origin."""

import math
from typing import Unpack

import torch

from visioncircuits.stimuli.color import BLACK, WHITE, Color
from visioncircuits.stimuli.coverage import covered
from visioncircuits.stimuli.drawing import Canvas, Drawing
from visioncircuits.stimuli.stimulus import Parameter, Stimulus


def circle(
    *,
    radius: Parameter = 20.0,
    width: Parameter = 1.67,
    fill: Parameter = 0.0,
    ink: Color = BLACK,
    ground: Color = WHITE,
    **canvas: Unpack[Canvas],
) -> Stimulus:
    """Draw a circle about the origin; with `fill` 1, a disc.

    Parameters
    ----------
    radius : Parameter
        In pixels.
    width, fill, ink, ground, **canvas
        As in `curve`.

    Returns
    -------
    Stimulus
        Its mask is the stroke, plus the inside at the opacity `fill`.

    Raises
    ------
    InputError
        If the radius is not positive, the whole circle lies outside the picture, or the stroke
        or fill is out of range.

    Examples
    --------
    >>> disc = circle(radius=10.0, width=0.0, fill=1.0, size=32)
    >>> abs(disc.mask.sum().item() / (math.pi * 10.0**2) - 1) < 1e-3
    True
    """
    drawing = Drawing(canvas, radius=radius, width=width, fill=fill, ink=ink, ground=ground)
    drawing.positive("radius")
    drawing.stroke()
    drawing.visible("radius", drawing["radius"] - drawing["width"] / 2)
    return drawing.paint(drawing.outlined(drawing.padded.disc(drawing["radius"])))


def spiral(
    *,
    orientation: Parameter = 0.0,
    pitch: Parameter = 12.0,
    radius: Parameter = 30.0,
    width: Parameter = 1.67,
    ink: Color = BLACK,
    ground: Color = WHITE,
    **canvas: Unpack[Canvas],
) -> Stimulus:
    """Draw an Archimedean spiral that starts at the origin.

    Parameters
    ----------
    orientation : Parameter
        Direction in which the spiral leaves the origin; degrees.
    pitch : Parameter
        Distance between successive windings, in pixels. Outward, the spiral runs clockwise where it
        is positive, counterclockwise where negative.
    radius : Parameter
        Distance from the origin at which it ends, in pixels.
    width, ink, ground, **canvas
        As in `curve`.

    Returns
    -------
    Stimulus
        Its mask is the stroke.

    Raises
    ------
    InputError
        If the radius is not positive, the stroke has no width or is wider than the picture, or the
        windings are not at least a stroke and 4 pixels apart.

    Examples
    --------
    >>> row = spiral(orientation=0.0, pitch=8.0, radius=20.0, size=41).mask[0, 0, 20]
    >>> [x - 20 for x in range(20, 41) if row[x] > 0.9]
    [8, 16]
    """
    drawing = Drawing(
        canvas,
        orientation=orientation,
        pitch=pitch,
        radius=radius,
        width=width,
        ink=ink,
        ground=ground,
    )
    drawing.positive("radius")
    drawing.stroke()
    pitches = drawing["pitch"]
    drawing.require(
        pitches.abs() >= drawing["width"] + 4, "pitch", "at least the width and 4 pixels more"
    )
    frame = drawing.padded.frame(drawing["orientation"])
    u, v = frame.u, frame.v * drawing.plane.column(pitches.sign())
    # distance outward for each radian
    rate = drawing.plane.column(pitches.abs() / (2 * math.pi))
    rho = torch.sqrt(u * u + v * v)
    # atan, not atan2, whose last bit depends on a pixel's position in memory
    azimuth = torch.atan(v / u)
    full = torch.where(v < 0, azimuth + 2 * math.pi, azimuth)
    azimuth = torch.where(u < 0, azimuth + math.pi, full)
    azimuth = torch.where(rho == 0, 0.0, azimuth)
    unwound = azimuth + 2 * math.pi * torch.round((rho / rate - azimuth) / (2 * math.pi))
    slant = torch.rsqrt(1 + (rate / rho.clamp_min(1e-6)) ** 2)
    stroke = covered(
        (rho - rate * unwound) * slant,
        width=drawing.column("width"),
        fill=torch.zeros_like(rate),
    )
    end = covered((unwound - drawing.column("radius") / rate) * rho)
    return drawing.paint(stroke * end)


def evolute(
    *,
    orientation: Parameter = 0.0,
    radius: Parameter = 30.0,
    width: Parameter = 1.67,
    fill: Parameter = 0.0,
    ink: Color = BLACK,
    ground: Color = WHITE,
    **canvas: Unpack[Canvas],
) -> Stimulus:
    """Draw a four-pointed star of arcs that bend toward the origin: a circle inside out.

    Parameters
    ----------
    orientation : Parameter
        Direction of one of the four points; degrees.
    radius : Parameter
        Of each arc, and from the origin to each point, in pixels.
    width, fill, ink, ground, **canvas
        As in `curve`.

    Returns
    -------
    Stimulus
        Its mask is the stroke, plus the inside at the opacity `fill`.

    Raises
    ------
    InputError
        As `circle`.

    Notes
    -----
    Named after the unit mixed3b:373 of "An Overview of Early Vision": curves whose apexes point to
    the center, where those of a circle point away from it. Like the evolute of an ellipse it has
    four cusps; each of its arcs is a quarter of a circle.

    Examples
    --------
    >>> star = evolute(radius=12.0, width=0.0, fill=1.0, size=32)
    >>> abs(star.mask.sum().item() / ((4 - math.pi) * 12.0**2) - 1) < 0.02
    True
    """
    drawing = Drawing(
        canvas,
        orientation=orientation,
        radius=radius,
        width=width,
        fill=fill,
        ink=ink,
        ground=ground,
    )
    drawing.positive("radius")
    drawing.stroke()
    drawing.visible("radius", drawing["radius"] * (math.sqrt(2) - 1) - drawing["width"] / 2)
    radii = drawing.column("radius")
    u, v = (axis.abs() for axis in drawing.padded.frame(drawing["orientation"]))
    # by symmetry one arc is enough: about the corner (r, r), between the points (r, 0) and (0, r)
    from_arc = radii - torch.sqrt((radii - u) ** 2 + (radii - v) ** 2)
    beyond, beside = torch.maximum(u, v) - radii, torch.minimum(u, v)
    from_point = torch.sqrt(beyond**2 + beside**2)
    distance = torch.where(beyond > 0, from_point, from_arc)
    return drawing.paint(drawing.outlined(distance))
