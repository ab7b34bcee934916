"""The record of one step of an induction: from labeled earlier units to one later unit."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from jaxtyping import Float

from visioncircuits.comparison.induction_chance import Score
from visioncircuits.comparison.induction_rules import kind_of
from visioncircuits.handwritten.labels import Label

InductionVerdict = Literal["follows", "partly", "does not follow", "cannot be tested"]

WEIGHTS, TUNING = 0.3, 0.7
"""Correlations that a unit which follows must reach, beside being beyond chance and beating the
rules of other families: a tenth of the variance of its weights, half that of its tuning."""

SOURCES = 3
"""Labeled sources that a test needs: labels of fewer cannot be exchanged to any effect."""


@dataclass(frozen=True, eq=False)
class InductionStep:
    """From labeled units of an earlier layer to one later unit.

    Attributes
    ----------
    unit
        The later unit, such as "mixed3b:413".
    label
        What it is claimed to detect.
    verdict
        "follows" where weights and tuning both pass, "partly" where one of them is beyond chance.
    why
        What it fails, or why it cannot be tested.
    sources
        The earlier units that the rule is about.
    predicted, trained
        Kernels from these; the predicted ones up to a common scale.
    weights, tuning
        Correlations over the weights from the sources, at all positions of the unit's own kernel;
        and over stimuli, of what the predicted kernels make of the sources' real responses with the
        unit's, before its rectifier.
    ceiling
        As `tuning`, with the trained kernels from the same sources in the place of the predicted.
    share
        Of the squared weight into the unit that comes from the sources.
    explained
        Of the squared weight into the unit that the prediction accounts for.
    by_chance
        The same with labels exchanged, a number a draw.

    Examples
    --------
    >>> InductionStep("mixed3b:7", Label("fur"), "cannot be tested", "no rule is known for fur")
    InductionStep(mixed3b:7, fur: cannot be tested)
    """

    unit: str
    label: Label
    verdict: InductionVerdict
    why: str = ""
    sources: tuple[str, ...] = ()
    predicted: Float[np.ndarray, "sources height width"] | None = None
    trained: Float[np.ndarray, "sources height width"] | None = None
    weights: Score | None = None
    tuning: Score | None = None
    ceiling: float = np.nan
    share: float = 0.0
    explained: float = 0.0
    by_chance: Float[np.ndarray, " draws"] | None = None

    def __repr__(self) -> str:
        return f"InductionStep({self.unit}, {self.label}: {self.verdict})"

    @property
    def family(self) -> str:
        """What it is claimed to be, by the name that rules know."""
        return kind_of(self.label)

    def record(self) -> dict[str, Any]:
        """Return the label and all numbers as JSON can hold them; NaN is None."""
        scores = {
            name: None if score is None else asdict(score)
            for name, score in (("weights", self.weights), ("tuning", self.tuning))
        }
        return {
            "unit": self.unit,
            "label": self.label.record(),
            "verdict": self.verdict,
            "why": self.why,
            "sources": list(self.sources),
            **scores,
            "ceiling": None if np.isnan(self.ceiling) else self.ceiling,
            "share": self.share,
            "explained": self.explained,
        }

    def row(self) -> dict[str, Any]:
        """Return the numbers as a row of `Induction.table`."""
        row: dict[str, Any] = {
            "unit": self.unit,
            "family": self.family,
            "orientation": self.label.orientation,
            "verdict": self.verdict,
            "sources": len(self.sources),
        }
        for name, score in (("weights", self.weights), ("tuning", self.tuning)):
            row |= {
                name: score and score.found,
                f"{name}, labels exchanged": score and score.labels[1],
                f"{name}, other units": score and score.units[1],
                f"{name}, best other rule": score and score.rival[1],
                f"{name}, its shape": score and score.rival[0],
            }
        rest = {"tuning, trained": self.ceiling, "share": self.share, "explained": self.explained}
        return {**row, **rest, "why": self.why}


def judged(weights: Score, tuning: Score) -> tuple[InductionVerdict, str]:
    """Return the verdict, and what fails.

    Examples
    --------
    >>> good, poor = Score(0.9, (-0.2, 0.2), (-0.2, 0.2), {}), Score(0.1, (-0.2, 0.2), (0, 0), {})
    >>> judged(good, good), judged(good, poor)
    (('follows', ''), ('partly', 'tuning .10, not above .20 with labels exchanged'))
    """
    failures = [
        f"{name} {reason}"
        for name, score, least in (("weights", weights, WEIGHTS), ("tuning", tuning, TUNING))
        if (reason := _failure(score, least))
    ]
    if not failures:
        return "follows", ""
    partly = weights.beyond_chance or tuning.beyond_chance
    return "partly" if partly else "does not follow", "; ".join(failures)


def _failure(score: Score, least: float) -> str:
    """Return why a score does not pass; empty where it does."""
    found = _two(score.found)
    for high, how in ((score.labels[1], "labels exchanged"), (score.units[1], "other units")):
        if score.found <= max(high, 0):
            return f"{found}, not above {_two(max(high, 0))} with {how}"
    shape, rival = score.rival
    if score.found <= rival:
        return f"{found}, and {_two(rival)} by the rule of another family ({shape})"
    return "" if score.found >= least else f"{found}, not at least {_two(least)}"


def _two(value: float) -> str:
    return f"{value:.2f}".replace("0.", ".").replace("-", "−")
