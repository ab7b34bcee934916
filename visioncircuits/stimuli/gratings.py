"""Gratings, Gabor patches and chirps: waves along one direction.

All but the square grating are sampled at each pixel's center; the square grating has edges, and
is drawn by coverage. No wave shorter than two pixels is drawn, since it would alias.
"""

import math
from typing import Unpack

import torch

from visioncircuits.stimuli.color import BLACK, WHITE, Color
from visioncircuits.stimuli.coverage import Coverage, Field, covered
from visioncircuits.stimuli.drawing import Canvas, Drawing
from visioncircuits.stimuli.plane import Column, Pixels
from visioncircuits.stimuli.stimulus import Parameter, Stimulus


def sinusoidal_grating(
    *,
    orientation: Parameter = 0.0,
    period: Parameter = 10.0,
    phase: Parameter = 0.0,
    contrast: Parameter = 1.0,
    ink: Color = WHITE,
    ground: Color = BLACK,
    **canvas: Unpack[Canvas],
) -> Stimulus:
    """Draw stripes that vary smoothly between two colors.

    Parameters
    ----------
    orientation : Parameter
        Of the stripes, as a line's, degrees.
    period : Parameter
        In pixels.
    phase : Parameter
        Degrees; at 0 the crest of the wave is at the origin.
    contrast : Parameter
        In [0, 1], as a share of the contrast between ink and ground.
    ink, ground : Color
        At the wave's crest, and in its trough.
    **canvas : Canvas
        ``x``, ``y``, ``size``, ``device``.

    Returns
    -------
    Stimulus
        Its mask is the share of ink.

    Raises
    ------
    InputError
        If the period is below 2 pixels, or the contrast outside [0, 1].

    Examples
    --------
    >>> stripes = sinusoidal_grating(orientation=0.0, period=4.0, size=5)
    >>> [round(value, 6) for value in stripes.mask[0, 0, :, 0].tolist()]
    [0.0, 0.5, 1.0, 0.5, 0.0]
    """
    drawing = Drawing(
        canvas,
        orientation=orientation,
        period=period,
        phase=phase,
        contrast=contrast,
        ink=ink,
        ground=ground,
    )
    return drawing.paint(_blend(drawing, _stripes(drawing)))


def square_grating(
    *,
    orientation: Parameter = 0.0,
    period: Parameter = 10.0,
    phase: Parameter = 0.0,
    duty: Parameter = 0.5,
    ink: Color = WHITE,
    ground: Color = BLACK,
    **canvas: Unpack[Canvas],
) -> Stimulus:
    """Draw stripes with sharp edges.

    Parameters
    ----------
    orientation : Parameter
        Of the stripes, as a line's, degrees.
    period : Parameter
        In pixels.
    phase : Parameter
        Degrees; at 0 the middle of a stripe of ink is at the origin.
    duty : Parameter
        Share of ink.
    ink, ground, **canvas
        As in `sinusoidal_grating`.

    Returns
    -------
    Stimulus
        Its mask is the ink.

    Raises
    ------
    InputError
        If a stripe of either color is narrower than a pixel's diagonal, 1.42 px, so that one
        pixel would contain two edges.

    Examples
    --------
    >>> square_grating(period=4.0, phase=180.0, size=4).mask[0, 0, :, 0].tolist()
    [1.0, 0.0, 0.0, 1.0]
    """
    drawing = Drawing(
        canvas,
        orientation=orientation,
        period=period,
        phase=phase,
        duty=duty,
        ink=ink,
        ground=ground,
    )
    drawing.positive("period")
    drawing.within("duty", 0.0, 1.0)
    ink_width = drawing["duty"] * drawing["period"]
    narrowest = torch.minimum(ink_width, drawing["period"] - ink_width)
    drawing.require(
        narrowest >= 1.42, "period", "such that both its stripes are 1.42 pixels or wider"
    )
    # as in cos(2π v / period + phase), a positive phase shifts the crest backward
    shift = drawing.plane.column(drawing["phase"] / 360 * drawing["period"])
    v = drawing.padded.frame(drawing["orientation"]).v + shift
    return drawing.paint(stripes(v, drawing.column("period"), drawing.plane.column(ink_width)))


def gabor(
    *,
    orientation: Parameter = 0.0,
    period: Parameter = 8.0,
    phase: Parameter = 0.0,
    sigma: Parameter = 6.0,
    contrast: Parameter = 1.0,
    ink: Color = WHITE,
    ground: Color = BLACK,
    **canvas: Unpack[Canvas],
) -> Stimulus:
    """Draw a sinusoidal grating under a round Gaussian envelope, on the mean of its two colors.

    Parameters
    ----------
    orientation, period, phase, contrast
        Of the grating, as in `sinusoidal_grating`.
    sigma : Parameter
        Standard deviation of the envelope, in pixels.
    ink, ground, **canvas
        As in `sinusoidal_grating`.

    Returns
    -------
    Stimulus
        Its mask is the envelope.

    Raises
    ------
    InputError
        As `sinusoidal_grating`, and if sigma is not positive.

    Examples
    --------
    >>> patch = gabor(size=65).picture[0, 0]
    >>> patch[32, 32].item(), round(patch[0, 0].item(), 3)
    (1.0, 0.5)
    """
    drawing = Drawing(
        canvas,
        orientation=orientation,
        period=period,
        phase=phase,
        sigma=sigma,
        contrast=contrast,
        ink=ink,
        ground=ground,
    )
    drawing.positive("sigma")
    envelope = drawing.plane.gaussian(drawing["sigma"])
    painted = drawing.paint(_blend(drawing, _stripes(drawing) * envelope))
    return Stimulus(painted.picture, envelope, drawing.parameters)


def chirp(
    *,
    orientation: Parameter = 0.0,
    longest: Parameter = 24.0,
    shortest: Parameter = 4.0,
    length: Parameter = 60.0,
    phase: Parameter = 0.0,
    contrast: Parameter = 1.0,
    ink: Color = WHITE,
    ground: Color = BLACK,
    **canvas: Unpack[Canvas],
) -> Stimulus:
    """Draw a wave whose frequency rises linearly along the orientation.

    Parameters
    ----------
    orientation : Parameter
        Toward the high frequency, degrees in [0, 360).
    longest, shortest : Parameter
        The first and the last period, in pixels.
    length : Parameter
        Over which the frequency rises, centered on the origin, in pixels; outside it the period is
        constant.
    phase : Parameter
        At the origin, degrees.
    contrast, ink, ground, **canvas
        As in `sinusoidal_grating`.

    Returns
    -------
    Stimulus
        Its mask is the share of ink.

    Raises
    ------
    InputError
        If the length is not positive, the shortest period is below 2 pixels or above the longest,
        or the contrast is outside [0, 1].

    Examples
    --------
    >>> chirp(size=61).mask[0, 0, 30, 30].item()
    1.0
    """
    drawing = Drawing(
        canvas,
        orientation=orientation,
        longest=longest,
        shortest=shortest,
        length=length,
        phase=phase,
        contrast=contrast,
        ink=ink,
        ground=ground,
    )
    drawing.positive("length")
    drawing.within("shortest", 2.0, math.inf, "shorter waves alias")
    drawing.require(
        drawing["longest"] >= drawing["shortest"], "longest", "at least the shortest period"
    )
    u = drawing.plane.frame(drawing["orientation"]).u
    half = drawing.column("length") / 2
    slowest, fastest = 1 / drawing["longest"], 1 / drawing["shortest"]
    mean, slope = (
        drawing.plane.column(values)
        for values in ((slowest + fastest) / 2, (fastest - slowest) / drawing["length"])
    )
    # the integral of the frequency: a parabola, continued by its tangents
    swept = torch.maximum(torch.minimum(u, half), -half)
    cycles = (mean + slope * swept / 2) * swept + (mean + slope * swept) * (u - swept)
    phases = drawing.plane.column(torch.deg2rad(drawing["phase"]))
    return drawing.paint(_blend(drawing, torch.cos(2 * math.pi * cycles + phases)))


def stripes(across: Field, period: Column, width: Column) -> Coverage:
    """Return the share of each pixel in stripes of `width`, one centered where `across` is 0."""
    return covered(folded(across, period), width=width, fill=torch.zeros_like(width), facing=across)


def folded(across: Pixels, period: Column) -> Pixels:
    """Return the signed distance of each pixel from the nearest multiple of the period."""
    return across - period * torch.round(across / period)


def _stripes(drawing: Drawing) -> Pixels:
    """Return the wave across the drawing's orientation."""
    drawing.within("period", 2.0, math.inf, "shorter waves alias")
    return drawing.plane.wave(
        1 / drawing["period"], drawing["orientation"] + 90.0, drawing["phase"]
    )


def _blend(drawing: Drawing, wave: Pixels) -> Pixels:
    """Return the share of ink for a wave in [-1, 1], at the drawing's contrast about one half."""
    drawing.within("contrast", 0.0, 1.0)
    return (0.5 + 0.5 * drawing.column("contrast") * wave).clamp(0, 1)
