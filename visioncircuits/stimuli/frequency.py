"""Stimuli of "High-Low Frequency Detectors": high-low boundaries and frequency patterns.

Both are smooth, and sampled at each pixel's center, as published. No wave shorter than two pixels
along either axis is drawn, since it would alias.
"""

import math
from typing import Unpack

import torch

from visioncircuits.stimuli.drawing import Canvas, Drawing
from visioncircuits.stimuli.plane import Pixels, Values
from visioncircuits.stimuli.stimulus import Parameter, Stimulus


def high_low(
    *,
    orientation: Parameter = 0.0,
    ratio: Parameter = 10.0,
    phase: Parameter = 0.0,
    tile: Parameter = 60.0,
    **canvas: Unpack[Canvas],
) -> Stimulus:
    """Draw a boundary between a low and a high spatial frequency: the published stimulus.

    Parameters
    ----------
    orientation : Parameter
        Across the boundary, toward the high frequency, degrees in [0, 360).
    ratio : Parameter
        f, at least 1. The low frequency is ``4 f^(-2/3)`` cycles a tile, the high one
        ``4 f^(2/3)``; at 1 they are the same.
    phase : Parameter
        Of the patterns across the boundary, degrees. Published: 0.
    tile : Parameter
        The published picture's side, in pixels, to which all lengths are proportional: the
        boundary is a tenth of it wide. The pattern continues outside it.
    **canvas : Canvas
        ``x``, ``y``, ``size``, ``device``.

    Returns
    -------
    Stimulus
        Its mask is the weight of the high frequency.

    Raises
    ------
    InputError
        If the ratio is below 1, or the tile too small to sample the high frequency.

    Notes
    -----
    With u and v along and across the orientation in tiles, and
    ``c_k = cos(2π k u + phase) cos(2π k v)``, the picture is
    ``0.375 (1 + (1 − M) c_low + M c_high)``, where ``M = clip(.5 + u / .1, 0, 1)``: fitted to the
    published pictures of "High-Low Frequency Detectors" (Schubert et al., 2021) to an rms of .007.
    In the published pictures of n pixels the origin is pixel n/2: an `x` and `y` of .5 for even n.

    Examples
    --------
    >>> boundary = high_low(orientation=0.0, size=60)
    >>> boundary.mask[0, 0, 30, [0, 59]].tolist()
    [0.0, 1.0]
    """
    drawing = Drawing(canvas, orientation=orientation, ratio=ratio, phase=phase, tile=tile)
    drawing.within("ratio", 1.0, math.inf, "it is the high frequency over the low, f")
    drawing.positive("tile")
    low, high = (4 * drawing["ratio"] ** power / drawing["tile"] for power in (-2 / 3, 2 / 3))
    # the product of two crossed waves is a sum of two waves of √2 times their frequency
    least = 2 * math.sqrt(2) * 4 * drawing["ratio"] ** (2 / 3)
    drawing.require(
        drawing["tile"] >= least - 1e-9,
        "tile",
        "at least 2√2 pixels a cycle of the high frequency",
        f"make it {least.max().item():.4g} or more, or the ratio smaller",
    )
    u = drawing.plane.frame(drawing["orientation"]).u
    weight = (0.5 + u / (0.1 * drawing.column("tile"))).clamp(0, 1)
    pattern = torch.lerp(_crossed(drawing, low), _crossed(drawing, high), weight)
    figure = (0.375 * (1 + pattern)).clamp(0, 1)
    return Stimulus(figure.expand(-1, 3, -1, -1), weight, drawing.parameters)


def frequency_pattern(
    *,
    orientation: Parameter = 0.0,
    frequency: Parameter = 4.0,
    tile: Parameter = 40.0,
    **canvas: Unpack[Canvas],
) -> Stimulus:
    """Draw one spatial frequency along two perpendicular directions: the NMF factors' stimulus.

    Parameters
    ----------
    orientation : Parameter
        Of one direction, degrees.
    frequency : Parameter
        k, in cycles a tile.
    tile : Parameter
        In pixels.
    **canvas : Canvas
        ``x``, ``y``, ``size``, ``device``.

    Returns
    -------
    Stimulus
        Its mask is the pattern's value.

    Raises
    ------
    InputError
        If frequency or tile are not positive, or a cycle is shorter than 2 pixels.

    Notes
    -----
    ``clip(.5 + .3 (cos 2πku + cos 2πkv), 0, 1)``, fitted to Figures 7 and 8 of "High-Low Frequency
    Detectors" (Schubert et al., 2021) to an rms of .009; there k runs from 1 to 10 in a tile of
    40 px.

    Examples
    --------
    >>> frequency_pattern(frequency=4.0, size=41).picture[0, 0, 20, [20, 25, 30]].tolist()
    [1.0, 0.5, 1.0]
    """
    drawing = Drawing(canvas, orientation=orientation, frequency=frequency, tile=tile)
    drawing.positive("frequency")
    drawing.positive("tile")
    drawing.require(
        drawing["tile"] >= 2 * drawing["frequency"], "tile", "at least 2 pixels a cycle"
    )
    rate, phase = drawing["frequency"] / drawing["tile"], torch.zeros_like(drawing["tile"])
    along, across = (
        drawing.plane.wave(rate, drawing["orientation"] + angle, phase) for angle in (0.0, 90.0)
    )
    figure = (0.5 + 0.3 * (along + across)).clamp(0, 1)
    return Stimulus(figure.expand(-1, 3, -1, -1), figure, drawing.parameters)


def _crossed(drawing: Drawing, frequency: Values) -> Pixels:
    """Return the product of two waves, along and across the drawing's orientation."""
    along = drawing.plane.wave(frequency, drawing["orientation"], drawing["phase"])
    phase = torch.zeros_like(frequency)
    return along.mul_(drawing.plane.wave(frequency, drawing["orientation"] + 90.0, phase))
