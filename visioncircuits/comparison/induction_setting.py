"""The steps of an induction: what rules predict, beside trained weights and real responses."""

from dataclasses import dataclass

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
from visioncircuits.comparison.induction_readings import tuning_sets
from visioncircuits.comparison.induction_rules import (
    DERIVATIONS,
    Derivation,
    kernels,
    kind_of,
)
from visioncircuits.comparison.induction_step import InductionStep, judged
from visioncircuits.comparison.induction_theory import Theory
from visioncircuits.handwritten.labels import Label
from visioncircuits.handwritten.plane import Positions
from visioncircuits.networks import Network
from visioncircuits.stimuli import StimulusSet
from visioncircuits.tuning.placement import place, placement
from visioncircuits.weights import ExpandedWeights, expanded_weights

LEAST, BEYOND = 0.02, 4
"""A kernel must have room for this share of the squared weight that the rule predicts within so
many more neurons all around: one neuron has no room for a ring."""

_BATCH = 64


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
    stride, spacing
        Pixels between neighboring neurons of the later layer, and of the earlier one.
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
    spacing: float
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
            float(max(sources.stride)),
            np.concatenate([activations for activations, _ in measured]),
            np.concatenate([responses for _, responses in measured]),
        )

    def step(
        self, at: int, unit: str, label: Label, rng: np.random.Generator, draws: int
    ) -> InductionStep:
        """Compare one unit with what the rule predicts."""
        rows, columns, whole = self._own(at)
        sources = list(self.theory.labels)
        named = tuple(f"{self.theory.layer}:{source}" for source in sources)
        positions = Positions(*np.meshgrid(self.positions[1][columns], self.positions[0][rows]))
        given = list(self.theory.labels.values())
        even = uniform(whole)

        def made(derivation: Derivation) -> Float[np.ndarray, "sources rows columns"] | None:
            by_rule = kernels(derivation, given, label, positions, stride=self.stride)
            if by_rule is None or not even:
                return by_rule
            return np.broadcast_to(by_rule.mean((1, 2), keepdims=True), by_rule.shape)

        predicted = made(self.derivation)
        if predicted is None:
            why = f"the rule needs what the labels lack, such as a radius: {label}"
            return InductionStep(unit, label, "cannot be tested", why, named)
        if np.square(predicted).sum() < LEAST * self._beyond(given, label, rows, columns):
            why = "its kernel is too small for what the rule is about"
            return InductionStep(unit, label, "cannot be tested", why, named)
        activations = self.activations[:, :, rows, columns]
        response = self.responses[:, at]

        def dealt(each: Float[np.ndarray, "sources rows columns"]) -> Dealt:
            return Dealt.of(whole, each, activations, response)

        own = dealt(predicted)
        as_claimed = np.array([sources])
        exchanged = shuffled_labels(sources, list(map(kind_of, given)), predicted, rng, draws)
        others = other_units(len(whole), len(sources), rng, draws)
        rivals = {}
        for name, rival in self.derivation.rivals().items():
            other = made(rival)
            if other is not None:
                rivals[name] = dealt(other)
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

    def _beyond(self, given: list[Label], label: Label, rows: slice, columns: slice) -> float:
        """Compute what the rule predicts in squared weight were the kernel larger all around."""
        steps = self.spacing * np.arange(1, BEYOND + 1)
        y, x = (
            np.concatenate([own[0] - steps[::-1], own, own[-1] + steps])
            for own in (self.positions[0][rows], self.positions[1][columns])
        )
        positions = Positions(*np.meshgrid(x, y))
        made = kernels(self.derivation, given, label, positions, stride=self.stride)
        return 0.0 if made is None else float(np.square(made).sum())

    def _own(self, at: int) -> tuple[slice, slice, Float[np.ndarray, "earlier rows columns"]]:
        """Return the rows and columns of a unit's own kernel, which others' may exceed, and it."""
        weight = self.weights.weight[at].numpy()
        there = np.abs(weight).sum(0) > 0
        rows, columns = (
            slice(int(at[0]), int(at[-1]) + 1) if len(at) else slice(0, 1)
            for at in (np.flatnonzero(there.any(axis)) for axis in (1, 0))
        )
        return rows, columns, weight[:, rows, columns]


@torch.no_grad()
def _measured(
    network: Network, layer: str, weights: ExpandedWeights, units: list[int], stimuli: StimulusSet
) -> tuple[Float[np.ndarray, "stimuli earlier rows columns"], Float[np.ndarray, "stimuli later"]]:
    """Measure both layers, the earlier one where the weights to the later one's neuron lie."""
    drawn, placed = place(stimuli, network, layer, placement(network, layer))
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


def uniform(kernels: Float[np.ndarray, "units height width"]) -> bool:
    """Return whether kernels are the same at all positions, as those of one neuron of a pool.

    Examples
    --------
    >>> uniform(np.ones((2, 3, 3))), uniform(np.eye(3)[None])
    (True, False)
    """
    apart = kernels - kernels.mean((1, 2), keepdims=True)
    return bool(np.square(apart).sum() <= 1e-6 * np.square(kernels).sum())
