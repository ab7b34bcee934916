"""Lines, edges, bars, line ends, crossing and diverging lines.

A line's orientation is its own direction, in [0, 180) degrees clockwise from +x on the screen
(y down). A line end's points from the line to its end, an edge's from its ink to its ground, both
in [0, 360).
"""

import functools
from typing import Unpack

import torch

from visioncircuits.stimuli.color import BLACK, WHITE, Color, rgb
from visioncircuits.stimuli.coverage import Coverage, Field, covered
from visioncircuits.stimuli.drawing import Canvas, Drawing, Parameter
from visioncircuits.stimuli.plane import Column
from visioncircuits.stimuli.stimulus import Stimulus


def line(
    *,
    orientation: Parameter = 0.0,
    width: Parameter = 1.67,
    ink: Color = BLACK,
    ground: Color = WHITE,
    **canvas: Unpack[Canvas],
) -> Stimulus:
    """Draw an endless line through the origin.

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
    drawing = Drawing(
        canvas, orientation=orientation, width=width, ink=rgb(ink), ground=rgb(ground)
    )
    drawing.stroke()
    _, v = drawing.margined.frame(drawing["orientation"])
    return drawing.paint(_stroke(v, drawing.column("width")))


def edge(
    *,
    orientation: Parameter = 0.0,
    ink: Color = BLACK,
    ground: Color = WHITE,
    **canvas: Unpack[Canvas],
) -> Stimulus:
    """Draw a straight edge through the origin, with `ink` behind it and `ground` before it.

    Parameters
    ----------
    orientation : Parameter
        From ink to ground, across the edge; degrees in [0, 360).
    ink, ground, **canvas
        As in `line`.

    Returns
    -------
    Stimulus
        Its mask is the ink's side.

    Raises
    ------
    InputError
        If the origin is not in the picture.

    Examples
    --------
    >>> edge(orientation=0.0, size=(1, 4)).mask[0, 0, 0].tolist()
    [1.0, 1.0, 0.0, 0.0]
    """
    drawing = Drawing(canvas, orientation=orientation, ink=rgb(ink), ground=rgb(ground))
    return drawing.paint(covered(drawing.margined.frame(drawing["orientation"]).u))


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
        Of its length, degrees.
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
        canvas,
        orientation=orientation,
        length=length,
        width=width,
        ink=rgb(ink),
        ground=rgb(ground),
    )
    drawing.positive("length")
    drawing.stroke()
    u, v = drawing.margined.frame(drawing["orientation"])
    return drawing.paint(_stroke(v, drawing.column("width")) * _stroke(u, drawing.column("length")))


def line_end(
    *,
    orientation: Parameter = 0.0,
    width: Parameter = 1.67,
    ink: Color = BLACK,
    ground: Color = WHITE,
    **canvas: Unpack[Canvas],
) -> Stimulus:
    """Draw a line that comes from the picture's border and ends at the origin.

    Parameters
    ----------
    orientation : Parameter
        In which the line runs to its end, degrees in [0, 360): at 0 it comes from the left.
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
    drawing = Drawing(
        canvas, orientation=orientation, width=width, ink=rgb(ink), ground=rgb(ground)
    )
    drawing.stroke()
    u, v = drawing.margined.frame(drawing["orientation"])
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
    """Draw two endless lines that cross at the origin.

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
        Its mask is that of either line.

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
        canvas,
        orientation=orientation,
        between=between,
        width=width,
        ink=rgb(ink),
        ground=rgb(ground),
    )
    drawing.stroke()
    first, second = (
        _stroke(drawing.margined.frame(towards).v, drawing.column("width"))
        for towards in (drawing["orientation"], drawing["orientation"] + drawing["between"])
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
    """Draw lines that run apart from the origin, like a fan.

    Parameters
    ----------
    orientation : Parameter
        Of the fan's middle, degrees in [0, 360).
    spread : Parameter
        From its first to its last line, degrees.
    count : Parameter
        How many lines, a whole number from 2 to 64; 2 make a V.
    width, ink, ground, **canvas
        As in `line`.

    Returns
    -------
    Stimulus
        Its mask is that of any line.

    Raises
    ------
    InputError
        As `line`, and if the spread is not in [0, 360] or the count not a whole number of its
        range.

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
        ink=rgb(ink),
        ground=rgb(ground),
    )
    counts = drawing["count"]
    drawing.within("count", 2, 64)
    drawing.require(counts == counts.round(), "count", "a whole number")
    drawing.within("spread", 0.0, 360.0)
    drawing.stroke()
    rays = []
    for index in range(int(counts.max())):
        turned = drawing["spread"] * (index / (counts - 1) - 0.5)
        # a batch may mix counts: a picture's surplus lines lie on its last
        turned = torch.where(index < counts, turned, drawing["spread"] / 2)
        u, v = drawing.margined.frame(drawing["orientation"] + turned)
        rays.append(_stroke(v, drawing.column("width")) * covered(-u))
    return drawing.paint(functools.reduce(torch.maximum, rays))


def _stroke(distance: Field, width: Column) -> Coverage:
    """Share of each pixel in a band of `width` along where the distance is zero."""
    return covered(distance, width=width, fill=torch.zeros_like(width))
