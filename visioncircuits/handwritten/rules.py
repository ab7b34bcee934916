"""The rules that set weights: each a formula with a few named parameters.

A rule is asked for the weights of one source for one target, at each place of the kernel. It sees
the places in the target's own frame and orientations only as differences, so that turning both
units turns the kernel, whatever the rule says. Lengths are pixels of the input, angles degrees.

Source: "Curve Circuits" (Cammarata et al., 2021), whose rule these make explicit: excitation where
orientations agree, inhibition where they oppose, nothing at right angles.
"""

import math
from collections.abc import Callable

import numpy as np

from visioncircuits.handwritten.labels import Label
from visioncircuits.handwritten.plane import Number, Places, Weights, cosd, difference, sind

Rule = Callable[[Label, Label, Places], Weights]
"""Of a source, a target and the places of the kernel: the weights at those places."""

Contour = Callable[[Label, Weights, Weights], tuple[Weights, Weights]]
"""Of a target and the places along and across its orientation: how far each place is from the
contour that the target looks for, and which way that contour faces there (a curve's orientation,
across a line), relative to the target's orientation."""


def gaussian(deviation: Number, spread: float) -> Number:
    """Give `exp(-(deviation / spread)² / 2)`; 1 everywhere for an infinite spread."""
    return np.exp(-0.5 * np.square(deviation / spread))


# Contours


def arc(target: Label, along: Weights, across: Weights) -> tuple[Weights, Weights]:
    """Follow a circle of the target's radius through the centre; straight where it has none."""
    if target.radius is None:
        return along, np.zeros_like(along)
    from_centre = target.radius + along
    distance = np.hypot(from_centre, across) - target.radius
    return distance, np.degrees(np.arctan2(across, from_centre))


def opposing_arc(target: Label, along: Weights, across: Weights) -> tuple[Weights, Weights]:
    """Follow the arc that bends the other way: `arc`, mirrored at its tangent."""
    distance, facing = arc(target, -along, across)
    return distance, 180.0 - facing


def ring(target: Label, along: Weights, across: Weights) -> tuple[Weights, Weights]:
    """Follow a circle of the target's radius about the centre, facing outwards."""
    return np.hypot(along, across) - target.need("radius"), np.degrees(np.arctan2(across, along))


def inward_ring(target: Label, along: Weights, across: Weights) -> tuple[Weights, Weights]:
    """Follow the same circle with curves that face the centre: an evolute."""
    distance, facing = ring(target, along, across)
    return distance, facing + 180.0


def rays(target: Label, along: Weights, across: Weights) -> tuple[Weights, Weights]:
    """Follow lines that diverge towards the target's orientation.

    They come from a point one radius behind the centre and are everywhere: no place is off them.
    """
    facing = np.degrees(np.arctan2(across, target.need("radius") + along))
    return np.zeros_like(along), facing + 90.0


def opposing_rays(target: Label, along: Weights, across: Weights) -> tuple[Weights, Weights]:
    """Follow lines that converge towards the target's orientation: `rays`, mirrored."""
    distance, facing = rays(target, -along, across)
    return distance, 180.0 - facing


# Rules


def wave(*, length: float, width: float) -> Rule:
    """Weigh pixels as a Gabor filter does: a wave under a Gaussian, without response to a plain.

    The wave has the target's wavelength, phase and orientation, the latter along its stripes, and
    runs from one end of the target's hue to the other; the sources are the channels of pixels.

    Parameters
    ----------
    length, width
        Standard deviations of the Gaussian along the stripes and across them.
    """

    def rule(source: Label, target: Label, places: Places) -> Weights:
        along, across = places.frame(target.need("orientation"))
        window = gaussian(along, length) * gaussian(across, width)
        phase = target.need("phase")
        cycle = 2 * math.pi / target.need("wavelength") * across
        # The cosine of their sum, but the same to the bit for a wave that is turned about.
        carrier = window * (cosd(phase) * np.cos(cycle) - sind(phase) * np.sin(cycle))
        mean = math.fsum(carrier.flat) / math.fsum(window.flat)
        return likeness(source, target) * (carrier - mean * window)

    return rule


def along(
    contour: Contour,
    *,
    against: Contour | None = None,
    spread: float,
    tolerance: float,
    inhibition: float = 0.0,
    gain: float = 1.0,
) -> Rule:
    """Excite where sources lie along the target's contour, inhibit where along the opposing one.

    Agreement is a Gaussian of the distance from the contour times a Gaussian of the angle between
    the source and the contour's tangent there; where sources of the same place and direction agree
    with both contours the two cancel, so that what tells the contours apart counts most.

    Parameters
    ----------
    contour, against
        What excites, and what inhibits.
    spread
        Standard deviation of the distance.
    tolerance
        Standard deviation of the angle.
    inhibition
        Strength of inhibition where excitation is 1.
    gain
        Strength beside the other rules of the stage.
    """

    def rule(source: Label, target: Label, places: Places) -> Weights:
        # What has no orientation is seen from its source, whose frame turns with both as well.
        facing = (source if target.orientation is None else target).need("orientation")
        period = min(source.period, target.period)
        u, v = places.frame(facing)
        turn = difference(source.normal - facing, period)

        def agreement(line: Contour) -> Weights:
            distance, normal = line(target, u, v)
            angle = difference(turn - normal, period)
            return gaussian(distance, spread) * gaussian(angle, tolerance)

        weights = agreement(contour)
        if against is not None:
            weights = weights - inhibition * agreement(against)
        return gain * weights

    return rule


def straight(
    *,
    spread: float,
    length: float = math.inf,
    tolerance: float,
    inhibition: float = 0.0,
    gain: float = 1.0,
) -> Rule:
    """Excite along a straight line, and inhibit there by all orientations alike.

    Parameters
    ----------
    spread, length
        Standard deviations of the distance from the line, and along it from its middle.
    tolerance
        Standard deviation of the angle between source and target.
    inhibition
        How much of the excitation that all orientations together would give is taken away; from 1
        on, a texture without orientation excites no more.
    gain
        Strength beside the other rules of the stage.
    """

    def rule(source: Label, target: Label, places: Places) -> Weights:
        period = min(source.period, target.period)
        across, along = places.frame(target.normal)
        turn = difference(source.normal - target.normal, period)
        mean = tolerance * math.sqrt(2 * math.pi) / period
        window = gaussian(across, spread) * gaussian(along, length)
        return gain * window * (gaussian(turn, tolerance) - inhibition * mean)

    return rule


def pooled(*, width: float, gain: float = 1.0) -> Rule:
    """Weigh sources by a Gaussian about the centre, times the likeness of hues.

    Parameters
    ----------
    width
        Standard deviation of the Gaussian.
    gain
        Strength beside the other rules of the stage; negative where the sources inhibit.
    """

    def rule(source: Label, target: Label, places: Places) -> Weights:
        return gain * likeness(source, target) * gaussian(np.hypot(places.x, places.y), width)

    return rule


def sided(*, width: float, gain: float = 1.0) -> Rule:
    """Excite by sources ahead, towards the target's orientation, and inhibit by those behind.

    The weights are a Gaussian's slope, times the likeness of hues.

    Parameters
    ----------
    width
        Standard deviation of the Gaussian.
    gain
        Strength beside the other rules of the stage; negative to swap the sides.
    """

    def rule(source: Label, target: Label, places: Places) -> Weights:
        along, across = places.frame(target.need("orientation"))
        slope = along / width * gaussian(along, width) * gaussian(across, width)
        return gain * likeness(source, target) * slope

    return rule


def centred(*, width: float, gain: float = 1.0) -> Rule:
    """Excite by sources at the centre and inhibit by those around it, in balance.

    The weights are a Gaussian less its mean over the kernel, times the likeness of hues.

    Parameters
    ----------
    width
        Standard deviation of the Gaussian.
    gain
        Strength beside the other rules of the stage; negative to swap centre and surround.
    """

    def rule(source: Label, target: Label, places: Places) -> Weights:
        peak = gaussian(np.hypot(places.x, places.y), width)
        mean = math.fsum(peak.flat) / peak.size
        return gain * likeness(source, target) * (peak - mean)

    return rule


def likeness(source: Label, target: Label) -> float:
    """Compare hues: the cosine of the angle between them, and 1 where either has none.

    Examples
    --------
    >>> red, cyan, gray = Label("pixel", hue=0.0), Label("blob", hue=180.0), Label("gabor")
    >>> likeness(red, cyan), likeness(red, gray)
    (-1.0, 1.0)
    """
    if source.hue is None or target.hue is None:
        return 1.0
    return cosd(source.hue - target.hue)
