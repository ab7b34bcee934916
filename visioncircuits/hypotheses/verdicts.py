"""Verdicts: the result of testing a hypothesis about a unit, and the rules it follows.

A prediction **holds** where its effect is within its bounds in the whole 95 % interval, which is
bootstrapped over the stimuli's variants; it **fails** where the whole interval is outside, and
where nothing drives the unit. The null is every other unit of the layer with its responses
permuted over stimuli, so that only chance can make it fit: p is the share of these whose worst
prediction fits at least as well as the tested unit's. Where several units are tested, p is
corrected for that (Benjamini and Hochberg, 1995).

supported
    every prediction holds, and the corrected p is at most .05
refuted
    some prediction fails, or p is above .05 while every prediction holds
undecided
    otherwise
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from visioncircuits.hypotheses import effects
from visioncircuits.hypotheses.evidence import Evidence
from visioncircuits.hypotheses.hypothesis import Hypothesis, Prediction

LEVEL = 0.05

COLUMNS = ("unit", "orientation", "mean", "width", "echo", "peak", "p", "verdict")
"""Of a table without rows."""


@dataclass(frozen=True)
class Outcome:
    """The result of testing one prediction.

    Attributes
    ----------
    prediction
        What was predicted.
    effect
        What was measured; NaN where nothing drives the unit.
    interval
        95 %, bootstrapped over the variants.
    status
        `holds`, `fails` or `open`.
    rank
        The share of the layer's other units that fit the prediction at least as well.

    Examples
    --------
    >>> from visioncircuits.hypotheses import Hypothesis, Prediction, effects, judge
    >>> from visioncircuits.networks import untrained
    >>> from visioncircuits.stimuli import StimulusSet, edge
    >>> edges = StimulusSet(edge, {"orientation": range(0, 360, 30)})
    >>> one_sided = Prediction("responds to one polarity", effects.echo, most=0.5)
    >>> hypothesis = Hypothesis("edge", edges, (one_sided,))
    >>> verdict = judge(untrained("bvlc_googlenet"), "conv2d0:7", hypothesis)
    >>> (outcome,) = verdict.outcomes
    >>> outcome.prediction.claim, outcome.interval[0] <= outcome.effect <= outcome.interval[1]
    ('responds to one polarity', True)
    """

    prediction: Prediction
    effect: float
    interval: tuple[float, float]
    status: str
    rank: float


@dataclass(frozen=True)
class Verdict:
    """The result of testing a hypothesis about a feature.

    Attributes
    ----------
    unit
        The feature's name.
    hypothesis
        What was tested.
    outcomes
        Of all predictions.
    p
        The share of shuffled other units that fit at least as well, corrected for how many units
        were tested; NaN where there was no other unit.
    tried
        How many units the hypothesis was tested on.
    evidence
        The unit's responses.

    Examples
    --------
    >>> from visioncircuits.hypotheses import Hypothesis, Prediction, effects, judge
    >>> from visioncircuits.networks import untrained
    >>> from visioncircuits.stimuli import StimulusSet, edge
    >>> edges = StimulusSet(edge, {"orientation": range(0, 360, 30)})
    >>> one_sided = Prediction("responds to one polarity", effects.echo, most=0.5)
    >>> hypothesis = Hypothesis("edge", edges, (one_sided,))
    >>> verdict = judge(untrained("bvlc_googlenet"), "conv2d0:7", hypothesis)
    >>> verdict.unit, verdict.status in {"supported", "refuted", "undecided"}, verdict.tried
    ('conv2d0:7', True, 1)
    """

    unit: str
    hypothesis: Hypothesis
    outcomes: tuple[Outcome, ...]
    p: float
    tried: int
    evidence: Evidence

    def _repr_png_(self) -> bytes:
        from visioncircuits.hypotheses.verdict_panel import verdict_panel

        return verdict_panel(self)._repr_png_()

    @property
    def status(self) -> str:
        """`supported`, `refuted` or `undecided`."""
        statuses = {outcome.status for outcome in self.outcomes}
        if "fails" in statuses:
            return "refuted"
        if statuses == {"holds"}:
            return "refuted" if self.p > LEVEL else "supported"
        return "undecided"

    def row(self) -> dict[str, Any]:
        """Return the unit's parameters and the verdict, as a row of `verdict_table`."""
        row: dict[str, Any] = {"unit": self.unit}
        axes = self.evidence.axes
        if "orientation" in axes:
            row |= {
                "orientation": _one(effects.preferred, self.evidence),
                "mean": _one(effects.mean, self.evidence),
                "width": _one(effects.width, self.evidence),
                "echo": _one(effects.echo, self.evidence),
            }
        row |= {"peak": float(self.evidence.peak[0])}
        for axis, values in axes.items():
            if axis != "orientation":
                best = self.evidence.best(axis)[0]
                row[axis] = float(values[best.argmax()]) if best.max() > 0 else np.nan
        if self.evidence.controls:
            row["controls"] = _one(effects.controls, self.evidence)
        if self.evidence.deviations is not None:
            row["deviations"] = _one(effects.strength, self.evidence)
        return {**row, "p": self.p, "verdict": self.status}

    def record(self) -> dict[str, Any]:
        """Return the row and the outcomes as JSON can hold them; NaN and infinity are None."""
        outcomes = [
            {
                "claim": outcome.prediction.claim,
                "status": outcome.status,
                "effect": _finite(outcome.effect),
                "interval": [_finite(end) for end in outcome.interval],
                "least": _finite(outcome.prediction.least),
                "most": _finite(outcome.prediction.most),
                "rank": _finite(outcome.rank),
            }
            for outcome in self.outcomes
        ]
        return {
            **{name: _finite(value) for name, value in self.row().items()},
            "hypothesis": self.hypothesis.name,
            "tried": self.tried,
            "predictions": outcomes,
        }


def _finite(value: Any) -> Any:
    return value if isinstance(value, str) or np.isfinite(value) else None


def _one(effect: Callable[[Evidence], np.ndarray], evidence: Evidence) -> float:
    return float(effect(evidence)[0])


def verdict_table(verdicts: Sequence[Verdict]) -> pd.DataFrame:
    """Return a table with a row a verdict, sorted by orientation where there is one, else by peak.

    The columns are those of `find`.

    Examples
    --------
    >>> from visioncircuits.hypotheses import Hypothesis, Prediction, effects, judge
    >>> from visioncircuits.networks import untrained
    >>> from visioncircuits.stimuli import StimulusSet, edge
    >>> edges = StimulusSet(edge, {"orientation": range(0, 360, 30)})
    >>> one_sided = Prediction("responds to one polarity", effects.echo, most=0.5)
    >>> hypothesis = Hypothesis("edge", edges, (one_sided,))
    >>> verdict = judge(untrained("bvlc_googlenet"), "conv2d0:7", hypothesis)
    >>> verdict_table([verdict])["unit"].tolist()
    ['conv2d0:7']
    """
    rows = pd.DataFrame([verdict.row() for verdict in verdicts])
    if not len(rows):
        return pd.DataFrame(columns=list(COLUMNS))
    by, ascending = ("orientation", True) if "orientation" in rows else ("peak", False)
    return rows.sort_values(by, ascending=ascending, kind="stable", ignore_index=True)
