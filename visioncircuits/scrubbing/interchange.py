"""Interchange interventions: variables as on another picture, in hypothesis and network alike.

Source: Geiger et al., "Causal Abstractions of Neural Networks" (2021). A hypothesis states what a
variable depends on and not by which function; the functions are read off the pictures.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from jaxtyping import Float64, Int64

from visioncircuits import __version__
from visioncircuits.errors import InputError, unknown
from visioncircuits.interventions.intervals import ends, resamples
from visioncircuits.networks import Network
from visioncircuits.numbers import whole
from visioncircuits.scrubbing.hypothesis import CausalHypothesis, Variable
from visioncircuits.scrubbing.recorded import Recorded
from visioncircuits.scrubbing.resampling import Resampling
from visioncircuits.scrubbing.shown import Shown

Values = Float64[np.ndarray, "pairs values"]


@dataclass(frozen=True, eq=False, repr=False)
class Interchanged:
    """What a hypothesis predicts for a variable's value from another picture, and what happens.

    Attributes
    ----------
    variables
        That had their values from a second picture.
    predicted, found
        The behavior's level on each pair of pictures, of the classes or of the ranges between
        `edges`.
    before
        The level on the first picture as it is.
    asked
        How many pairs were drawn; the others have no prediction, since no picture has such values
        together.
    correlation
        Of the predicted behavior with the one found, over pairs; NaN where one does not vary.
    seed
        Of the pairs and the interval.
    record
        How to make it again, as plain data.

    Examples
    --------
    >>> levels = [np.array(each) for each in ([0, 1, 1, 0], [0, 1, 1, 1], [0, 0, 0, 0])]
    >>> found = Interchanged(("lines",), *levels, asked=5, correlation=0.9, seed=0)
    >>> found.accuracy, found.chance, found.unchanged
    (0.75, 0.5, 0.25)
    """

    variables: tuple[str, ...]
    predicted: Int64[np.ndarray, " pairs"]
    found: Int64[np.ndarray, " pairs"]
    before: Int64[np.ndarray, " pairs"]
    asked: int
    correlation: float
    seed: int
    record: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        low, high = self.interval
        return (
            f"<Interchanged {', '.join(self.variables)}: as predicted on {self.accuracy:.0%} "
            f"({low:.0%} … {high:.0%}) of {len(self.found)} pairs, by chance {self.chance:.0%}; "
            f"correlation {self.correlation:.2f}>"
        )

    @property
    def accuracy(self) -> float:
        """The share of pairs on which the network does as predicted."""
        return float((self.predicted == self.found).mean())

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the accuracy, by bootstrap over pairs."""
        right = (self.predicted == self.found).astype(float)
        low, high = ends(right @ resamples(len(right), self.seed)).clip(0, 1)
        return float(low), float(high)

    @property
    def chance(self) -> float:
        """The accuracy of predictions for other pairs."""
        levels = np.union1d(self.predicted, self.found)[:, None]
        return float(((self.predicted == levels).mean(1) * (self.found == levels).mean(1)).sum())

    @property
    def unchanged(self) -> float:
        """The share of pairs on which the network does as if nothing had been exchanged."""
        return float((self.before == self.found).mean())


@torch.inference_mode()
def interchange(
    network: Network,
    hypothesis: CausalHypothesis,
    variables: str | Sequence[str],
    shown: Shown,
    *,
    pairs: int = 1000,
    edges: Sequence[float] = (0.5,),
    seed: int = 0,
    batch: int = 100,
) -> Interchanged:
    """Give variables their values on another picture, and compare prediction and network.

    In the network, the variables' activations are those of a second picture, and all else is
    computed from the first. In the hypothesis, what depends on them has the value that it has on
    pictures where all that it depends on is so.

    Parameters
    ----------
    network
        Any network.
    hypothesis
        What is claimed.
    variables
        Whose values are exchanged: one, or several together.
    shown
        The pictures, with what is known of each.
    pairs
        Of pictures on which the variables differ, drawn at random.
    edges
        Between the levels of a feature, as shares of its maximum over the pictures; of logits the
        level is the class.
    seed
        Of the pairs.
    batch
        Pictures at once.

    Raises
    ------
    InputError
        For an unknown variable, values that are the same on all pictures, where no pair has a
        prediction, and where the hypothesis does not fit the network or the pictures.

    Examples
    --------
    >>> from visioncircuits.handwritten import load
    >>> from visioncircuits.scrubbing import Reading, drawn_stimuli
    >>> from visioncircuits.stimuli import named
    >>> lines = named("lines").sel(width=4)
    >>> same = Variable("line", "mixed3a:0", 1, (Reading("orientation", step=5),))
    >>> claimed = CausalHypothesis("horizontal", "mixed3a:0", ("line",), (same,))
    >>> network = load("lines")
    >>> shown = drawn_stimuli(network, "mixed3a", lines)
    >>> interchange(network, claimed, "line", shown, pairs=50).accuracy
    1.0
    """
    whole("pairs", pairs, least=1)
    hypothesis.check(network)
    names = (variables,) if isinstance(variables, str) else tuple(variables)
    for name in names:
        if name not in (known := [each.name for each in hypothesis.variables]):
            raise unknown("variable", name, known)
    recorded = Recorded(network, shown, batch=batch)
    resampling = Resampling(recorded, hypothesis, torch.Generator())
    output, changed = hypothesis.output(), [hypothesis.variable(name) for name in names]
    behavior = recorded.values(output)[:, :, 0, 0].double().cpu().numpy()
    model = _Model(hypothesis, recorded, behavior)
    joint = np.stack([model.codes[name] for name in names], axis=1)
    base, source = _pairs(joint, pairs, seed)
    expected = np.array([model.predict(names, *pair) for pair in zip(base, source, strict=True)])
    stated = ~np.isnan(expected).any(1)
    if not stated.any():
        raise InputError(
            f"no picture has the values that an exchange of {', '.join(names)} brings together, so "
            "the hypothesis predicts nothing; exchange what varies with it too"
        )
    base, source, expected = base[stated], source[stated], expected[stated]
    first, second = torch.from_numpy(base), torch.from_numpy(source)
    found = resampling.computed(output, changed, second, resampling.original, first)
    measured = found[:, :, 0, 0].double().cpu().numpy()

    def level(values: Values) -> Int64[np.ndarray, " pairs"]:
        if values.shape[1] > 1:
            return np.asarray(values.argmax(1), np.int64)
        bounds = np.array(sorted(edges)) * behavior.max()
        return np.asarray(np.digitize(values[:, 0], bounds), np.int64)

    varies = expected.std() > 0 and measured.std() > 0
    return Interchanged(
        names,
        level(expected),
        level(measured),
        level(behavior[base]),
        pairs,
        float(np.corrcoef(expected.ravel(), measured.ravel())[0, 1]) if varies else np.nan,
        seed,
        {
            "visioncircuits": __version__,
            "network": network.record(),
            "hypothesis": hypothesis.record(),
            "pictures": len(shown),
            "shown": dict(shown.record),
        },
    )


def _pairs(
    joint: Int64[np.ndarray, "pictures variables"], pairs: int, seed: int
) -> Int64[np.ndarray, "2 pairs"]:
    """Draw pairs of pictures on which variables differ."""
    codes = np.unique(joint, axis=0, return_inverse=True)[1].reshape(len(joint))
    if codes.max() == 0:
        raise InputError("the variables have the same value on all pictures; show others")
    rng = np.random.default_rng(seed)
    base = rng.integers(len(codes), size=pairs)
    others = [np.flatnonzero(codes != codes[each]) for each in base]
    source = [each[rng.integers(len(each))] for each in others]
    return np.stack([base, np.array(source)])


class _Model:
    """A hypothesis as a program, whose functions are what the pictures show of them."""

    def __init__(
        self, hypothesis: CausalHypothesis, recorded: Recorded, behavior: np.ndarray
    ) -> None:
        self.hypothesis = hypothesis
        self.codes = {v.name: recorded.agreement(v).joint for v in hypothesis.variables}
        self.behavior = behavior
        self._order = _first_to_last(hypothesis)
        self._known: dict[tuple[int, ...], np.ndarray] = {}

    def predict(self, variables: Sequence[str], base: int, source: int) -> np.ndarray:
        """Return the behavior on one picture with some values from another; NaN if unknown.

        It is the mean over pictures that have all the values that it is computed from.
        """
        state = {name: int(codes[base]) for name, codes in self.codes.items()}
        state |= {name: int(self.codes[name][source]) for name in variables}
        key = tuple(state.values())
        if key not in self._known:
            self._known[key] = self._followed(variables, state)
        return self._known[key]

    def _followed(self, variables: Sequence[str], state: dict[str, int]) -> np.ndarray:
        """Return the behavior where some variables are set, and others follow from them."""
        after = set(variables)
        for name in self._order:
            depends = self.hypothesis.variable(name).depends or ()
            if name not in variables and after & set(depends):
                alike = self._alike(depends, state)
                if not alike.any():
                    return np.full(self.behavior.shape[1], np.nan)
                state[name] = int(np.bincount(self.codes[name][alike]).argmax())
                after.add(name)
        alike = self._alike(self.hypothesis.depends, state)
        if not alike.any():
            return np.full(self.behavior.shape[1], np.nan)
        return np.asarray(self.behavior[alike].mean(0))

    def _alike(self, names: Sequence[str], state: Mapping[str, int]) -> np.ndarray:
        same = [self.codes[name] == state[name] for name in names]
        return np.asarray(np.logical_and.reduce(same))


def _first_to_last(hypothesis: CausalHypothesis) -> list[str]:
    """Return the variables' names, each after those that it depends on."""
    order: list[str] = []

    def add(variable: Variable) -> None:
        for each in hypothesis.sources(variable):
            add(each)
        if variable.name not in order:
            order.append(variable.name)

    for name in hypothesis.depends:
        add(hypothesis.variable(name))
    return order
