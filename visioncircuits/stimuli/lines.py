"""Lines, edges, bars, line ends, crossing and diverging lines.

A line's orientation is its own direction, in [0, 180) degrees clockwise from +x on the screen
(y down). A line end's points from the line to its end, an edge's from its ink to its ground, both
in [0, 360).
"""

import functools
from typing import Unpack

import torch

from visioncircuits.stimuli.color import BLACK, WHITE, Color
from visioncircuits.stimuli.coverage import Coverage, Field, covered
from visioncircuits.stimuli.drawing import Canvas, Drawing
from visioncircuits.stimuli.plane import Column
from visioncircuits.stimuli.stimulus import Parameter, Stimulus


def line(
    *,
    orientation: Parameter = 0.0,
    width: Parameter = 1.67,
    ink: Color = BLACK,
    ground: Color = WHITE,
    **canvas: Unpack[Canvas],
) -> Stimulus:
    """Draw an infinite line through the origin.

    Parameters
    ----------
    orientation : Parameter
        Of the line, degrees.
    width : Parameter
        In pixels.
    ink, ground : Color
        Of the line, and around it.
    **canvas : Canvas
        ``x``, ``y``, ``size``, ``device``.

    Returns
    -------
    Stimulus
        Its mask is the line.

    Raises
    ------
    InputError
        If the width is not positive, or not less than the picture's.

    Examples
    --------
    >>> line(orientation=0.0, width=1.0, size=3).mask[0, 0, :, 1].tolist()
    [0.0, 1.0, 0.0]
    """
    drawing = Drawing(canvas, orientation=orientation, width=width, ink=ink, ground=ground)
    drawing.stroke()
    _, v = drawing.padded.frame(drawing["orientation"])
    return drawing.paint(_stroke(v, drawing.column("width")))


def edge(
    *,
    orientation: Parameter = 0.0,
    ink: Color = BLACK,
    ground: Color = WHITE,
    **canvas: Unpack[Canvas],
) -> Stimulus:
    """Draw a straight edge through the origin, from `ink` to `ground`.

    Parameters
    ----------
    orientation : Parameter
        Across the edge, from ink to ground; degrees in [0, 360).
    ink, ground, **canvas
        As in `line`.

    Returns
    -------
    Stimulus
        Its mask is the side of the ink.

    Raises
    ------
    InputError
        If the origin is not in the picture.

    Examples
    --------
    >>> edge(orientation=0.0, size=(1, 4)).mask[0, 0, 0].tolist()
    [1.0, 1.0, 0.0, 0.0]
    """
    drawing = Drawing(canvas, orientation=orientation, ink=ink, ground=ground)
    return drawing.paint(covered(drawing.padded.frame(drawing["orientation"]).u))


def bar(
    *,
    orientation: Parameter = 0.0,
    length: Parameter = 40.0,
    width: Parameter = 8.0,
    ink: Color = BLACK,
    ground: Color = WHITE,
    **canvas: Unpack[Canvas],
) -> Stimulus:
    """Draw a rectangle about the origin.

    Parameters
    ----------
    orientation : Parameter
        Of its long axis, degrees.
    length, width : Parameter
        In pixels.
    ink, ground, **canvas
        As in `line`.

    Returns
    -------
    Stimulus
        Its mask is the bar.

    Raises
    ------
    InputError
        If length or width are not positive, or the width is not less than the picture's.

    Examples
    --------
    >>> round(bar(orientation=30.0, length=20.0, width=4.0, size=32).mask.sum().item(), 1)
    80.0
    """
    drawing = Drawing(
        canvas, orientation=orientation, length=length, width=width, ink=ink, ground=ground
    )
    drawing.positive("length")
    drawing.stroke()
    u, v = drawing.padded.frame(drawing["orientation"])
    return drawing.paint(_stroke(v, drawing.column("width")) * _stroke(u, drawing.column("length")))


def line_end(
    *,
    orientation: Parameter = 0.0,
    width: Parameter = 1.67,
    ink: Color = BLACK,
    ground: Color = WHITE,
    **canvas: Unpack[Canvas],
) -> Stimulus:
    """Draw a line that starts at the picture's border and ends at the origin.

    Parameters
    ----------
    orientation : Parameter
        From the line to its end, degrees in [0, 360): at 0 the line starts at the left border.
    width, ink, ground, **canvas
        As in `line`.

    Returns
    -------
    Stimulus
        Its mask is the line.

    Raises
    ------
    InputError
        As `line`.

    Examples
    --------
    >>> line_end(orientation=0.0, width=1.0, size=(3, 4)).mask[0, 0, 1].tolist()
    [1.0, 1.0, 0.0, 0.0]
    """
    drawing = Drawing(canvas, orientation=orientation, width=width, ink=ink, ground=ground)
    drawing.stroke()
    u, v = drawing.padded.frame(drawing["orientation"])
    return drawing.paint(_stroke(v, drawing.column("width")) * covered(u))


def crossing_lines(
    *,
    orientation: Parameter = 0.0,
    between: Parameter = 90.0,
    width: Parameter = 1.67,
    ink: Color = BLACK,
    ground: Color = WHITE,
    **canvas: Unpack[Canvas],
) -> Stimulus:
    """Draw two infinite lines that cross at the origin.

    Parameters
    ----------
    orientation : Parameter
        Of the first line, degrees.
    between : Parameter
        From the first to the second, clockwise, degrees.
    width, ink, ground, **canvas
        As in `line`.

    Returns
    -------
    Stimulus
        Its mask is the union of both lines.

    Raises
    ------
    InputError
        As `line`.

    Examples
    --------
    >>> cross = crossing_lines(width=1.0, size=5)
    >>> cross.mask.sum().item()
    9.0
    """
    drawing = Drawing(
        canvas, orientation=orientation, between=between, width=width, ink=ink, ground=ground
    )
    drawing.stroke()
    first, second = (
        _stroke(drawing.padded.frame(direction).v, drawing.column("width"))
        for direction in (drawing["orientation"], drawing["orientation"] + drawing["between"])
    )
    return drawing.paint(torch.maximum(first, second))


def diverging_lines(
    *,
    orientation: Parameter = 0.0,
    spread: Parameter = 90.0,
    count: Parameter = 4,
    width: Parameter = 1.67,
    ink: Color = BLACK,
    ground: Color = WHITE,
    **canvas: Unpack[Canvas],
) -> Stimulus:
    """Draw lines that diverge from the origin, like a fan.

    Parameters
    ----------
    orientation : Parameter
        Of the fan's middle, degrees in [0, 360).
    spread : Parameter
        Angle from the first to the last line, degrees.
    count : Parameter
        Number of lines, a whole number from 2 to 64; 2 form a V.
    width, ink, ground, **canvas
        As in `line`.

    Returns
    -------
    Stimulus
        Its mask is the union of all lines.

    Raises
    ------
    InputError
        As `line`, and if the spread is not in [0, 360] or the count is not a whole number from
        2 to 64.

    Notes
    -----
    The family Line Divergence (conv2d2) of "An Overview of Early Vision" (Olah et al., 2020).

    Examples
    --------
    >>> fan = diverging_lines(orientation=0.0, spread=180.0, count=3, width=1.0, size=5).mask[0, 0]
    >>> fan[2].tolist(), fan[:, 2].tolist()
    ([0.0, 0.0, 0.5, 1.0, 1.0], [1.0, 1.0, 0.5, 1.0, 1.0])
    """
    drawing = Drawing(
        canvas,
        orientation=orientation,
        spread=spread,
        count=count,
        width=width,
        ink=ink,
        ground=ground,
    )
    counts = drawing["count"]
    drawing.within("count", 2, 64)
    drawing.require(counts == counts.round(), "count", "a whole number")
    drawing.within("spread", 0.0, 360.0)
    drawing.stroke()
    rays = []
    for index in range(int(counts.max())):
        offset = drawing["spread"] * (index / (counts - 1) - 0.5)
        # counts may differ in a batch: a picture's surplus lines coincide with its last
        offset = torch.where(index < counts, offset, drawing["spread"] / 2)
        u, v = drawing.padded.frame(drawing["orientation"] + offset)
        rays.append(_stroke(v, drawing.column("width")) * covered(-u))
    return drawing.paint(functools.reduce(torch.maximum, rays))


def _stroke(distance: Field, width: Column) -> Coverage:
    """Return the share of each pixel in a band of `width` around distance zero."""
    return covered(distance, width=width, fill=torch.zeros_like(width))
