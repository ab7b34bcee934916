"""Verdicts: what the data say of a hypothesis, by rules that are stated.

A prediction **holds** where its effect is within its bounds in the whole 95 % interval, which
comes from drawing the stimuli's variants with replacement; it **fails** where the whole interval
is outside, and where nothing drives the unit. The null is every other unit of the layer, its
answers given to other stimuli by a shuffle, so that what is left of the hypothesis is chance: p is
the share of these whose worst prediction comes out as well as the tested unit's. Where many units
are tried, p is corrected for that (Benjamini and Hochberg, 1995).

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
from scipy.stats import false_discovery_control

from visioncircuits.errors import InputError
from visioncircuits.hypotheses import effects
from visioncircuits.hypotheses.evidence import Evidence, gather
from visioncircuits.hypotheses.hypothesis import Hypothesis, Prediction
from visioncircuits.hypotheses.predefined import check_field, predefined
from visioncircuits.networks import Direction, Feature, Network, Unit

LEVEL = 0.05
RESAMPLES = 400
SHUFFLES = 100
"""Of each other unit's answers."""

COLUMNS = ("unit", "orientation", "mean", "width", "echo", "peak", "p", "verdict")
"""Of a table without rows."""


@dataclass(frozen=True)
class Outcome:
    """What became of one prediction.

    Attributes
    ----------
    prediction
        What was foretold.
    effect
        What was found; NaN where nothing drives the unit.
    interval
        95 %, from drawing among the variants.
    word
        `holds`, `fails` or `open`.
    better
        The share of the layer's other units for which it comes out at least as well.
    """

    prediction: Prediction
    effect: float
    interval: tuple[float, float]
    word: str
    better: float


@dataclass(frozen=True)
class Verdict:
    """What the data say of a hypothesis about a feature.

    Attributes
    ----------
    unit
        The feature's name.
    hypothesis
        What was tested.
    outcomes
        Of all predictions.
    p
        The share of shuffled other units that do as well, corrected for how many were tried; NaN
        where there was no other unit.
    tried
        How many units the hypothesis was tried on.
    evidence
        The unit's answers.
    """

    unit: str
    hypothesis: Hypothesis
    outcomes: tuple[Outcome, ...]
    p: float
    tried: int
    evidence: Evidence

    @property
    def word(self) -> str:
        """`supported`, `refuted` or `undecided`."""
        words = {outcome.word for outcome in self.outcomes}
        if "fails" in words:
            return "refuted"
        if words == {"holds"}:
            return "refuted" if self.p > LEVEL else "supported"
        return "undecided"

    def row(self) -> dict[str, Any]:
        """The unit's parameters and the verdict, for a table or JSON."""
        found: dict[str, Any] = {"unit": self.unit}
        axes = self.evidence.axes
        if "orientation" in axes:
            found |= {
                "orientation": _one(effects.preferred, self.evidence),
                "mean": _one(effects.mean, self.evidence),
                "width": _one(effects.width, self.evidence),
                "echo": _one(effects.echo, self.evidence),
            }
        found |= {"peak": float(self.evidence.peak[0])}
        for axis, values in axes.items():
            if axis != "orientation":
                best = self.evidence.best(axis)[0]
                found[axis] = float(values[best.argmax()]) if best.max() > 0 else np.nan
        if self.evidence.controls:
            found["controls"] = _one(effects.controls, self.evidence)
        if self.evidence.deviations is not None:
            found["deviations"] = _one(effects.strength, self.evidence)
        return {**found, "p": self.p, "verdict": self.word}

    def record(self) -> dict[str, Any]:
        """All of it as JSON can hold it: the row, and what became of each prediction."""
        outcomes = [
            {
                "claim": outcome.prediction.claim,
                "word": outcome.word,
                "effect": _plain(outcome.effect),
                "interval": [_plain(end) for end in outcome.interval],
                "least": _plain(outcome.prediction.least),
                "most": _plain(outcome.prediction.most),
                "better": _plain(outcome.better),
            }
            for outcome in self.outcomes
        ]
        return {
            **{name: _plain(value) for name, value in self.row().items()},
            "hypothesis": self.hypothesis.name,
            "tried": self.tried,
            "predictions": outcomes,
        }


def _plain(value: Any) -> Any:
    """JSON knows no infinity and no NaN."""
    return value if isinstance(value, str) or np.isfinite(value) else None


def _one(effect: Callable[[Evidence], np.ndarray], evidence: Evidence) -> float:
    return float(effect(evidence)[0])


def judge(
    network: Network,
    hypothesis: str | Hypothesis,
    feature: str | Feature,
    *,
    deviations: np.ndarray | None = None,
    seed: int = 0,
    advance: Callable[[int], object] = lambda more: None,
) -> Verdict:
    """Test a hypothesis about one feature.

    Parameters
    ----------
    network
        Any network.
    hypothesis
        One of `PREDEFINED` by name, or your own.
    feature
        A unit or a direction; the other units of its layer are the null.
    deviations
        Of the layer's units, from `deviations`, for predictions about strength; about a
        direction's with ``directions=[it]``, so that its own comes last.
    seed
        For the bootstrap and the shuffles.
    advance
        Is told how many stimuli more have been shown.

    Returns
    -------
    Verdict
        It says no as readily as yes.

    Raises
    ------
    InputError
        As `measure`, where the layer is too early for the stimuli, and for more or fewer
        deviations than there are units.
    """
    asked = network.feature(feature)
    mine = None
    if isinstance(asked, Direction) and deviations is not None:
        units = network.layer(asked.layer).units
        if len(deviations) != units + 1:
            raise InputError(
                f"{len(deviations)} standard deviations for the {units} units of {asked.layer} and "
                f"{asked}; measure them by deviations(…, directions=[…])"
            )
        deviations, mine = deviations[:-1], np.asarray(deviations)[-1:]
    evidence, tested = _evidence(network, hypothesis, asked.layer, deviations, advance)
    if isinstance(asked, Unit):
        return weigh(evidence, tested, units=[asked.index], seed=seed)[0]
    own = gather(
        network,
        asked,
        tested.stimuli,
        variants=tested.variants,
        controls=tested.controls,
        deviations=mine,
    )
    return weigh(_joined(own, evidence), tested, units=[0], seed=seed)[0]


def survey(
    network: Network,
    hypothesis: str | Hypothesis,
    layer: str,
    *,
    deviations: np.ndarray | None = None,
    seed: int = 0,
    advance: Callable[[int], object] = lambda more: None,
) -> list[Verdict]:
    """Test a hypothesis about each unit of a layer.

    Parameters, errors: as `judge`. The p of every verdict is corrected for the number of units.
    """
    evidence, tested = _evidence(network, hypothesis, layer, deviations, advance)
    return weigh(evidence, tested, seed=seed)


def find(
    network: Network,
    family: str | Hypothesis,
    layer: str,
    *,
    deviations: np.ndarray | None = None,
    seed: int = 0,
    advance: Callable[[int], object] = lambda more: None,
) -> pd.DataFrame:
    """Find the units of a layer that a hypothesis is supported for.

    Parameters, errors: as `judge`.

    Returns
    -------
    pandas.DataFrame
        A row a unit, in order of orientation where they have one, else of peak: `unit`,
        `orientation` (the peak's, in degrees, in the design's convention), `mean` (the mean
        vector's, as "High-Low Frequency Detectors" has it), `width`, `echo`, `peak` (the
        strongest answer, averaged over variants), the best value of every other axis,
        `controls` (the strongest answer to any control over the peak), `p`, `verdict`. It is
        empty where there is no such unit.

    Examples
    --------
    >>> import visioncircuits
    >>> network = visioncircuits.load("bvlc_googlenet")  # doctest: +SKIP
    >>> find(network, "curves", "mixed3b")["unit"].tolist()  # doctest: +SKIP
    """
    verdicts = survey(network, family, layer, deviations=deviations, seed=seed, advance=advance)
    return table([verdict for verdict in verdicts if verdict.word == "supported"])


def table(verdicts: Sequence[Verdict]) -> pd.DataFrame:
    """Lay verdicts out as a table, in order of orientation where they have one, else of peak."""
    rows = pd.DataFrame([verdict.row() for verdict in verdicts])
    if not len(rows):
        return pd.DataFrame(columns=list(COLUMNS))
    by, ascending = ("orientation", True) if "orientation" in rows else ("peak", False)
    return rows.sort_values(by, ascending=ascending, kind="stable", ignore_index=True)


def weigh(
    evidence: Evidence,
    hypothesis: Hypothesis,
    *,
    units: Sequence[int] | None = None,
    seed: int = 0,
) -> list[Verdict]:
    """Pass the verdicts that evidence allows.

    Parameters
    ----------
    evidence
        Of a whole layer, the null.
    hypothesis
        What was tested.
    units
        Which of the evidence's units it is about; by default all.
    seed
        For the bootstrap and the shuffles.
    """
    tested = range(len(evidence.units)) if units is None else units
    evidence = evidence.of_layer()
    generator = np.random.default_rng(seed)
    predictions = hypothesis.predictions
    own = [prediction.of(evidence) for prediction in predictions]
    worst = _worst(predictions, own)
    shuffled = np.stack([
        _worst(predictions, [p.of(other) for p in predictions])
        for other in (evidence.shuffled(generator) for _ in range(SHUFFLES))
    ])  # fmt: skip
    alive = evidence.peak > 0
    chances = np.array([_chance(worst, shuffled, alive, unit) for unit in tested])
    if len(tested) > 1 and not np.isnan(chances).any():
        chances = false_discovery_control(chances)
    asked = evidence.of(tested)
    drawn = generator.integers(len(hypothesis.variants), size=(RESAMPLES, len(hypothesis.variants)))
    resampled = np.array([
        [prediction.of(again) for prediction in predictions]
        for again in (asked.resampled(variants) for variants in drawn)
    ])  # fmt: skip
    verdicts = []
    for place, unit in enumerate(tested):
        outcomes = [
            Outcome(
                prediction,
                float(own[number][unit]),
                _interval(resampled[:, number, place]),
                _word(prediction.margin(resampled[:, number, place])),
                _better(prediction, own[number], alive, unit),
            )
            for number, prediction in enumerate(predictions)
        ]
        verdicts.append(
            Verdict(
                evidence.units[unit],
                hypothesis,
                tuple(outcomes),
                float(chances[place]),
                len(tested),
                asked.of([place]),
            )
        )
    return verdicts


def _evidence(
    network: Network,
    hypothesis: str | Hypothesis,
    layer: str,
    deviations: np.ndarray | None,
    advance: Callable[[int], object],
) -> tuple[Evidence, Hypothesis]:
    if isinstance(hypothesis, str):
        hypothesis = predefined(hypothesis, network, layer)
    check_field(hypothesis, network, layer)
    units = network.layer(layer).units
    if deviations is not None and len(deviations) != units:
        raise InputError(f"{len(deviations)} standard deviations for the {units} units of {layer}")
    evidence = gather(
        network,
        layer,
        hypothesis.stimuli,
        variants=hypothesis.variants,
        controls=hypothesis.controls,
        deviations=None if deviations is None else np.asarray(deviations),
        advance=advance,
    )
    return evidence, hypothesis


def _joined(first: Evidence, second: Evidence) -> Evidence:
    return Evidence(
        first.units + second.units,
        np.concatenate([first.answers, second.answers]),
        first.axes,
        {
            name: np.concatenate([first.controls[name], second.controls[name]])
            for name in first.controls
        },
        None
        if first.deviations is None or second.deviations is None
        else np.concatenate([first.deviations, second.deviations]),
    )


def _worst(predictions: Sequence[Prediction], numbers: Sequence[np.ndarray]) -> np.ndarray:
    """By how much every unit's worst prediction comes out within its bounds."""
    margins = [p.margin(found) for p, found in zip(predictions, numbers, strict=True)]
    return np.asarray(np.min(margins, 0))


def _chance(worst: np.ndarray, shuffled: np.ndarray, alive: np.ndarray, unit: int) -> float:
    """The share of the other units' shuffled answers that do as well."""
    others = alive.copy()
    others[unit] = False
    if not others.any():
        return float("nan")
    as_well = int((shuffled[:, others] >= worst[unit]).sum())
    return (1 + as_well) / (1 + len(shuffled) * int(others.sum()))


def _better(prediction: Prediction, numbers: np.ndarray, alive: np.ndarray, unit: int) -> float:
    margins = prediction.margin(numbers)
    others = alive.copy()
    others[unit] = False
    return float((margins[others] >= margins[unit]).mean()) if others.any() else float("nan")


def _interval(drawn: np.ndarray) -> tuple[float, float]:
    """The middle 95 % of what was drawn; infinite numbers are numbers."""
    numbers = drawn[~np.isnan(drawn)]
    if not len(numbers):
        return float("nan"), float("nan")
    low, high = np.quantile(numbers, [0.025, 0.975], method="inverted_cdf")
    return float(low), float(high)


def _word(margins: np.ndarray) -> str:
    """Whether 95 % of what was drawn is within the bounds, or without."""
    low, high = _interval(margins)
    if low >= 0:
        return "holds"
    return "fails" if high < 0 else "open"
