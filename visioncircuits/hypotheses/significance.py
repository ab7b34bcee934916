"""Verdicts from evidence: bootstrap intervals over variants, and p against shuffled units.

The rules are stated in `visioncircuits.hypotheses.verdicts`.
"""

from collections.abc import Sequence

import numpy as np
from scipy.stats import false_discovery_control

from visioncircuits.hypotheses import effects as effect_functions
from visioncircuits.hypotheses.axis_edges import axis_edges
from visioncircuits.hypotheses.evidence import Evidence
from visioncircuits.hypotheses.hypothesis import Hypothesis
from visioncircuits.hypotheses.outcome import Outcome
from visioncircuits.hypotheses.prediction import Prediction
from visioncircuits.hypotheses.verdicts import Verdict

RESAMPLES = 400
SHUFFLES = 100
"""Of each other unit's responses."""


def judge_evidence(
    evidence: Evidence,
    hypothesis: Hypothesis,
    *,
    units: Sequence[int] | None = None,
    seed: int = 0,
) -> list[Verdict]:
    """Return the verdicts that evidence allows.

    Parameters
    ----------
    evidence
        Of a whole layer, whose other units are the null. Where it has `firing`, photographs were
        given, and the deviations that the hypothesis expects on them are tested too.
    hypothesis
        What was tested.
    units
        Indices of the evidence's units to be judged; by default all.
    seed
        For the bootstrap and the shuffles.

    Examples
    --------
    >>> from visioncircuits.hypotheses import Evidence, Hypothesis, Prediction, effects
    >>> from visioncircuits.stimuli import named
    >>> angles = np.arange(0, 360, 15)
    >>> responses = np.stack([[np.exp(np.cos(np.radians(angles)) * 4)], [np.ones(24)]])
    >>> evidence = Evidence(("a:0", "a:1"), responses, {"orientation": angles}, {})
    >>> claim = Prediction("responds to one direction of an edge", effects.echo, most=0.1)
    >>> edges = Hypothesis("edge", named("edges"), (claim,))
    >>> judge_evidence(evidence, edges)
    [Verdict(a:0, edge: supported, p = 0.02), Verdict(a:1, edge: refuted, p = 1; responds to ...)]
    """
    tested = range(len(evidence.units)) if units is None else units
    evidence = evidence.with_typical()
    generator = np.random.default_rng(seed)
    predictions = hypothesis.predictions
    stated = (*predictions, *_of_deviations(evidence, hypothesis))
    effects = [prediction.measure(evidence) for prediction in stated]
    worst = _worst(predictions, effects[: len(predictions)])
    shuffled = np.stack([
        _worst(predictions, [prediction.measure(other) for prediction in predictions])
        for other in (evidence.shuffled(generator) for _ in range(SHUFFLES))
    ])  # fmt: skip
    others = [_others(evidence, unit) for unit in tested]
    p = np.array([
        _p(worst[unit], shuffled[:, chosen])
        for unit, chosen in zip(tested, others, strict=True)
    ])  # fmt: skip
    if len(tested) > 1 and not np.isnan(p).any():
        p = false_discovery_control(p)
    selected = evidence.select(tested)
    drawn = generator.integers(len(hypothesis.variants), size=(RESAMPLES, len(hypothesis.variants)))
    resampled = np.array([
        [prediction.measure(again) for prediction in stated]
        for again in (selected.resampled(variants) for variants in drawn)
    ])  # fmt: skip
    verdicts = []
    for place, unit in enumerate(tested):
        outcomes = [
            Outcome(
                prediction,
                float(effects[number][unit]),
                _interval(resampled[:, number, place]),
                _status(prediction.margin(resampled[:, number, place])),
                _rank(prediction.margin(effects[number]), unit, others[place]),
            )
            for number, prediction in enumerate(stated)
        ]
        alone = selected.select([place])
        verdicts.append(
            Verdict(
                evidence.units[unit],
                hypothesis,
                tuple(outcomes[: len(predictions)]),
                float(p[place]),
                len(tested),
                alone,
                photographs=tuple(outcomes[len(predictions) :]),
                edges=axis_edges(alone),
            )
        )
    return verdicts


def _of_deviations(evidence: Evidence, hypothesis: Hypothesis) -> tuple[Prediction, ...]:
    """Return what the hypothesis expects on photographs, where they were given, before reading."""
    if evidence.firing is None:
        return ()
    expected = hypothesis.on_photographs.predictions
    return tuple(p for p in expected if p.function is effect_functions.strength)


def _worst(predictions: Sequence[Prediction], effects: Sequence[np.ndarray]) -> np.ndarray:
    """Compute the smallest margin over the predictions, for every unit."""
    margins = [p.margin(effect) for p, effect in zip(predictions, effects, strict=True)]
    return np.asarray(np.min(margins, 0))


def _others(evidence: Evidence, unit: int) -> np.ndarray:
    """Mark the other units that something drives."""
    others = evidence.peak > 0
    others[unit] = False
    return others


def _p(worst: float, shuffled: np.ndarray) -> float:
    """Compute the share of the shuffled units that fit at least as well."""
    if not shuffled.size:
        return float("nan")
    return (1 + int((shuffled >= worst).sum())) / (1 + shuffled.size)


def _rank(margins: np.ndarray, unit: int, others: np.ndarray) -> float:
    return float((margins[others] >= margins[unit]).mean()) if others.any() else float("nan")


def _interval(resampled: np.ndarray) -> tuple[float, float]:
    """Compute the middle 95 % of the resampled values, infinite ones included."""
    numbers = resampled[~np.isnan(resampled)]
    if not len(numbers):
        return float("nan"), float("nan")
    low, high = np.quantile(numbers, [0.025, 0.975], method="inverted_cdf")
    return float(low), float(high)


def _status(margins: np.ndarray) -> str:
    """Return whether the interval of the margins is all within the bounds, or all outside."""
    low, high = _interval(margins)
    if low >= 0:
        return "holds"
    return "fails" if high < 0 else "open"
