"""Effects: the numbers that predictions are about.

Each is a function of `Evidence` that returns a number for every unit, NaN where nothing drives
the unit. A function of your own can be used in their place.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache

import numpy as np
from jaxtyping import Float, Real

from visioncircuits.errors import InputError, unknown
from visioncircuits.hypotheses.evidence import Evidence
from visioncircuits.tuning import circular

Numbers = Float[np.ndarray, " units"]
Effect = Callable[..., Numbers]


def peak_distance(evidence: Evidence, *, angle: float, axis: str = "orientation") -> Numbers:
    """Degrees between the peak of the tuning over an axis and a given angle."""
    period = _period(evidence, axis)
    return circular.angular_distance(preferred(evidence, axis=axis), angle, period=period)


def mean_distance(evidence: Evidence, *, angle: float, axis: str = "orientation") -> Numbers:
    """Degrees between the mean vector of the tuning over an axis and a given angle."""
    period = _period(evidence, axis)
    return circular.angular_distance(mean(evidence, axis=axis), angle, period=period)


def preferred(evidence: Evidence, *, axis: str = "orientation") -> Numbers:
    """Peak of the tuning over an axis, in degrees, interpolated between the axis' values."""
    period = _period(evidence, axis)
    angles, _ = circular.peak(evidence.tuning(axis), period=period)
    return np.asarray((angles + evidence.axes[axis][0]) % period)


def mean(evidence: Evidence, *, axis: str = "orientation") -> Numbers:
    """Direction of the mean vector of the tuning over an axis, in degrees.

    It is better defined than the peak where tuning is as broad as a high-low frequency detector's.
    """
    period = _period(evidence, axis)
    angles = circular.mean_angle(evidence.tuning(axis), period=period)
    return np.asarray((angles + evidence.axes[axis][0]) % period)


def width(evidence: Evidence, *, axis: str = "orientation") -> Numbers:
    """Width of the tuning over an axis at half its height, in degrees."""
    return circular.width(evidence.tuning(axis), period=_period(evidence, axis))


def echo(evidence: Evidence, *, axis: str = "orientation") -> Numbers:
    """Strongest response within 30 degrees of the opposite of the peak, over the peak's.

    With a period of 180 degrees, that is within 15 degrees of the perpendicular.
    """
    _period(evidence, axis)
    return circular.echo(evidence.tuning(axis))


def off_peak(evidence: Evidence, *, beyond: float, axis: str = "orientation") -> Numbers:
    """Strongest response more than `beyond` degrees from the peak, over the peak's."""
    return circular.off_peak(evidence.tuning(axis), beyond=beyond, period=_period(evidence, axis))


def preference(
    evidence: Evidence,
    *,
    axis: str,
    among: Sequence[float] | Sequence[str],
    over: Sequence[float] | Sequence[str],
) -> Numbers:
    """Best response among some of an axis' values, over the best among others.

    Parameters
    ----------
    axis
        Of the stimuli.
    among, over
        Least and greatest value, both included; of colors, one of them twice.

    Returns
    -------
    ndarray
        1 where both are alike; infinite where only the first drive the unit.
    """
    best, values = evidence.best(axis), evidence.axes[axis]
    strengths = []
    for low, high in (among, over):
        inside = (values >= low) & (values <= high)
        if not inside.any():
            raise InputError(
                f"{axis} has no value from {_text(low)} to {_text(high)}; it has "
                + ", ".join(map(_text, values))
            )
        strengths.append(best[:, inside].max(1).astype(np.float64))
    return _ratio(*strengths, undriven=evidence.peak <= 0)


def _text(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def controls(evidence: Evidence, *, names: Sequence[str] = ()) -> Numbers:
    """Strongest response to the named controls, by default to any, over the peak."""
    for name in names:
        if name not in evidence.controls:
            raise unknown("control", name, evidence.controls)
    if not evidence.controls:
        raise InputError("there are no controls to compare with; give the hypothesis some")
    strongest = np.max([evidence.controls[name] for name in names or evidence.controls], 0)
    return _ratio(
        strongest.astype(np.float64), evidence.peak.astype(np.float64), undriven=evidence.peak <= 0
    )


def invariance(evidence: Evidence, *, axis: str = "orientation") -> Numbers:
    """Correlation of the tuning over an axis in one variant with the average one's, averaged.

    A variant in which nothing drives the unit counts as 0. Values are rounded to 12 digits, so that
    units that one variant alone drives are all alike.
    """
    whole, direction = map(evidence.averaged, evidence.curves(axis))
    length = np.linalg.norm(whole, axis=-1)
    products = (direction * whole).sum(-1)
    correlations = np.divide(products, length, out=np.zeros_like(products), where=length > 0)
    return np.where(evidence.peak > 0, correlations.round(12), np.nan)


def strength(evidence: Evidence) -> Numbers:
    """The peak in standard deviations of the unit's activation over photographs."""
    if evidence.deviations is None:
        raise InputError(
            "a strength in standard deviations needs photographs to measure them on; give some"
        )
    return _ratio(
        evidence.peak.astype(np.float64),
        evidence.deviations.astype(np.float64),
        undriven=evidence.peak <= 0,
    )


def read(evidence: Evidence) -> Numbers:
    """Share of the unit's strongest photographs in which a handwritten circuit finds the shape."""
    if evidence.read is None:
        raise InputError("no handwritten circuit has read photographs; give some")
    return evidence.read


def relative_strength(evidence: Evidence) -> Numbers:
    """The peak over the layer's median of units' strongest responses to any stimulus."""
    return _ratio(
        evidence.peak.astype(np.float64),
        np.full(len(evidence.units), evidence.typical),
        undriven=evidence.peak <= 0,
    )


def _ratio(first: np.ndarray, second: np.ndarray, *, undriven: np.ndarray) -> Numbers:
    above = np.where(first > 0, np.inf, 0.0)
    ratio = np.divide(first, second, out=above, where=second > 0)
    return np.where(undriven, np.nan, ratio)


def _period(evidence: Evidence, axis: str) -> float:
    evidence.axis_index(axis)
    if (around := circle(evidence.axes[axis])) is None:
        raise InputError(
            f"{axis} must have 4 values or more at equal steps around 180 or 360 degrees for this"
        )
    return around


def circle(values: Real[np.ndarray, " values"]) -> float | None:
    """Return 180 or 360 where an axis goes around as many degrees at equal steps, else None.

    Examples
    --------
    >>> circle(np.arange(0, 180, 15)), circle(np.array([10.0, 20.0, 40.0, 80.0]))
    (180.0, None)
    """
    return _circle(tuple(values.tolist()))


@cache
def _circle(values: tuple[float, ...]) -> float | None:
    steps = np.diff(values)
    whole = float(steps[0]) * len(values) if len(values) > 3 else 0.0
    around = np.isclose(steps, steps[:1]).all() and round(whole) in (180, 360)
    return float(round(whole)) if around else None


EFFECTS: Mapping[str, Effect] = {
    effect.__name__: effect
    for effect in (
        controls, echo, invariance, mean, mean_distance, off_peak, peak_distance, preference,
        preferred, relative_strength, strength, width,
    )
}  # fmt: skip
"""The effects that a hypothesis in TOML can name."""
