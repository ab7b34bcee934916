"""One step of an induction: from labeled units of an earlier layer to one later unit."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float

from visioncircuits.comparison.induction_chance import (
    Dealt,
    Score,
    middle,
    other_units,
    shuffled_labels,
)
from visioncircuits.comparison.induction_rules import (
    DERIVATIONS,
    Derivation,
    kernels,
    kind_of,
)
from visioncircuits.comparison.induction_theory import Theory, tuning_sets
from visioncircuits.handwritten.labels import Label
from visioncircuits.handwritten.plane import Positions
from visioncircuits.networks import Network
from visioncircuits.stimuli import StimulusSet
from visioncircuits.tuning.placement import place
from visioncircuits.weights import ExpandedWeights, expanded_weights

InductionVerdict = Literal["follows", "partly", "does not follow", "cannot be tested"]

WEIGHTS, TUNING = 0.3, 0.7
"""Correlations that a unit which follows must reach, beside being beyond chance and beating the
rules of other families: a tenth of the variance of its weights, half that of its tuning."""

SOURCES = 3
"""Labeled sources that a test needs: labels of fewer cannot be exchanged to any effect."""

_BATCH = 64


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

    def row(self) -> dict[str, Any]:
        """Return the numbers as a row of `Induction.table`."""
        row: dict[str, Any] = {
            "unit": self.unit,
            "family": kind_of(self.label),
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


@dataclass(frozen=True, eq=False)
class Setting:
    """What the steps to units of one family share.

    Attributes
    ----------
    derivation
        The family's rule.
    theory
        Of its sources alone.
    weights
        From all units of the earlier layer to these units.
    positions
        Of the weights relative to the later unit's receptive field, rows and columns, in pixels.
    stride
        Pixels between neighboring neurons of the later layer.
    activations
        Of the earlier layer to the stimuli, where the weights lie.
    responses
        Of the later units, before the rectifier.
    """

    derivation: Derivation
    theory: Theory
    weights: ExpandedWeights
    positions: tuple[Float[np.ndarray, " rows"], Float[np.ndarray, " columns"]]
    stride: float
    activations: Float[np.ndarray, "stimuli earlier rows columns"]
    responses: Float[np.ndarray, "stimuli later"]

    @classmethod
    def of(
        cls, network: Network, layer: str, theory: Theory, kind: str, units: list[int]
    ) -> "Setting":
        """Measure what the steps need.

        Raises
        ------
        InputError
            As `expanded_weights`, and where the stimuli do not fit.
        """
        weights = expanded_weights(network, theory.layer, [f"{layer}:{unit}" for unit in units])
        measured = [
            _measured(network, layer, weights, units, stimuli)
            for stimuli in tuning_sets(network, layer, kind)
        ]
        sources, target = network.layer(theory.layer), network.layer(layer)
        (top, left), origin = weights.offset, target.center((0, 0))
        height, width = weights.weight.shape[2:]
        derivation = DERIVATIONS[kind]
        return cls(
            derivation,
            Theory(theory.layer, theory.of(derivation.gains)),
            weights,
            (
                np.array([sources.center((top + at, 0))[0] for at in range(height)]) - origin[0],
                np.array([sources.center((0, left + at))[1] for at in range(width)]) - origin[1],
            ),
            float(max(target.stride)),
            np.concatenate([activations for activations, _ in measured]),
            np.concatenate([responses for _, responses in measured]),
        )

    def step(
        self, place_: int, unit: str, label: Label, rng: np.random.Generator, draws: int
    ) -> InductionStep:
        """Compare one unit with what the rule predicts."""
        rows, columns, whole = self._own(place_)
        sources = list(self.theory.labels)
        named = tuple(f"{self.theory.layer}:{source}" for source in sources)
        positions = Positions(*np.meshgrid(self.positions[1][columns], self.positions[0][rows]))
        given = list(self.theory.labels.values())
        predicted = kernels(self.derivation, given, label, positions, stride=self.stride)
        if predicted is None:
            why = f"the rule needs what the labels lack, such as a radius: {label}"
            return InductionStep(unit, label, "cannot be tested", why, named)
        activations = self.activations[:, :, rows, columns]
        response = self.responses[:, place_]

        def dealt(made: Float[np.ndarray, "sources rows columns"]) -> Dealt:
            return Dealt.of(whole, made, activations, response)

        own = dealt(predicted)
        as_claimed = np.array([sources])
        exchanged = shuffled_labels(sources, list(map(kind_of, given)), predicted, rng, draws)
        others = other_units(len(whole), len(sources), rng, draws)
        rivals = {}
        for name, rival in self.derivation.rivals().items():
            made = kernels(rival, given, label, positions, stride=self.stride)
            if made is not None:
                rivals[name] = dealt(made)
        weights, tuning = (
            Score(
                float(measure(own, as_claimed)[0]),
                middle(measure(own, exchanged)),
                middle(measure(own, others)),
                {name: float(measure(each, as_claimed)[0]) for name, each in rivals.items()},
            )
            for measure in (Dealt.weights, Dealt.tuning)
        )
        squares = max(float(own.squares.sum()), 1e-30)
        verdict, why = judged(weights, tuning)
        return InductionStep(
            unit,
            label,
            verdict,
            why,
            named,
            predicted,
            whole[sources],
            weights,
            tuning,
            float(dealt(whole[sources]).tuning(as_claimed)[0]),
            float(own.squares[sources].sum()) / squares,
            float(own.explained(as_claimed)[0]) / squares,
            own.explained(exchanged) / squares,
        )

    def _own(
        self, place_: int
    ) -> tuple[slice, slice, Float[np.ndarray, "earlier rows columns"]]:
        """Return the rows and columns of a unit's own kernel, which others' may exceed, and it."""
        weight = self.weights.weight[place_].numpy()
        there = np.abs(weight).sum(0) > 0
        rows, columns = (
            slice(int(at[0]), int(at[-1]) + 1) if len(at) else slice(0, 1)
            for at in (np.flatnonzero(there.any(axis)) for axis in (1, 0))
        )
        return rows, columns, weight[:, rows, columns]


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


@torch.no_grad()
def _measured(
    network: Network, layer: str, weights: ExpandedWeights, units: list[int], stimuli: StimulusSet
) -> tuple[
    Float[np.ndarray, "stimuli earlier rows columns"], Float[np.ndarray, "stimuli later"]
]:
    """Measure both layers, the earlier one where the weights to the later one's neuron lie."""
    drawn, placed = place(stimuli, network, layer)
    before, source = network.before_rectifier(layer), weights.source
    starts = [
        stride * at + offset
        for stride, at, offset in zip(weights.stride, placed.position, weights.offset, strict=True)
    ]
    maps, responses = [], []
    row, column = placed.position
    for start in range(0, len(drawn), _BATCH):
        pictures = drawn.draw(range(start, min(start + _BATCH, len(drawn)))).picture
        found = network.activations(pictures, [source, before])
        maps.append(_window(found[source], starts, weights.weight.shape[2:]).cpu().float())
        responses.append(found[before][:, units, row, column].cpu().float())
    return torch.cat(maps).numpy(), torch.cat(responses).numpy()


def _window(maps: torch.Tensor, starts: list[int], size: torch.Size) -> torch.Tensor:
    """Cut a window out of maps, with zeros beyond their borders."""
    window = maps.new_zeros(*maps.shape[:2], *size)
    spans = [
        (max(start, 0), min(start + length, limit))
        for start, length, limit in zip(starts, size, maps.shape[2:], strict=True)
    ]
    (top, bottom), (left, right) = spans
    into = window[..., top - starts[0] : bottom - starts[0], left - starts[1] : right - starts[1]]
    into.copy_(maps[..., top:bottom, left:right])
    return window
