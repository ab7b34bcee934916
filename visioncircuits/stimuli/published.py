"""The stimulus sets of the Circuits thread's articles."""

from dataclasses import replace
from typing import Unpack

import torch

from visioncircuits.stimuli.angles import angle
from visioncircuits.stimuli.color import hue
from visioncircuits.stimuli.curves import curve
from visioncircuits.stimuli.drawing import Canvas
from visioncircuits.stimuli.frequency import frequency_pattern, high_low
from visioncircuits.stimuli.sets import StimulusSet
from visioncircuits.stimuli.stimulus import Parameter, Stimulus

RADII = (290.0, 129.5, 57.7, 25.7)
"""The published curve sheet's radii of curvature in pixels of its 60 px tiles, top to bottom."""

STROKE = 1.67
"""The width of its stroke, in the same pixels."""

TILE = 60
"""The side of its tiles. The size of the network's input is not published."""


def curves(*, tile: int = TILE) -> StimulusSet:
    """Return 36 orientations by 4 radii: the curve sheet of "Curve Detectors".

    Parameters
    ----------
    tile : int
        Side of a picture, in pixels; radii and stroke are proportional to it.

    Examples
    --------
    >>> curves()
    <StimulusSet curves: 36 orientation × 4 radius>
    """
    scale = tile / TILE
    return StimulusSet(
        curve,
        {"orientation": range(0, 360, 10), "radius": [radius * scale for radius in RADII]},
        {"width": STROKE * scale, "size": tile},
        name="curves",
    )


def filled_curves(*, tile: int = TILE) -> StimulusSet:
    """Return the curve sheet with filled shapes, whose edge is the middle of the stroke."""
    return _named(curves(tile=tile).fix(fill=1.0, width=0.0), "filled-curves")


def colored_curves(*, tile: int = TILE) -> StimulusSet:
    """Return the filled curve sheet in hues equal to the orientation, on the opposite hues."""
    plain = filled_curves(tile=tile)
    return StimulusSet(colored_curve, plain.axes, plain.fixed, name="colored-curves")


def angles(*, tile: int = TILE) -> StimulusSet:
    """Return the curve sheet in four steps from angles to curves."""
    plain = curves(tile=tile)
    return StimulusSet(
        angle,
        {**plain.axes, "roundness": (0.0, 1 / 3, 2 / 3, 1.0)},
        {**plain.fixed, "span": float(tile)},
        name="angles",
    )


def high_low_boundaries(*, tile: int = TILE) -> StimulusSet:
    """Return 360 orientations by 60 ratios: the axes of "High-Low Frequency Detectors".

    Parameters
    ----------
    tile : int
        Side of a picture, in pixels, to which the pattern is proportional; at least 53.
    """
    return StimulusSet(
        high_low,
        {"orientation": range(360), "ratio": [10 ** (step / 59) for step in range(60)]},
        {"tile": float(tile), "size": tile, "x": 0.5, "y": 0.5},
        name="high-low",
    )


def frequency_patterns(*, tile: int = 40) -> StimulusSet:
    """Return 60 orientations by 30 frequencies: the stimuli of the two NMF factors."""
    return StimulusSet(
        frequency_pattern,
        {
            "orientation": [column * 45 / 59 for column in range(60)],
            "frequency": [10 ** (row / 29) for row in range(30)],
        },
        {"tile": float(tile), "size": tile, "x": 0.5, "y": 0.5},
        name="frequency-patterns",
    )


# The frequency at which the two published factors' responses cross, in cycles a tile.
_CROSSING = 5.5


def high_factor_patterns(*, tile: int = 40) -> StimulusSet:
    """Return the frequency patterns that activate the high-frequency factor more than the low."""
    high = frequency_patterns(tile=tile).sel(frequency=slice(_CROSSING, None))
    return _named(high, "high-factor")


def low_factor_patterns(*, tile: int = 40) -> StimulusSet:
    """Return the frequency patterns that activate the low-frequency factor more than the high."""
    low = frequency_patterns(tile=tile).sel(frequency=slice(None, _CROSSING))
    return _named(low, "low-factor")


def colored_curve(
    *,
    orientation: Parameter = 270.0,
    radius: Parameter = 60.0,
    width: Parameter = 0.0,
    fill: Parameter = 1.0,
    **canvas: Unpack[Canvas],
) -> Stimulus:
    """Draw a filled curve whose hue equals its orientation, on the opposite hue.

    Parameters
    ----------
    orientation, radius, width, fill, **canvas
        As in `curve`.

    Returns
    -------
    Stimulus
        As returned by `curve`.

    Examples
    --------
    >>> colored_curve(orientation=0.0, size=8).picture[0, :, 4, 0].tolist()
    [1.0, 0.25, 0.25]
    """
    shape = curve(orientation=orientation, radius=radius, width=width, fill=fill, **canvas)
    angles = shape.parameters["orientation"]
    ink, ground = (
        hue(angle).to(shape.mask)[:, :, None, None] for angle in (angles, angles + 180.0)
    )
    return replace(shape, picture=torch.lerp(ground, ink, shape.mask))


def _named(stimuli: StimulusSet, name: str) -> StimulusSet:
    return StimulusSet(stimuli.family, stimuli.axes, stimuli.fixed, name=name)
