"""Curves and what is made of them: angles, circles, spirals, double curves, evolutes.

A curve's orientation is the direction from its centre of curvature to its apex, in degrees
clockwise from +x on the screen (y down): 270 is an arch ∩, 90 a cup ∪.
"""

import math
from typing import Unpack

import torch

from visioncircuits.stimuli.color import BLACK, WHITE, Color, rgb
from visioncircuits.stimuli.coverage import covered
from visioncircuits.stimuli.drawing import Canvas, Drawing, Parameter
from visioncircuits.stimuli.plane import Pixels, Plane, Values
from visioncircuits.stimuli.stimulus import Stimulus

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
        From the centre of curvature to the apex, which is the origin; degrees.
    radius : Parameter
        Of curvature, in pixels; ``math.inf`` is a straight line across the orientation.
    length : Parameter
        Along the arc and centred on its apex, in pixels. Infinite, the default, is the whole
        circle, as published. A finite one cuts stroke and fill along radii.
    width : Parameter
        Of the stroke, in pixels; 0 leaves the filled shape's bare edge.
    fill : Parameter
        Opacity of the side of the centre of curvature, from 0, a line, to 1, a filled shape.
    ink, ground : Color
        Of the curve, and around it.
    **canvas : Canvas
        ``x``, ``y``, ``size``, ``device``.

    Returns
    -------
    Stimulus
        Its mask is the stroke, and as much of the inside as `fill` says.

    Raises
    ------
    InputError
        If a radius or a length is not positive, a stroke is nothing or wider than the picture, or
        a fill is outside [0, 1].

    Notes
    -----
    Geometry fitted to the published pictures of "Curve Detectors" (Cammarata et al., 2020):
    a black circle of stroke 1.67 px through the centre of a white tile of 60 px, its radius from
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
        ink=rgb(ink),
        ground=rgb(ground),
    )
    drawing.positive("radius", "a straight line has the radius math.inf")
    drawing.positive("length")
    drawing.within("fill", 0.0, 1.0)
    drawing.stroke()
    return drawing.paint(_arc(drawing, drawing.margined, drawing["orientation"]))


def angle(
    *,
    orientation: Parameter = 270.0,
    radius: Parameter = 60.0,
    roundness: Parameter = 0.0,
    span: Parameter = 60.0,
    width: Parameter = 1.67,
    fill: Parameter = 0.0,
    ink: Color = BLACK,
    ground: Color = WHITE,
    **canvas: Unpack[Canvas],
) -> Stimulus:
    """Draw a curve whose bending is gathered at its apex: an angle, or any step from it to an arc.

    It turns as far as an arc of `radius` does over `span` pixels, but within the middle
    ``roundness * span`` pixels of them; from there it runs straight.

    Parameters
    ----------
    orientation : Parameter
        From the inside to the apex, which is the origin; degrees.
    radius : Parameter
        Of the arc that a roundness of 1 gives, in pixels; ``math.inf`` is straight.
    roundness : Parameter
        From 0, a corner, to 1, an arc.
    span : Parameter
        The length of that arc, in pixels.
    width, fill, ink, ground, **canvas
        As in `curve`.

    Returns
    -------
    Stimulus
        Its mask is the stroke, and as much of the inside as `fill` says.

    Raises
    ------
    InputError
        As `curve`, and if the roundness is outside [0, 1] or the arc turns by 180 degrees or more.

    Notes
    -----
    "Curve Detectors" goes from angles to curves in four steps over the axes of its curves. How its
    angles open is not published; here an angle and the curve of the same radius turn equally far
    over `span`, by default the width of the published tile.

    Examples
    --------
    >>> right_angle = angle(radius=38.2, roundness=0.0, span=60.0)
    >>> round(60.0 / 38.2 * 180 / math.pi)
    90
    """
    drawing = Drawing(
        canvas,
        unbounded=("radius",),
        orientation=orientation,
        radius=radius,
        roundness=roundness,
        span=span,
        width=width,
        fill=fill,
        ink=rgb(ink),
        ground=rgb(ground),
    )
    drawing.positive("radius", "a straight line has the radius math.inf")
    drawing.positive("span")
    drawing.within("roundness", 0.0, 1.0)
    drawing.within("fill", 0.0, 1.0)
    drawing.stroke()
    arc_radius = drawing["radius"].clamp(max=STRAIGHT)
    turn = torch.rad2deg(drawing["span"] / arc_radius)
    drawing.require(
        turn < 180.0,
        "radius",
        "such that the span turns by less than 180 degrees",
        "make radius larger or span shorter",
    )
    distance = bend(
        drawing.margined, drawing["orientation"], turn, drawing["roundness"] * arc_radius
    )
    return drawing.paint(drawing.outlined(distance))


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
        Its mask is the stroke, and as much of the inside as `fill` says.

    Raises
    ------
    InputError
        If the radius is not positive, the circle lies wholly outside the picture, or stroke or
        fill are out of range.

    Examples
    --------
    >>> disc = circle(radius=10.0, width=0.0, fill=1.0, size=32)
    >>> abs(disc.mask.sum().item() / (math.pi * 10.0**2) - 1) < 1e-3
    True
    """
    drawing = Drawing(
        canvas, radius=radius, width=width, fill=fill, ink=rgb(ink), ground=rgb(ground)
    )
    drawing.positive("radius")
    drawing.within("fill", 0.0, 1.0)
    drawing.stroke()
    drawing.seen("radius", drawing["radius"] - drawing["width"] / 2)
    return drawing.paint(drawing.outlined(drawing.margined.disc(drawing["radius"])))


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
    """Draw two curves, one the other's copy turned about the origin.

    Parameters
    ----------
    orientation : Parameter
        Of the first curve; degrees.
    between : Parameter
        How far the second is turned, clockwise; degrees.
    separation : Parameter
        Between the apexes of two curves turned by 180 degrees, in pixels: each apex lies half of
        it from the origin, towards its own orientation, or away from it where negative. So at a
        `between` of 180 a positive separation gives ( ), a negative one ) (.
    radius, length, width, fill, ink, ground, **canvas
        As in `curve`.

    Returns
    -------
    Stimulus
        Its mask is that of either curve.

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
        ink=rgb(ink),
        ground=rgb(ground),
    )
    drawing.positive("radius", "a straight line has the radius math.inf")
    drawing.positive("length")
    drawing.within("fill", 0.0, 1.0)
    drawing.stroke()
    drawing.seen("separation", drawing["separation"].abs() / 2)
    first, second = (
        _arc(drawing, drawing.margined.moved(towards, drawing["separation"] / 2), towards)
        for towards in (drawing["orientation"], drawing["orientation"] + drawing["between"])
    )
    return drawing.paint(torch.maximum(first, second))


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
    """Draw an Archimedean spiral out of the origin.

    Parameters
    ----------
    orientation : Parameter
        Direction in which the spiral leaves the origin; degrees.
    pitch : Parameter
        Between its turns, in pixels; outwards it turns clockwise where positive, anticlockwise
        where negative.
    radius : Parameter
        At which it ends, in pixels.
    width, ink, ground, **canvas
        As in `curve`.

    Returns
    -------
    Stimulus
        Its mask is the stroke.

    Raises
    ------
    InputError
        If the radius is not positive, the stroke is nothing or wider than the picture, or the
        turns are not at least a stroke and 4 pixels apart.

    Examples
    --------
    >>> turns = spiral(orientation=0.0, pitch=8.0, radius=20.0, size=41).mask[0, 0, 20]
    >>> [x - 20 for x in range(20, 41) if turns[x] > 0.9]
    [8, 16]
    """
    drawing = Drawing(
        canvas,
        orientation=orientation,
        pitch=pitch,
        radius=radius,
        width=width,
        ink=rgb(ink),
        ground=rgb(ground),
    )
    drawing.positive("radius")
    drawing.stroke()
    pitches = drawing["pitch"]
    drawing.require(
        pitches.abs() >= drawing["width"] + 4, "pitch", "at least the width and 4 pixels more"
    )
    frame = drawing.margined.frame(drawing["orientation"])
    u, v = frame.u, frame.v * drawing.plane.column(pitches.sign())
    # a turn of one radian takes the spiral this far out
    rate = drawing.plane.column(pitches.abs() / (2 * math.pi))
    rho = torch.sqrt(u * u + v * v)
    # atan, not atan2, whose last bit depends on where in memory a pixel lies
    around = torch.atan(v / u)
    around = torch.where(u < 0, around + math.pi, torch.where(v < 0, around + 2 * math.pi, around))
    around = torch.where(rho == 0, 0.0, around)
    turned = around + 2 * math.pi * torch.round((rho / rate - around) / (2 * math.pi))
    slant = torch.rsqrt(1 + (rate / rho.clamp_min(1e-6)) ** 2)
    stroke = covered(
        (rho - rate * turned) * slant,
        width=drawing.column("width"),
        fill=torch.zeros_like(rate),
    )
    end = covered((turned - drawing.column("radius") / rate) * rho)
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
    """Draw a four-pointed star of arcs that bend towards the origin: a circle inside out.

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
        Its mask is the stroke, and as much of the inside as `fill` says.

    Raises
    ------
    InputError
        As `circle`.

    Notes
    -----
    Named after the unit mixed3b:373 of "An Overview of Early Vision": curves whose apexes face the
    centre, where a circle's face away. Like the evolute of an ellipse it has four cusps; its arcs
    are a quarter of a circle each.

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
        ink=rgb(ink),
        ground=rgb(ground),
    )
    drawing.positive("radius")
    drawing.within("fill", 0.0, 1.0)
    drawing.stroke()
    drawing.seen("radius", drawing["radius"] * (math.sqrt(2) - 1) - drawing["width"] / 2)
    radii = drawing.column("radius")
    u, v = (axis.abs() for axis in drawing.margined.frame(drawing["orientation"]))
    # by symmetry one arc is enough: about the corner (r, r), between the points (r, 0) and (0, r)
    from_arc = radii - torch.sqrt((radii - u) ** 2 + (radii - v) ** 2)
    beyond, beside = torch.maximum(u, v) - radii, torch.minimum(u, v)
    from_point = torch.sqrt(beyond**2 + beside**2)
    distance = torch.where(beyond > 0, from_point, from_arc)
    return drawing.paint(drawing.outlined(distance))


def bend(plane: Plane, orientation: Values, turn: Values, radius: Values) -> Pixels:
    """Signed distance to two straight legs joined by an arc, its apex at the origin.

    `turn` degrees from the one leg to the other, less than 180; an arc of radius 0 is a corner.
    """
    u, v = plane.frame(orientation)
    v = v.abs()
    half = torch.deg2rad(turn / 2)
    cos, sin = torch.cos(half), torch.sin(half)
    # 1 - cos, without losing it where the legs are all but straight
    setback = plane.column(2 * radius * torch.sin(half / 2) ** 2)
    legs = u * plane.column(cos) + v * plane.column(sin) - setback
    on_arc = v * plane.column(cos) <= u * plane.column(sin) + plane.column(radius * sin)
    return torch.where(on_arc, plane.arc(orientation, radius), legs)


def _arc(drawing: Drawing, plane: Plane, orientation: Values) -> Pixels:
    """Share of each pixel in an arc through the plane's origin, of the drawing's parameters."""
    radius = drawing["radius"].clamp(max=STRAIGHT)
    figure = drawing.outlined(plane.arc(orientation, radius))
    half = drawing["length"] / 2 / radius
    if bool((half < math.pi).any()):
        figure *= covered(_wedge(plane, orientation, radius, half))
    return figure


def _wedge(plane: Plane, orientation: Values, radius: Values, half: Values) -> Pixels:
    """Signed distance to the two radii at an angle of `half` from an arc's apex, in radians."""
    whole = plane.column(half) >= math.pi
    half = half.clamp(max=math.pi)
    u, v = plane.frame(orientation)
    v = v.abs()
    cos, sin = torch.cos(half), torch.sin(half)
    distance = v * plane.column(cos) - u * plane.column(sin) - plane.column(radius * sin)
    along = u * plane.column(cos) + v * plane.column(sin) + plane.column(radius * cos)
    # behind the centre the nearest point of a radius is the centre
    from_centre = torch.sqrt((u + plane.column(radius)) ** 2 + v * v)
    distance = torch.where(along < 0, torch.copysign(from_centre, distance), distance)
    return torch.where(whole, -math.inf, distance)
