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

Photographs, where they are given, can only add doubt: what every synthetic stimulus supports is
undecided where an outcome on photographs does not hold. The deviations hold where their whole
interval is within the bound, as above; what a handwritten circuit reads holds where the share is
within it and its interval, of the binomial distribution, above that of random places
(`reader.SHARE`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from visioncircuits import files
from visioncircuits.hypotheses import effects
from visioncircuits.hypotheses.axis_edges import AxisEdge
from visioncircuits.hypotheses.evidence import Evidence
from visioncircuits.hypotheses.hypothesis import Hypothesis
from visioncircuits.hypotheses.outcome import Outcome, finite
from visioncircuits.networks import Direction

LEVEL = 0.05

COLUMNS = ("unit", "orientation", "mean", "width", "echo", "peak", "p", "verdict", "why")
"""Of a table without rows."""


@dataclass(frozen=True)
class Verdict:
    """The result of testing a hypothesis about a feature; a notebook shows its `verdict_panel`.

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
    direction
        What was tested, with its weights; None where it is a unit.
    photographs
        The outcomes on photographs; none where none were given. What a handwritten circuit reads
        is among them where stimuli support the hypothesis.
    edges
        The preferred values that are first or last on their axes. Where stimuli support the
        hypothesis, the axis is extended by one value, which is measured too.

    Examples
    --------
    >>> from visioncircuits.hypotheses import Prediction, judge
    >>> from visioncircuits.networks import untrained
    >>> from visioncircuits.stimuli import named
    >>> claim = Prediction("responds to one direction of an edge", effects.echo, most=0.1)
    >>> edges = Hypothesis("edge", named("edges"), (claim,))
    >>> verdict = judge(untrained("bvlc_googlenet"), "conv2d0:5", edges)
    >>> verdict.status, [outcome.status for outcome in verdict.outcomes]
    ('supported', ['holds'])
    """

    unit: str
    hypothesis: Hypothesis
    outcomes: tuple[Outcome, ...]
    p: float
    tried: int
    evidence: Evidence
    direction: Direction | None = None
    photographs: tuple[Outcome, ...] = ()
    edges: tuple[AxisEdge, ...] = ()

    def __repr__(self) -> str:
        first, *others = self.reasons or ("",)
        more = f"; and {len(others)} more" if others else ""
        return (
            f"Verdict({self.unit}, {self.hypothesis.name}: {self.status}, p = {self.p:.2g}"
            f"{first and '; '}{first}{more})"
        )

    def _repr_png_(self) -> bytes:
        from visioncircuits.hypotheses.verdict_panel import verdict_panel

        return verdict_panel(self)._repr_png_()

    @property
    def status(self) -> str:
        """`supported`, `refuted` or `undecided`."""
        return "undecided" if self.doubts else self.by_stimuli

    @property
    def by_stimuli(self) -> str:
        """The status by synthetic stimuli alone."""
        statuses = {outcome.status for outcome in self.outcomes}
        if "fails" in statuses:
            return "refuted"
        if statuses == {"holds"}:
            return "refuted" if self.by_chance else "supported"
        return "undecided"

    @property
    def by_chance(self) -> bool:
        """Whether p is above .05, so that shuffled units fit as well."""
        return self.p > LEVEL

    @property
    def missed(self) -> tuple[Outcome, ...]:
        """The outcomes that do not hold: those that fail, then the open ones, the worst first."""
        return tuple(
            sorted(
                (outcome for outcome in self.outcomes if outcome.status != "holds"),
                key=lambda outcome: (outcome.status == "open", outcome.margin),
            )
        )

    @property
    def doubts(self) -> tuple[Outcome, ...]:
        """The outcomes on photographs that do not hold, where stimuli support the hypothesis."""
        if self.by_stimuli != "supported":
            return ()
        return tuple(outcome for outcome in self.photographs if outcome.status != "holds")

    @property
    def notes(self) -> tuple[str, ...]:
        """What does not bear on the status: which preferred values are at an axis' edge."""
        return tuple(map(str, self.edges))

    @property
    def reasons(self) -> tuple[str, ...]:
        """What refutes the hypothesis or leaves it open; none where it is supported.

        Examples
        --------
        >>> from visioncircuits.hypotheses import Prediction, judge_evidence
        >>> from visioncircuits.stimuli import named
        >>> angles = {"orientation": np.arange(0, 360, 15)}
        >>> evidence = Evidence(("a:0",), np.ones((1, 1, 24)), angles, {})
        >>> claim = Prediction("responds to one direction of an edge", effects.echo, most=0.1)
        >>> (verdict,) = judge_evidence(evidence, Hypothesis("edge", named("edges"), (claim,)))
        >>> verdict.reasons
        ('responds to one direction of an edge: 1, not ≤ 0.1',)
        """
        if self.missed and not self.evidence.peak[0] > 0:
            return ("no stimulus activates it",)
        if self.by_chance and not self.missed:
            among = f", corrected for {self.tried} units," if self.tried > 1 else ""
            return (f"every prediction holds, but p = {self.p:.2g}{among} is above {LEVEL}",)
        return tuple(self._reason(outcome) for outcome in (*self.missed, *self.doubts))

    def _reason(self, outcome: Outcome) -> str:
        control = self.control(outcome)
        by = f" by {control}" if control else ""
        low, high = outcome.interval
        between = f" in {low:.3g} … {high:.3g}" if outcome.status == "open" else ""
        sign = "not" if outcome.status == "fails" else "perhaps not"
        stated = outcome.prediction
        return f"{stated.claim}: {outcome.effect:.3g}{by}{between}, {sign} {stated.bounds}"

    def control(self, outcome: Outcome) -> str:
        """Return the control that activates the unit most, for an outcome about controls, or ""."""
        if outcome.prediction.function is not effects.controls:
            return ""
        strongest = self.evidence.controls
        names = outcome.prediction.options.get("names") or strongest
        return max(names, key=lambda name: float(strongest[name][0]))

    def row(self) -> dict[str, Any]:
        """Return the unit's parameters and the verdict, as a row of `verdict_table`."""
        row: dict[str, Any] = {"unit": self.unit}
        axes = self.evidence.axes
        if "orientation" in axes:
            row |= {
                "orientation": _one(self.hypothesis.orientations, self.evidence),
                "mean": _one(effects.mean, self.evidence),
                "width": _one(effects.width, self.evidence),
                "echo": _one(effects.echo, self.evidence),
            }
        row |= {"peak": float(self.evidence.peak[0])}
        for axis, values in axes.items():
            if axis != "orientation":
                best = self.evidence.best(axis)[0]
                row[axis] = values[best.argmax()].item() if best.max() > 0 else np.nan
        if self.evidence.controls:
            row["controls"] = _one(effects.controls, self.evidence)
        if self.evidence.deviations is not None:
            row["deviations"] = _one(effects.strength, self.evidence)
        if self.evidence.firing is not None:
            row["firing"] = float(self.evidence.firing[0])
        if self.evidence.read is not None:
            row["read"] = float(self.evidence.read[0])
        return {**row, "p": self.p, "verdict": self.status, "why": "; ".join(self.reasons)}

    def save(self, path: str | Path) -> Path:
        """Write the record as JSON, and return the path; the evidence is not in it.

        Raises
        ------
        InputError
            Where the name does not end in .json, or the file cannot be written.
        """
        return files.write_json(path, self.record(), indent=1)

    def record(self) -> dict[str, Any]:
        """Return the row and the outcomes as JSON can hold them; NaN and infinity are None.

        `networks.read_features` reads the unit or the direction of a saved record.
        """
        seen = [outcome.record() for outcome in self.photographs]
        return {
            **{name: finite(value) for name, value in self.row().items()},
            **({"direction": self.direction.record()} if self.direction else {}),
            "hypothesis": self.hypothesis.name,
            "tried": self.tried,
            "predictions": [outcome.record() for outcome in self.outcomes],
            **({"photographs": seen} if seen else {}),
            "edges": [
                {name: finite(value) for name, value in vars(edge).items()} for edge in self.edges
            ],
        }


def _one(effect: Callable[[Evidence], np.ndarray], evidence: Evidence) -> float:
    return float(effect(evidence)[0])


def verdict_table(verdicts: Sequence[Verdict]) -> pd.DataFrame:
    """Return a table with a row a verdict, sorted by orientation where there is one, else by peak.

    The columns are those of `find`, and `why`: what refutes a unit or leaves it undecided.

    Examples
    --------
    >>> from visioncircuits.hypotheses import Prediction, judge_evidence
    >>> from visioncircuits.stimuli import named
    >>> angles = np.arange(0, 360, 15)
    >>> responses = np.stack([[np.exp(np.cos(np.radians(angles)) * 4)], [np.ones(24)]])
    >>> evidence = Evidence(("a:0", "a:1"), responses, {"orientation": angles}, {})
    >>> claim = Prediction("responds to one direction of an edge", effects.echo, most=0.1)
    >>> verdicts = judge_evidence(evidence, Hypothesis("edge", named("edges"), (claim,)))
    >>> verdict_table(verdicts)[["unit", "orientation", "verdict"]].values.tolist()
    [['a:0', 0.0, 'supported'], ['a:1', 0.0, 'refuted']]
    """
    rows = pd.DataFrame([verdict.row() for verdict in verdicts])
    if not len(rows):
        return pd.DataFrame(columns=list(COLUMNS))
    by, ascending = ("orientation", True) if "orientation" in rows else ("peak", False)
    return rows.sort_values(by, ascending=ascending, kind="stable", ignore_index=True)
