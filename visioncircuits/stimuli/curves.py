"""Curves: single arcs, and pairs of them.

A curve's orientation is the direction from its center of curvature to its apex, in degrees
clockwise from +x on the screen (y down): 270 is an arch ∩, 90 a cup ∪.
"""

import math
from typing import Unpack

import torch

from visioncircuits.stimuli.color import BLACK, WHITE, Color
from visioncircuits.stimuli.coverage import covered
from visioncircuits.stimuli.drawing import Canvas, Drawing
from visioncircuits.stimuli.plane import Pixels, Plane, Values
from visioncircuits.stimuli.stimulus import Parameter, Stimulus

STRAIGHT = 1e9
"""The radius in pixels from which a curve is drawn as a straight line."""


def curve(
    *,
    orientation: Parameter = 270.0,
    radius: Parameter = 60.0,
    length: Parameter = math.inf,
    width: Parameter = 1.67,
    fill: Parameter = 0.0,
    ink: Color = BLACK,
    ground: Color = WHITE,
    **canvas: Unpack[Canvas],
) -> Stimulus:
    """Draw an arc through the origin: the published synthetic curve.

    Parameters
    ----------
    orientation : Parameter
        From the center of curvature to the apex, which is the origin; degrees.
    radius : Parameter
        Of curvature, in pixels; ``math.inf`` is a straight line across the orientation.
    length : Parameter
        Along the arc and centered on its apex, in pixels. Infinite, the default, is the whole
        circle, as published. A finite one cuts stroke and fill along radii.
    width : Parameter
        Of the stroke, in pixels; at 0 the filled shape has no stroke.
    fill : Parameter
        Opacity of the side of the center of curvature, from 0, a line, to 1, a filled shape.
    ink, ground : Color
        Of the curve, and around it.
    **canvas : Canvas
        ``x``, ``y``, ``size``, ``device``.

    Returns
    -------
    Stimulus
        Its mask is the stroke, plus the inside at the opacity `fill`.

    Raises
    ------
    InputError
        If a radius or a length is not positive, a stroke has no width or is wider than the
        picture, or a fill is outside [0, 1].

    Notes
    -----
    Geometry fitted to the published pictures of "Curve Detectors" (Cammarata et al., 2020):
    a black circle of stroke 1.67 px through the center of a white tile of 60 px, its radius from
    25.7 to 290 px.

    Examples
    --------
    An arch, whose ends lie below its apex:

    >>> arch = curve(orientation=270.0, radius=5.0, width=1.0, size=9)
    >>> arch.mask[0, 0, 4, 4].item(), arch.mask[0, 0, 8, 0].item() > arch.mask[0, 0, 0, 0].item()
    (1.0, True)
    """
    drawing = Drawing(
        canvas,
        unbounded=("radius", "length"),
        orientation=orientation,
        radius=radius,
        length=length,
        width=width,
        fill=fill,
        ink=ink,
        ground=ground,
    )
    drawing.positive("radius", "a straight line has the radius math.inf")
    drawing.positive("length")
    drawing.stroke()
    return drawing.paint(_arc(drawing, drawing.padded, drawing["orientation"]))


def double_curve(
    *,
    orientation: Parameter = 270.0,
    between: Parameter = 180.0,
    separation: Parameter = 20.0,
    radius: Parameter = 60.0,
    length: Parameter = math.inf,
    width: Parameter = 1.67,
    fill: Parameter = 0.0,
    ink: Color = BLACK,
    ground: Color = WHITE,
    **canvas: Unpack[Canvas],
) -> Stimulus:
    """Draw two curves, one a copy of the other, rotated about the origin.

    Parameters
    ----------
    orientation : Parameter
        Of the first curve; degrees.
    between : Parameter
        Angle from the first to the second, clockwise; degrees.
    separation : Parameter
        Distance between the apexes where `between` is 180, in pixels: each apex lies half of it
        from the origin, in the direction of its own orientation, or opposite to it where negative.
        At a `between` of 180 a positive separation draws ( ), a negative one ) (.
    radius, length, width, fill, ink, ground, **canvas
        As in `curve`.

    Returns
    -------
    Stimulus
        Its mask is the union of both curves.

    Raises
    ------
    InputError
        As `curve`, and if the apexes lie outside the picture.

    Notes
    -----
    The family Double Curves of "An Overview of Early Vision" (Olah et al., 2020), whose weights
    look like those of two curve detectors added together.

    Examples
    --------
    >>> lens = double_curve(orientation=0.0, separation=8.0, radius=20.0, size=33).mask[0, 0]
    >>> [x for x in range(33) if lens[16, x] == 1]
    [12, 20]
    """
    drawing = Drawing(
        canvas,
        unbounded=("radius", "length"),
        orientation=orientation,
        between=between,
        separation=separation,
        radius=radius,
        length=length,
        width=width,
        fill=fill,
        ink=ink,
        ground=ground,
    )
    drawing.positive("radius", "a straight line has the radius math.inf")
    drawing.positive("length")
    drawing.stroke()
    drawing.visible("separation", drawing["separation"].abs() / 2)
    first, second = (
        _arc(drawing, drawing.padded.moved(direction, drawing["separation"] / 2), direction)
        for direction in (drawing["orientation"], drawing["orientation"] + drawing["between"])
    )
    return drawing.paint(torch.maximum(first, second))


def _arc(drawing: Drawing, plane: Plane, orientation: Values) -> Pixels:
    """Return the share of each pixel in an arc through the plane's origin."""
    radius = drawing["radius"].clamp(max=STRAIGHT)
    figure = drawing.outlined(plane.arc(orientation, radius))
    half = drawing["length"] / 2 / radius
    if bool((half < math.pi).any()):
        figure *= covered(_wedge(plane, orientation, radius, half))
    return figure


def _wedge(plane: Plane, orientation: Values, radius: Values, half: Values) -> Pixels:
    """Return the signed distance to the two radii at `half` radians from an arc's apex."""
    whole = plane.column(half) >= math.pi
    half = half.clamp(max=math.pi)
    u, v = plane.frame(orientation)
    v = v.abs()
    cos, sin = torch.cos(half), torch.sin(half)
    distance = v * plane.column(cos) - u * plane.column(sin) - plane.column(radius * sin)
    along = u * plane.column(cos) + v * plane.column(sin) + plane.column(radius * cos)
    # beyond the center the nearest point of a radius is the center
    from_center = torch.sqrt((u + plane.column(radius)) ** 2 + v * v)
    distance = torch.where(along < 0, torch.copysign(from_center, distance), distance)
    return torch.where(whole, -math.inf, distance)
