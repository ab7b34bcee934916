"""Contrasts of color and brightness: across an edge, about a center, along a gradient.

Colors come from the circle of hues (`visioncircuits.stimuli.color.hue`), on which all have the
mean of gray, so that a color contrast has no brightness contrast. An orientation points from the
first-named color to the second, as an edge's points from its ink to its ground.
"""

import math
from typing import Unpack

from jaxtyping import Float64
from torch import Tensor

from visioncircuits.stimuli.color import BLACK, WHITE, Color, hue
from visioncircuits.stimuli.coverage import covered
from visioncircuits.stimuli.drawing import Canvas, Drawing
from visioncircuits.stimuli.plane import Pixels, Values
from visioncircuits.stimuli.stimulus import Parameter, Stimulus


def color_contrast(
    *,
    orientation: Parameter = 0.0,
    hue: Parameter = 0.0,
    apart: Parameter = 180.0,
    chroma: Parameter = 1.0,
    **canvas: Unpack[Canvas],
) -> Stimulus:
    """Draw a straight edge between two hues of equal brightness.

    Parameters
    ----------
    orientation : Parameter
        Across the edge, from `hue` to the other; degrees in [0, 360).
    hue : Parameter
        On the circle about gray, degrees: 0 red, 60 yellow, 120 green, 240 blue.
    apart : Parameter
        From `hue` to the other on that circle, degrees; 180 is the opposite hue.
    chroma : Parameter
        In [0, 1], distance from gray.
    **canvas : Canvas
        ``x``, ``y``, ``size``, ``device``.

    Returns
    -------
    Stimulus
        Its mask is the side of `hue`.

    Raises
    ------
    InputError
        If the chroma is outside [0, 1].

    Examples
    --------
    >>> picture = color_contrast(orientation=0.0, size=4).picture[0, :, 0]
    >>> picture[:, 0].tolist(), picture[:, 3].tolist(), picture.mean(0).tolist()
    ([1.0, 0.25, 0.25], [0.0, 0.75, 0.75], [0.5, 0.5, 0.5, 0.5])
    """
    drawing = Drawing(canvas, orientation=orientation, hue=hue, apart=apart, chroma=chroma)
    figure = covered(drawing.padded.frame(drawing["orientation"]).u)
    return _two_hues(drawing, figure)


def color_center_surround(
    *,
    radius: Parameter = 12.0,
    hue: Parameter = 0.0,
    apart: Parameter = 180.0,
    chroma: Parameter = 1.0,
    **canvas: Unpack[Canvas],
) -> Stimulus:
    """Draw a disc of one hue on a surround of another of equal brightness.

    Parameters
    ----------
    radius : Parameter
        Of the disc, in pixels.
    hue : Parameter
        Of the disc, as in `color_contrast`.
    apart : Parameter
        Angle from it to the surround's hue, as in `color_contrast`.
    chroma, **canvas
        As in `color_contrast`.

    Returns
    -------
    Stimulus
        Its mask is the disc.

    Raises
    ------
    InputError
        If the radius is not positive or its circle outside the picture, or the chroma is outside
        [0, 1].

    Examples
    --------
    >>> picture = color_center_surround(radius=3.0, hue=120.0, size=17).picture
    >>> [round(value, 6) for value in picture[0, :, 8, 8].tolist()]
    [0.25, 1.0, 0.25]
    """
    drawing = Drawing(canvas, radius=radius, hue=hue, apart=apart, chroma=chroma)
    drawing.positive("radius")
    drawing.visible("radius", drawing["radius"])
    return _two_hues(drawing, covered(drawing.padded.disc(drawing["radius"])))


def black_white_vs_color(
    *,
    orientation: Parameter = 0.0,
    hue: Parameter = 0.0,
    period: Parameter = 12.0,
    phase: Parameter = 0.0,
    chroma: Parameter = 1.0,
    **canvas: Unpack[Canvas],
) -> Stimulus:
    """Draw stripes that are gray on one side of an edge and colored on the other.

    Both sides have the same stripes, perpendicular to the edge, the same mean gray, and the same
    distance from it in RGB: one side's stripes vary between dark and light, the other's between a
    hue and its opposite.

    Parameters
    ----------
    orientation : Parameter
        Across the edge, from black and white to color; degrees in [0, 360).
    hue : Parameter
        Of those colored stripes that continue light ones, as in `color_contrast`.
    period : Parameter
        Of the stripes, in pixels.
    phase : Parameter
        Of the stripes, degrees.
    chroma, **canvas
        As in `color_contrast`.

    Returns
    -------
    Stimulus
        Its mask is the side of black and white.

    Raises
    ------
    InputError
        If the period is below 2 pixels, or the chroma outside [0, 1].

    Notes
    -----
    For the family BW vs Color (mixed3a) of "An Overview of Early Vision" (Olah et al., 2020).

    Examples
    --------
    >>> picture = black_white_vs_color(orientation=0.0, size=33).picture[0, :, 16]
    >>> picture[:, 0].unique().numel(), picture[:, 32].tolist()
    (1, [1.0, 0.25, 0.25])
    """
    drawing = Drawing(
        canvas, orientation=orientation, hue=hue, period=period, phase=phase, chroma=chroma
    )
    drawing.within("period", 2.0, math.inf, "shorter waves alias")
    figure = covered(drawing.padded.frame(drawing["orientation"]).u)
    wave = drawing.plane.wave(
        1 / drawing["period"], drawing["orientation"] + 90.0, drawing["phase"]
    )
    colored = _hues(drawing, drawing["hue"]) - 0.5
    # a gray at the same distance from mid-gray as the colors, in three equal channels
    gray = (colored.square().sum(1, keepdim=True) / 3).sqrt().expand(-1, 3)
    amplitude = drawing.paint(figure, ink=gray, ground=colored).picture
    return Stimulus((0.5 + wave * amplitude).clamp(0, 1), figure, drawing.parameters)


def brightness_gradient(
    *,
    orientation: Parameter = 0.0,
    extent: Parameter = 60.0,
    ink: Color = BLACK,
    ground: Color = WHITE,
    **canvas: Unpack[Canvas],
) -> Stimulus:
    """Draw a linear ramp from one color to another: an edge of any width.

    Parameters
    ----------
    orientation : Parameter
        From ink to ground, by default from dark to bright; degrees in [0, 360).
    extent : Parameter
        Of the ramp, centered on the origin, in pixels; beyond it the colors are constant.
    ink, ground : Color
        On the near and the far side of the ramp, along the orientation.
    **canvas : Canvas
        ``x``, ``y``, ``size``, ``device``.

    Returns
    -------
    Stimulus
        Its mask is the share of ink.

    Raises
    ------
    InputError
        If the extent is below 1 pixel.

    Examples
    --------
    >>> brightness_gradient(orientation=0.0, extent=4.0, size=(1, 5)).picture[0, 0, 0].tolist()
    [0.0, 0.25, 0.5, 0.75, 1.0]
    """
    drawing = Drawing(canvas, orientation=orientation, extent=extent, ink=ink, ground=ground)
    drawing.within("extent", 1.0, math.inf, "a sharp edge is the family edge")
    u = drawing.plane.frame(drawing["orientation"]).u
    return drawing.paint((0.5 - u / drawing.column("extent")).clamp(0, 1))


def _hues(drawing: Drawing, angle: Values) -> Float64[Tensor, "batch 3"]:
    drawing.within("chroma", 0.0, 1.0)
    return hue(angle, chroma=drawing["chroma"])


def _two_hues(drawing: Drawing, figure: Pixels) -> Stimulus:
    first = drawing["hue"]
    return drawing.paint(
        figure, ink=_hues(drawing, first), ground=_hues(drawing, first + drawing["apart"])
    )
