"""Angles and corners: two straight sides that meet at an apex, sharp or rounded.

Their orientation is the direction from the inside to the apex, in degrees clockwise from +x on
the screen (y down): at 270 an angle is a roof ∧.
"""

from typing import Unpack

import torch

from visioncircuits.stimuli.color import BLACK, WHITE, Color
from visioncircuits.stimuli.curves import STRAIGHT
from visioncircuits.stimuli.drawing import Canvas, Drawing
from visioncircuits.stimuli.plane import Pixels, Plane, Values
from visioncircuits.stimuli.stimulus import Parameter, Stimulus


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
    """Draw an angle, an arc, or a shape between the two: a curve that bends only near its apex.

    It bends by the same angle as an arc of `radius` does over `span` pixels, but within the middle
    ``roundness * span`` pixels; beyond them both sides are straight.

    Parameters
    ----------
    orientation : Parameter
        From the inside to the apex, which is the origin; degrees.
    radius : Parameter
        Of the arc at a roundness of 1, in pixels; ``math.inf`` is straight.
    roundness : Parameter
        From 0, a corner, to 1, an arc.
    span : Parameter
        The length of that arc, in pixels.
    width, fill, ink, ground, **canvas
        As in `curve`.

    Returns
    -------
    Stimulus
        Its mask is the stroke, plus the inside at the opacity `fill`.

    Raises
    ------
    InputError
        As `curve`, and if the roundness is outside [0, 1] or the arc bends by 180 degrees or more.

    Notes
    -----
    "Curve Detectors" goes from angles to curves in four steps over the axes of its curves. The
    openings of its angles are not published; here an angle and the curve of the same radius bend
    by the same angle over `span`, by default the width of the published tile.

    Examples
    --------
    Over 60 px an arc of radius 38.2 px bends by 90 degrees:

    >>> right_angle = angle(radius=38.2, roundness=0.0, span=60.0, size=60)
    >>> torch.allclose(right_angle.mask, corner(opening=90.0, size=60).mask, atol=0.01)
    True
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
        ink=ink,
        ground=ground,
    )
    drawing.positive("radius", "a straight line has the radius math.inf")
    drawing.positive("span")
    drawing.within("roundness", 0.0, 1.0)
    drawing.stroke()
    arc_radius = drawing["radius"].clamp(max=STRAIGHT)
    bending = torch.rad2deg(drawing["span"] / arc_radius)
    drawing.require(
        bending < 180.0,
        "radius",
        "such that the span bends by less than 180 degrees",
        "make radius larger or span shorter",
    )
    distance = bend(
        drawing.padded, drawing["orientation"], bending, drawing["roundness"] * arc_radius
    )
    return drawing.paint(drawing.outlined(distance))


def corner(
    *,
    orientation: Parameter = 270.0,
    opening: Parameter = 90.0,
    width: Parameter = 1.67,
    fill: Parameter = 0.0,
    ink: Color = BLACK,
    ground: Color = WHITE,
    **canvas: Unpack[Canvas],
) -> Stimulus:
    """Draw a corner whose apex is the origin.

    Parameters
    ----------
    orientation : Parameter
        From the inside to the apex, degrees in [0, 360): at 270 it is a roof ∧.
    opening : Parameter
        Between its sides, in (0, 180] degrees.
    width : Parameter
        Of its sides, in pixels; at 0 the filled corner has no stroke.
    fill : Parameter
        Opacity of the inside, from 0, two lines, to 1, a filled wedge.
    ink, ground, **canvas
        As in `line`.

    Returns
    -------
    Stimulus
        Its mask is the sides, plus the inside at the opacity `fill`.

    Raises
    ------
    InputError
        If opening, fill or width are out of range.

    Examples
    --------
    A quadrant:

    >>> wedge = corner(orientation=225.0, opening=90.0, width=0.0, fill=1.0, size=4)
    >>> wedge.mask[0, 0, :, 3].tolist()
    [0.0, 0.0, 1.0, 1.0]
    """
    drawing = Drawing(
        canvas,
        orientation=orientation,
        opening=opening,
        width=width,
        fill=fill,
        ink=ink,
        ground=ground,
    )
    openings = drawing["opening"]
    drawing.require((openings > 0) & (openings <= 180), "opening", "above 0 and at most 180")
    drawing.stroke()
    distance = bend(
        drawing.padded, drawing["orientation"], 180.0 - openings, torch.zeros_like(openings)
    )
    return drawing.paint(drawing.outlined(distance))


def bend(plane: Plane, orientation: Values, bending: Values, radius: Values) -> Pixels:
    """Signed distance to two straight legs joined by an arc, its apex at the origin.

    The direction changes by `bending` degrees, less than 180, from one leg to the other; an arc of
    radius 0 is a corner.
    """
    u, v = plane.frame(orientation)
    v = v.abs()
    half = torch.deg2rad(bending / 2)
    cos, sin = torch.cos(half), torch.sin(half)
    # 1 - cos, without cancellation where the legs are nearly straight
    setback = plane.column(2 * radius * torch.sin(half / 2) ** 2)
    legs = u * plane.column(cos) + v * plane.column(sin) - setback
    on_arc = v * plane.column(cos) <= u * plane.column(sin) + plane.column(radius * sin)
    return torch.where(on_arc, plane.arc(orientation, radius), legs)
