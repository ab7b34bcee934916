"""Effects: the numbers that predictions are about.

Each is a function of `Evidence` that gives a number for every unit, NaN where nothing drives it.
A function of your own serves as well.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from jaxtyping import Float

from visioncircuits.errors import InputError, unknown
from visioncircuits.hypotheses.evidence import Evidence
from visioncircuits.tuning import circular

Numbers = Float[np.ndarray, " units"]
Effect = Callable[..., Numbers]


def off(evidence: Evidence, *, angle: float, axis: str = "orientation") -> Numbers:
    """Degrees between where the tuning over an axis peaks and a given angle."""
    around = _period(evidence, axis)
    found = preferred(evidence, axis=axis)
    return circular.between(found, np.full_like(found, angle), period=around)


def preferred(evidence: Evidence, *, axis: str = "orientation") -> Numbers:
    """Where the tuning over an axis peaks, in degrees, between the axis' values."""
    around = _period(evidence, axis)
    where, _ = circular.peak(evidence.tuning(axis), period=around)
    return np.asarray((where + evidence.axes[axis][0]) % around)


def mean(evidence: Evidence, *, axis: str = "orientation") -> Numbers:
    """Direction of the mean vector of the tuning over an axis, in degrees.

    It says more than the peak where tuning is as broad as a high-low frequency detector's.
    """
    around = _period(evidence, axis)
    where = circular.mean_angle(evidence.tuning(axis), period=around)
    return np.asarray((where + evidence.axes[axis][0]) % around)


def width(evidence: Evidence, *, axis: str = "orientation") -> Numbers:
    """Width of the tuning over an axis at half its height, in degrees."""
    return circular.width(evidence.tuning(axis), period=_period(evidence, axis))


def echo(evidence: Evidence, *, axis: str = "orientation") -> Numbers:
    """Strongest answer within 30 degrees of the opposite of the peak, over the peak's.

    What comes round after 180 degrees has the perpendicular for an opposite, give or take 15.
    """
    _period(evidence, axis)
    return circular.echo(evidence.tuning(axis))


def elsewhere(evidence: Evidence, *, beyond: float, axis: str = "orientation") -> Numbers:
    """Strongest answer more than `beyond` degrees from the peak, over the peak's."""
    return circular.elsewhere(evidence.tuning(axis), beyond=beyond, period=_period(evidence, axis))


def preference(
    evidence: Evidence,
    *,
    axis: str,
    among: tuple[float, float] | tuple[str, str],
    over: tuple[float, float] | tuple[str, str],
) -> Numbers:
    """Best answer among some of an axis' values, over the best among others.

    Parameters
    ----------
    axis
        Of the stimuli.
    among, over
        Least and greatest value, both included; of colours, one of them twice.

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
                f"{axis} has no value from {_told(low)} to {_told(high)}; it has "
                + ", ".join(map(_told, values))
            )
        strengths.append(best[:, inside].max(1).astype(np.float64))
    return _ratio(*strengths, silent=evidence.peak <= 0)


def _told(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def controls(evidence: Evidence, *, names: Sequence[str] = ()) -> Numbers:
    """Strongest answer to any control, or to some of them, over the peak."""
    for name in names:
        if name not in evidence.controls:
            raise unknown("control", name, evidence.controls)
    strongest = np.max([evidence.controls[name] for name in names or evidence.controls], 0)
    return _ratio(
        strongest.astype(np.float64), evidence.peak.astype(np.float64), silent=evidence.peak <= 0
    )


def agreement(evidence: Evidence, *, axis: str = "orientation") -> Numbers:
    """Correlation of the tuning over an axis in one variant with the average one's, averaged.

    A variant in which nothing drives the unit agrees with nothing: it counts as 0.
    """
    place = 2 + evidence.place(axis)
    answers = np.moveaxis(evidence.answers, place, -1)
    shape = (*answers.shape[:2], -1, answers.shape[-1])
    each = answers.reshape(shape).mean(2).astype(np.float64)
    whole = each.mean(1, keepdims=True)
    each, whole = (curves - curves.mean(-1, keepdims=True) for curves in (each, whole))
    norms = np.linalg.norm(each, axis=-1) * np.linalg.norm(whole, axis=-1)
    alike = (each * whole).sum(-1)
    correlations = np.divide(alike, norms, out=np.zeros_like(alike), where=norms > 0)
    return np.where(evidence.peak > 0, correlations.mean(1), np.nan)


def strength(evidence: Evidence) -> Numbers:
    """The peak in standard deviations of the unit's activation over photographs."""
    if evidence.deviations is None:
        raise InputError(
            "a strength in standard deviations needs photographs to take them from; give some"
        )
    return _ratio(
        evidence.peak.astype(np.float64),
        evidence.deviations.astype(np.float64),
        silent=evidence.peak <= 0,
    )


def standing(evidence: Evidence) -> Numbers:
    """The peak over how far half of the layer's units are driven by any of the stimuli."""
    return _ratio(
        evidence.peak.astype(np.float64),
        np.full(len(evidence.units), evidence.typical),
        silent=evidence.peak <= 0,
    )


def _ratio(first: np.ndarray, second: np.ndarray, *, silent: np.ndarray) -> Numbers:
    above = np.where(first > 0, np.inf, 0.0)
    ratio = np.divide(first, second, out=above, where=second > 0)
    return np.where(silent, np.nan, ratio)


def _period(evidence: Evidence, axis: str) -> float:
    evidence.place(axis)
    values = evidence.axes[axis]
    steps = np.diff(values)
    whole = float(steps[0]) * len(values) if len(values) > 3 else 0.0
    if not np.isclose(steps, steps[:1]).all() or round(whole) not in (180, 360):
        raise InputError(
            f"{axis} must have 4 values or more at equal steps around 180 or 360 degrees for this"
        )
    return float(round(whole))


EFFECTS: Mapping[str, Effect] = {
    effect.__name__: effect
    for effect in (
        agreement, controls, echo, elsewhere, mean, off, preference, preferred, standing,
        strength, width,
    )
}  # fmt: skip
"""The effects that a hypothesis in TOML can name."""
