"""Verdicts from evidence: bootstrap intervals over variants, and p against shuffled units.

The rules are stated in `visioncircuits.hypotheses.verdicts`.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Int, Real
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
    effects = _measured(stated, evidence)
    margins = _margins(stated, effects)
    driven = evidence.peak > 0
    shuffled = np.stack([
        _margins(predictions, _measured(predictions, other)).min(0)
        for other in (evidence.shuffled(generator) for _ in range(SHUFFLES))
    ])  # fmt: skip
    as_good, others = _fitting(shuffled, margins[: len(predictions)].min(0), driven)
    p = np.where(others > 0, (1 + as_good) / (1 + others), np.nan)[list(tested)]
    if len(tested) > 1 and not np.isnan(p).any():
        p = false_discovery_control(p)
    ranks = [_share(*_fitting(own[None], own, driven)) for own in margins]
    selected = evidence.select(tested)
    variants = len(hypothesis.variants)
    resampled = np.stack([
        _measured(stated, selected.resampled(drawn))
        for drawn in generator.integers(variants, size=(RESAMPLES, variants))
    ], -1)  # fmt: skip
    intervals = np.stack(_interval(resampled), -1)
    statuses = _statuses(_margins(stated, resampled))
    edges = axis_edges(selected)
    verdicts = []
    for place, unit in enumerate(tested):
        outcomes = [
            Outcome(
                prediction,
                float(effects[number, unit]),
                tuple(intervals[number, place].tolist()),
                str(statuses[number, place]),
                float(ranks[number][unit]),
            )
            for number, prediction in enumerate(stated)
        ]
        verdicts.append(
            Verdict(
                evidence.units[unit],
                hypothesis,
                tuple(outcomes[: len(predictions)]),
                float(p[place]),
                len(tested),
                selected.select([place]),
                photographs=tuple(outcomes[len(predictions) :]),
                edges=edges[place],
            )
        )
    return verdicts


def _of_deviations(evidence: Evidence, hypothesis: Hypothesis) -> tuple[Prediction, ...]:
    """Return what the hypothesis expects on photographs, where they were given, before reading."""
    if evidence.firing is None:
        return ()
    expected = hypothesis.on_photographs.predictions
    return tuple(p for p in expected if p.function is effect_functions.strength)


def _measured(
    predictions: Sequence[Prediction], evidence: Evidence
) -> Real[np.ndarray, "predictions units"]:
    return np.stack([prediction.measure(evidence) for prediction in predictions])


def _margins(
    predictions: Sequence[Prediction], effects: Real[np.ndarray, "predictions *others"]
) -> Real[np.ndarray, "predictions *others"]:
    return np.stack([p.margin(effect) for p, effect in zip(predictions, effects, strict=True)])


def _fitting(
    margins: Real[np.ndarray, "draws units"],
    least: Real[np.ndarray, " units"],
    driven: Bool[np.ndarray, " units"],
) -> tuple[Int[np.ndarray, " units"], Int[np.ndarray, " units"]]:
    """Count the margins of other units that something drives: those at least as high, and all."""
    pool = np.sort(margins[:, driven], axis=None)
    own = (margins >= least).sum(0)
    as_high = pool.size - np.searchsorted(pool, least) - np.where(driven, own, 0)
    return as_high, pool.size - np.where(driven, len(margins), 0)


def _share(some: np.ndarray, among: np.ndarray) -> np.ndarray:
    shares: np.ndarray = np.divide(some, among, out=np.full(some.shape, np.nan), where=among > 0)
    return shares


def _interval(
    resampled: Real[np.ndarray, "*others samples"],
) -> tuple[Real[np.ndarray, "*others"], Real[np.ndarray, "*others"]]:
    """Compute the middle 95 % of the resampled values, infinite ones included and NaN left out."""
    ordered = np.sort(resampled, -1)  # NaN last
    numbers = (~np.isnan(ordered)).sum(-1, keepdims=True)
    low, high = (
        np.take_along_axis(ordered, np.ceil(numbers * part - 1).clip(0).astype(int), -1)[..., 0]
        for part in (0.025, 0.975)
    )
    return low, high


def _statuses(margins: Real[np.ndarray, "*others samples"]) -> np.ndarray:
    """Return whether the interval of the margins is all within the bounds, or all outside."""
    low, high = _interval(margins)
    return np.where(low >= 0, "holds", np.where(high < 0, "fails", "open"))
