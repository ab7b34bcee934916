"""Angles and corners: two straight sides that meet at an apex, sharp or rounded.

Their orientation is the direction from the inside to the apex, in degrees clockwise from +x on
the screen (y down): at 270 an angle is a roof ∧.
"""

from typing import Unpack

import torch

from visioncircuits.stimuli.color import BLACK, WHITE, Color, rgb
from visioncircuits.stimuli.curves import STRAIGHT
from visioncircuits.stimuli.drawing import Canvas, Drawing, Parameter
from visioncircuits.stimuli.plane import Pixels, Plane, Values
from visioncircuits.stimuli.stimulus import Stimulus


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
    Over 60 px an arc of radius 38.2 px turns by 90 degrees:

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
        Of its sides, in pixels; 0 leaves the filled corner's bare edge.
    fill : Parameter
        Opacity of the inside, from 0, two lines, to 1, a filled wedge.
    ink, ground, **canvas
        As in `line`.

    Returns
    -------
    Stimulus
        Its mask is the sides, and as much of the inside as `fill` says.

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
        ink=rgb(ink),
        ground=rgb(ground),
    )
    openings = drawing["opening"]
    drawing.require((openings > 0) & (openings <= 180), "opening", "above 0 and at most 180")
    drawing.within("fill", 0.0, 1.0)
    drawing.stroke()
    distance = bend(
        drawing.margined, drawing["orientation"], 180.0 - openings, torch.zeros_like(openings)
    )
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
