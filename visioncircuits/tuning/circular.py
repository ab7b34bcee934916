"""Circular statistics: peaks, widths, mean angles and echoes of tuning curves, and angles apart.

Functions of curves take values along the last axis, at equal steps around a whole period, and
return one number a curve: NaN for a curve without a positive value.
"""

import numpy as np
from jaxtyping import Float, Real

Curves = Real[np.ndarray, "*others angles"]
Numbers = Float[np.ndarray, "*others"]


def peak(curves: Curves, *, period: float = 360.0) -> tuple[Numbers, Numbers]:
    """Find the peaks of curves, interpolated between their steps, and their heights.

    A parabola is fitted to the highest value and its two neighbors.

    Parameters
    ----------
    curves
        Values at ``period * step / steps``.
    period
        In degrees: 360 for what has a direction, 180 for lines.

    Returns
    -------
    tuple
        Angles in degrees in [0, period), and heights.

    Examples
    --------
    >>> angles = np.arange(0, 360, 15)
    >>> where, height = peak(np.exp(np.cos(np.radians(angles - 200.0))))
    >>> round(float(where)), round(float(height), 2)
    (200, 2.72)
    """
    steps = curves.shape[-1]
    top = curves.argmax(-1)
    before, here, after = (
        np.take_along_axis(curves, ((top + step) % steps)[..., None], -1)[..., 0].astype(np.float64)
        for step in (-1, 0, 1)
    )
    curvature = before - 2 * here + after
    # A flat top has no curvature, so its first step is returned.
    offset = np.divide(before - after, 2 * curvature, out=np.zeros_like(here), where=curvature < 0)
    height = here - (before - after) * offset / 4
    flat = ~(here > 0)
    angles = (top + offset) * (period / steps) % period
    return np.where(flat, np.nan, angles), np.where(flat, np.nan, height)


def mean_angle(curves: Curves, *, period: float = 360.0) -> Numbers:
    """Compute the direction of the mean vector of the positive part, in degrees in [0, period).

    Examples
    --------
    >>> float(mean_angle(np.array([0.0, 1.0, 0.0, 0.0])))
    90.0
    """
    return np.asarray(np.degrees(np.angle(_vector(curves))) * (period / 360) % period)


def concentration(curves: Curves) -> Numbers:
    """Compute the length of the mean vector, from 0 for a flat curve to 1 for a single angle.

    It is 1 minus the circular variance, the usual index of direction selectivity.

    Examples
    --------
    >>> float(concentration(np.array([0.0, 2.0, 0.0, 0.0]))), float(concentration(np.ones(4)))
    (1.0, 0.0)
    """
    return np.asarray(np.abs(_vector(curves)).round(12))


def _vector(curves: Curves) -> np.ndarray:
    """Compute the mean of the unit vectors weighted by the positive values, as complex numbers."""
    positive = np.clip(curves, 0, None).astype(np.float64)
    around = np.exp(2j * np.pi * np.arange(curves.shape[-1]) / curves.shape[-1])
    total = positive.sum(-1)
    undefined = np.full(total.shape, np.nan, complex)
    vectors: np.ndarray = np.divide(positive @ around, total, out=undefined, where=total > 0)
    return vectors


def width(curves: Curves, *, period: float = 360.0) -> Numbers:
    """Compute the width at half height: between the first falls to half the maximum.

    Parameters
    ----------
    curves, period
        As for `peak`; the height counts from zero.

    Returns
    -------
    ndarray
        Degrees; the whole period where the curve never falls so low.

    Examples
    --------
    >>> float(width(np.array([0, 0, 2, 4, 2, 0, 0, 0])))
    90.0
    """
    steps = curves.shape[-1]
    top = curves.argmax(-1)[..., None]
    around = np.take_along_axis(curves, (top + np.arange(steps)) % steps, -1).astype(np.float64)
    height = np.asarray(around[..., 0])
    sides = [
        _fall(side, np.asarray(height / 2)) for side in (around, np.roll(around[..., ::-1], 1, -1))
    ]
    wide = np.minimum(sum(sides) * (period / steps), period)
    return np.where(height > 0, wide, np.nan)


def _fall(around: np.ndarray, level: np.ndarray) -> np.ndarray:
    """Compute after how many steps a curve falls to a level, with fractions of steps."""
    steps = around.shape[-1]
    below = around <= level[..., None]
    first = np.where(below.any(-1), below.argmax(-1), steps)
    ends = [
        np.take_along_axis(around, ((first + step) % steps)[..., None], -1)[..., 0]
        for step in (-1, 0)
    ]
    drop = ends[0] - ends[1]
    part = np.divide(ends[0] - level, drop, out=np.ones_like(drop), where=drop > 0)
    crossing: np.ndarray = np.where(first < steps, first - 1 + part, steps)
    return crossing


def off_peak(curves: Curves, *, beyond: float, period: float = 360.0) -> Numbers:
    """Compute the highest value more than `beyond` degrees from the peak, over the peak's.

    Examples
    --------
    >>> float(off_peak(np.array([4.0, 3.0, 0.0, 1.0]), beyond=90.0))
    0.0
    >>> float(off_peak(np.array([4.0, 3.0, 0.0, 1.0]), beyond=45.0))
    0.75
    """
    steps = curves.shape[-1]
    away = np.minimum(np.arange(steps), steps - np.arange(steps)) * (period / steps)
    return _relative(curves, away > beyond)


def echo(curves: Curves, *, within: float = 30.0) -> Numbers:
    """Compute the highest value within some degrees of the peak's opposite, over the peak's.

    As in "Curve Detectors" (Cammarata et al., 2020), where units of mixed3b have echoes of
    0 to .03, their predecessors in mixed3a of .04 to .53. The period is 360 degrees.

    Examples
    --------
    >>> float(echo(np.array([4.0, 3.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0])))
    0.25
    """
    steps = curves.shape[-1]
    away = np.abs(np.arange(steps) * (360 / steps) - 180)
    return _relative(curves, away <= within)


def _relative(curves: Curves, places: np.ndarray) -> Numbers:
    """Compute the highest value at some steps from the peak, over the peak's, at least 0."""
    if not places.any():
        return np.zeros(curves.shape[:-1])
    steps = np.arange(curves.shape[-1])
    turned = places[(steps - steps[:, None]) % len(steps)]  # for each step at which the peak may be
    highest = np.where(turned[curves.argmax(-1)], curves, 0).max(-1).clip(0)
    height = curves.max(-1).astype(np.float64)
    undefined = np.full(height.shape, np.nan)
    share: np.ndarray = np.divide(highest, height, out=undefined, where=height > 0)
    return share


def angular_difference(
    first: Real[np.ndarray, "..."] | float,
    second: Real[np.ndarray, "..."] | float,
    *,
    period: float = 360.0,
) -> Float[np.ndarray, "..."]:
    """Compute the turn from the second direction to the first, in degrees, broadcast.

    Parameters
    ----------
    first, second
        In degrees.
    period
        360 for what has a direction, 180 for lines.

    Returns
    -------
    ndarray
        From minus half a period to below half a period; clockwise is positive.

    Examples
    --------
    >>> float(angular_difference(350.0, 15.0)), float(angular_difference(15.0, 350.0))
    (-25.0, 25.0)
    """
    half = period / 2
    return np.asarray((np.subtract(first, second, dtype=np.float64) + half) % period - half)


def angular_distance(
    first: Real[np.ndarray, "..."] | float,
    second: Real[np.ndarray, "..."] | float,
    *,
    period: float = 360.0,
) -> Float[np.ndarray, "..."]:
    """Compute the angle between directions in degrees, from 0 to half a period, broadcast.

    Parameters
    ----------
    first, second, period
        As for `angular_difference`.

    Examples
    --------
    >>> angular_distance(np.array([350.0, 180.0]), 15.0).tolist()
    [25.0, 165.0]
    """
    apart = np.abs(np.subtract(first, second, dtype=np.float64)) % period
    return np.asarray(np.minimum(apart, period - apart))


def largest_gap(directions: Float[np.ndarray, " directions"], *, period: float = 360.0) -> float:
    """Compute the largest angle between neighboring directions around the circle.

    Examples
    --------
    >>> largest_gap(np.array([350.0, 10.0, 100.0]))
    250.0
    """
    ordered = np.sort(directions % period)
    return float(np.diff(ordered, append=ordered[0] + period).max())
