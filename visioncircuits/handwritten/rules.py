"""The rules that set weights: each a formula with a few named parameters.

A rule computes the weights from one source to one target, at each position of the kernel. It uses
positions in the target's frame and differences of orientations only, so that rotating both units
rotates the kernel. Lengths are pixels of the input, angles degrees.

Source: "Curve Circuits" (Cammarata et al., 2021), whose rule is made explicit here: excitation by
matching orientations, inhibition by opposite ones, nothing at right angles.
"""

import math
from collections.abc import Callable

import numpy as np

from visioncircuits.handwritten.contours import Contour
from visioncircuits.handwritten.labels import Label
from visioncircuits.handwritten.plane import Number, Positions, Weights, cosd, difference, sind

Rule = Callable[[Label, Label, Positions], Weights]
"""Maps a source, a target and the positions of the kernel to the weights at those positions."""


def gaussian(deviation: Number, spread: float) -> Number:
    """Compute `exp(-(deviation / spread)² / 2)`; 1 everywhere for an infinite spread."""
    share: Number = np.exp(-0.5 * np.square(deviation / spread))
    return share


def wave(*, length: float, width: float) -> Rule:
    """Weight pixels as a Gabor filter: a wave times a Gaussian, without response to uniform color.

    The wave has the target's wavelength, phase and orientation, the latter along its stripes, and
    oscillates between the target's hue and its opposite; the sources are the channels of pixels.

    Parameters
    ----------
    length, width
        Standard deviations of the Gaussian along the stripes and across them.

    Examples
    --------
    >>> gabor = Label("gabor", 0.0, 180.0, phase=0.0, wavelength=6.0)
    >>> kernel = wave(length=2.0, width=1.6)(Label("pixel"), gabor, Positions.grid(7, 1.0))
    >>> bool(kernel[3, 3] == kernel.max()), round(abs(float(kernel.sum())), 12)
    (True, 0.0)
    """

    def rule(source: Label, target: Label, positions: Positions) -> Weights:
        along, across = positions.frame(target.need("orientation"))
        window = gaussian(along, length) * gaussian(across, width)
        phase = target.need("phase")
        cycle = 2 * math.pi / target.need("wavelength") * across
        # The cosine of their sum, but bitwise equal for a rotated wave.
        carrier = window * (cosd(phase) * np.cos(cycle) - sind(phase) * np.sin(cycle))
        mean = math.fsum(carrier.flat) / math.fsum(window.flat)
        weights: Weights = hue_similarity(source, target) * (carrier - mean * window)
        return weights

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
    """Excite by sources along the target's contour, inhibit by those along the opposing one.

    Alignment is a Gaussian of the distance from the contour times a Gaussian of the angle between
    the source and the contour's tangent there; sources aligned with both contours cancel, so that
    those that distinguish the contours have the largest weights.

    Parameters
    ----------
    contour, against
        The exciting and the inhibiting contour.
    spread
        Standard deviation of the distance.
    tolerance
        Standard deviation of the angle.
    inhibition
        Strength of inhibition relative to excitation.
    gain
        Strength relative to the other rules of the stage.

    Examples
    --------
    A line that falls to the right excites an arch right of its apex, and inhibits it left of it:

    >>> from visioncircuits.handwritten import arc, opposing_arc
    >>> rule = along(arc, against=opposing_arc, spread=4.0, tolerance=10.0, inhibition=1.0)
    >>> arch, falling = Label("curve", 270.0, radius=30.0), Label("line", 30.0, 180.0)
    >>> rule(falling, arch, Positions.grid(3, 8.0))[1].round(1).tolist()
    [-0.3, 0.0, 0.3]
    """

    def rule(source: Label, target: Label, positions: Positions) -> Weights:
        # For a target without orientation use the frame of the source, which rotates with both too.
        orientation = (source if target.orientation is None else target).need("orientation")
        period = min(source.period, target.period)
        u, v = positions.frame(orientation)
        angle = difference(source.normal - orientation, period)

        def alignment(line: Contour) -> Weights:
            distance, normal = line(target, u, v)
            deviation = difference(angle - normal, period)
            aligned: Weights = gaussian(distance, spread) * gaussian(deviation, tolerance)
            return aligned

        weights = alignment(contour)
        if against is not None:
            weights = weights - inhibition * alignment(against)
        scaled: Weights = gain * weights
        return scaled

    return rule


def straight(
    *,
    spread: float,
    length: float = math.inf,
    tolerance: float,
    inhibition: float = 0.0,
    gain: float = 1.0,
) -> Rule:
    """Excite along a straight line, and inhibit there by all orientations equally.

    Parameters
    ----------
    spread, length
        Standard deviations of the distance from the line, and along it from its center.
    tolerance
        Standard deviation of the angle between source and target.
    inhibition
        The fraction of the excitation by all orientations together that is subtracted; from 1 on,
        a texture without orientation does not excite.
    gain
        Strength relative to the other rules of the stage.

    Examples
    --------
    >>> line = Label("line", 0.0, 180.0)
    >>> straight(spread=2.0, tolerance=10.0)(line, line, Positions.grid(3, 8.0)).round(1).tolist()
    [[0.0, 0.0, 0.0], [1.0, 1.0, 1.0], [0.0, 0.0, 0.0]]
    """

    def rule(source: Label, target: Label, positions: Positions) -> Weights:
        period = min(source.period, target.period)
        across, along = positions.frame(target.normal)
        angle = difference(source.normal - target.normal, period)
        mean = tolerance * math.sqrt(2 * math.pi) / period
        window = gaussian(across, spread) * gaussian(along, length)
        weights: Weights = gain * window * (gaussian(angle, tolerance) - inhibition * mean)
        return weights

    return rule


def pooled(*, width: float, gain: float = 1.0) -> Rule:
    """Weight sources by a Gaussian around the center, times the similarity of hues.

    Parameters
    ----------
    width
        Standard deviation of the Gaussian.
    gain
        Strength relative to the other rules of the stage; negative for inhibition.

    Examples
    --------
    >>> red, cyan = Label("pixel", hue=0.0), Label("blob", hue=180.0)
    >>> pooled(width=1.0)(red, cyan, Positions.grid(3, 1.0))[1].round(1).tolist()
    [-0.6, -1.0, -0.6]
    """

    def rule(source: Label, target: Label, positions: Positions) -> Weights:
        peak = gaussian(np.hypot(positions.x, positions.y), width)
        weights: Weights = gain * hue_similarity(source, target) * peak
        return weights

    return rule


def sided(*, width: float, gain: float = 1.0) -> Rule:
    """Excite by sources ahead, towards the target's orientation, and inhibit by those behind.

    The weights are a Gaussian's slope, times the similarity of hues.

    Parameters
    ----------
    width
        Standard deviation of the Gaussian.
    gain
        Strength relative to the other rules of the stage; negative to swap the sides.

    Examples
    --------
    >>> boundary = Label("boundary", 0.0)
    >>> sided(width=1.0)(Label("blob"), boundary, Positions.grid(3, 1.0))[1].round(1).tolist()
    [-0.6, 0.0, 0.6]
    """

    def rule(source: Label, target: Label, positions: Positions) -> Weights:
        along, across = positions.frame(target.need("orientation"))
        slope = along / width * gaussian(along, width) * gaussian(across, width)
        weights: Weights = gain * hue_similarity(source, target) * slope
        return weights

    return rule


def center_surround(*, width: float, gain: float = 1.0) -> Rule:
    """Excite by sources at the center and inhibit by those around it, with a sum of zero.

    The weights are a Gaussian less its mean over the kernel, times the similarity of hues.

    Parameters
    ----------
    width
        Standard deviation of the Gaussian.
    gain
        Strength relative to the other rules of the stage; negative to swap center and surround.

    Examples
    --------
    >>> spot: Rule = center_surround(width=0.5)
    >>> spot(Label("blob"), Label("spot"), Positions.grid(3, 1.0))[1].round(1).tolist()
    [-0.0, 0.8, -0.0]
    """

    def rule(source: Label, target: Label, positions: Positions) -> Weights:
        peak = gaussian(np.hypot(positions.x, positions.y), width)
        mean = math.fsum(peak.flat) / peak.size
        weights: Weights = gain * hue_similarity(source, target) * (peak - mean)
        return weights

    return rule


def hue_similarity(source: Label, target: Label) -> float:
    """Return the similarity of hues: the cosine of their angle, and 1 if either has none.

    Examples
    --------
    >>> red, cyan, gray = Label("pixel", hue=0.0), Label("blob", hue=180.0), Label("gabor")
    >>> hue_similarity(red, cyan), hue_similarity(red, gray)
    (-1.0, 1.0)
    """
    if source.hue is None or target.hue is None:
        return 1.0
    return cosd(source.hue - target.hue)
