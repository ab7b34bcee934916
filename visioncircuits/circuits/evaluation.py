"""Evaluation of circuits: how much of a feature they keep, beside their complement and chance.

One record for a circuit and one for a curve over sizes share how shares and intervals are computed.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import xarray as xr
from jaxtyping import Bool, Float

from visioncircuits.circuits.circuit import Circuit
from visioncircuits.circuits.running import Measured, activations
from visioncircuits.circuits.scores import EdgeScores, score
from visioncircuits.circuits.selection import drawn, grown
from visioncircuits.interventions.ablation import ABLATIONS, Ablation
from visioncircuits.interventions.effects import BOUNDS
from visioncircuits.interventions.intervals import ends, resamples
from visioncircuits.labeled import LabeledTable
from visioncircuits.progress import Advance

SHARES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Of all edges, at which the Mechanistic Interpretability Benchmark evaluates circuits."""

MEASURES = ("faithfulness", "explained")

KINDS = ("found", "equal size", "equal weight")
"""The circuit, and random ones: with as many edges, or with edges of as much weight."""


@dataclass(frozen=True, eq=False)
class Kept:
    """What a circuit keeps of a feature, photograph by photograph.

    Attributes
    ----------
    gained
        The activation at its peak in the circuit, less that of the empty circuit.
    possible
        The same of the network as it is.
    lost
        The square of the change of the activation, summed over all positions.
    spread
        The square of the activation less its mean over all photographs, summed over positions.
    """

    gained: Float[np.ndarray, " photographs"]
    possible: Float[np.ndarray, " photographs"]
    lost: Float[np.ndarray, " photographs"]
    spread: Float[np.ndarray, " photographs"]

    def bounds(self, measure: str, *, seed: int = 0) -> Float[np.ndarray, " 3"]:
        """Return a measure and its 95 % interval, by resampling photographs."""
        weights = resamples(len(self.gained), seed)
        return np.array([self.of(measure), *ends(self._weighted(measure, weights))])

    def of(self, measure: str) -> float:
        """Return `"faithfulness"` or `"explained"`."""
        weights = np.full((len(self.gained), 1), 1 / len(self.gained))
        return float(self._weighted(measure, weights)[0])

    def _weighted(self, measure: str, weights: np.ndarray) -> np.ndarray:
        if measure == "faithfulness":
            return np.asarray(_ratio(self.gained @ weights, self.possible @ weights))
        return np.asarray(1 - _ratio(self.lost @ weights, self.spread @ weights))


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore", divide="ignore"):
        return above / np.where(below == 0, np.nan, below)


class Keeper:
    """Runs circuits on the same photographs, and compares with the network and with nothing.

    Parameters
    ----------
    study
        From `measured`.
    """

    def __init__(self, study: Measured) -> None:
        self.study = study
        self._nothing: dict[Ablation, Float[torch.Tensor, " photographs"]] = {}

    def kept(self, chosen: Bool[np.ndarray, " edges"], ablation: Ablation) -> Kept:
        """Return what the chosen edges keep."""
        study = self.study
        if ablation not in self._nothing:
            empty = np.zeros(len(study.candidates), bool)
            self._nothing[ablation] = study.at_peak(activations(study, empty, ablation))
        nothing, whole = self._nothing[ablation], study.activation
        here = whole if chosen.all() else activations(study, chosen, ablation)
        return Kept(
            _array(study.at_peak(here) - nothing),
            _array(study.at_peak(whole) - nothing),
            _array((here - whole).double().square().sum(1)),
            _array((whole - whole.double().mean()).square().sum(1)),
        )


def _array(values: torch.Tensor) -> np.ndarray:
    return np.asarray(values.double().cpu().numpy())


class Evaluation(LabeledTable):  # type: ignore[no-untyped-call]
    """What a circuit keeps of its feature, by `ablation` and `bound`: `mean`, `low` to `high`.

    `faithfulness` is `(m(C) − m(∅)) / (m(N) − m(∅))`, with `m` the mean over photographs of the
    activation at its peak, of the circuit `C`, the network `N` and the empty circuit `∅`, in which
    all edges are ablated. `explained` is 1 less the mean square of the change of the activation
    over its variance, at all positions. `complement` is the faithfulness of everything but the
    circuit: 0 where the circuit is complete. `equal size` and `equal weight` are the faithfulness
    of random circuits, with the range of draws. `worth` is by `edge`: the faithfulness that is lost
    when it alone is taken out of the circuit, which shows what is not minimal; NaN for edges
    beyond those that were tried.

    Examples
    --------
    >>> from torch import nn
    >>> from visioncircuits.circuits import candidates, measured, score, strongest
    >>> from visioncircuits.networks import Preprocessing, wrap
    >>> layers = nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 2, 3)
    >>> network = wrap(nn.Sequential(*layers), Preprocessing(), size=24)
    >>> study = measured(candidates(network, "2:0", ["1"]), torch.rand(4, 3, 24, 24))
    >>> evaluate(study, strongest(score(study), 3))["faithfulness"].dims
    ('ablation', 'bound')
    """

    __slots__ = ()
    contents = "an evaluation of a circuit"
    dimensions = ("ablation", "bound", "edge")


def evaluate(
    study: Measured,
    circuit: Circuit,
    *,
    ablations: Sequence[Ablation] = tuple(ABLATIONS),
    edges: int = 50,
    draws: int = 5,
    seed: int = 0,
    advance: Advance | None = None,
) -> Evaluation:
    """Evaluate a circuit on photographs, which should be others than it was found on.

    Parameters
    ----------
    study
        From `measured`, with the circuit's features among its candidates.
    circuit
        Any.
    ablations
        What edges outside a circuit are ablated to; results differ, so that all are shown.
    edges
        How many of the circuit's edges, the first ones, are taken out one by one.
    draws
        Of random circuits of each kind.
    seed
        Of draws and intervals.
    advance
        Is called with the number of runs that are done.

    Raises
    ------
    InputError
        For edges that are none of the candidates.

    Examples
    --------
    >>> from torch import nn
    >>> from visioncircuits.circuits import candidates, measured, score, strongest
    >>> from visioncircuits.networks import Preprocessing, wrap
    >>> layers = nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 2, 3)
    >>> network = wrap(nn.Sequential(*layers), Preprocessing(), size=24)
    >>> study = measured(candidates(network, "2:0", ["1"]), torch.rand(4, 3, 24, 24))
    >>> found = evaluate(study, strongest(score(study), 8))
    >>> found["faithfulness"].sel(bound="mean").round(3).values.tolist()
    [1.0, 1.0, 1.0]
    """
    found, keeper = study.candidates, Keeper(study)
    chosen = found.choice(circuit.edges)
    tried = circuit.edges[:edges]
    weight = score(study, method="kernel norm").size ** 2 if draws else np.zeros(len(found))
    rows: dict[str, list[Any]] = {
        name: [] for name in (*MEASURES, "complement", *KINDS[1:], "worth")
    }
    step = advance or (lambda _: None)
    for ablation in ablations:
        kept = keeper.kept(chosen, ablation)
        for measure in MEASURES:
            rows[measure].append(kept.bounds(measure, seed=seed))
        rows["complement"].append(keeper.kept(~chosen, ablation).bounds("faithfulness", seed=seed))
        step(2)
        for kind, by in zip(KINDS[1:], (None, weight), strict=True):
            reached = []
            for draw in range(draws):
                random = drawn(found, chosen, np.random.default_rng((seed, draw)), weight=by)
                reached.append(keeper.kept(random, ablation).of("faithfulness"))
                step(1)
            rows[kind].append(_range(reached))
        worth = []
        for edge in tried:
            without = chosen.copy()
            without[found.numbers[edge]] = False
            left = keeper.kept(without, ablation).of("faithfulness")
            worth.append(kept.of("faithfulness") - left)
            step(1)
        rows["worth"].append(worth + [np.nan] * (len(circuit.edges) - len(worth)))
    dims = {name: ("ablation", "edge" if name == "worth" else "bound") for name in rows}
    coords = {
        "ablation": list(ablations),
        "bound": list(BOUNDS),
        "edge": [str(edge) for edge in circuit.edges],
    }
    record = {"circuit": dict(circuit.record), "measured": study.record(), "seed": seed}
    return Evaluation(
        {name: (dims[name], np.array(values, dtype=float)) for name, values in rows.items()},
        coords,
        {"record": json.dumps(record)},
    )


def _range(values: Sequence[float]) -> list[float]:
    return [float(np.mean(values)), min(values), max(values)] if values else [np.nan] * 3


def runs(circuit: Circuit, *, ablations: int = 3, edges: int = 50, draws: int = 5) -> int:
    """Return how many runs `evaluate` takes.

    Examples
    --------
    >>> runs(Circuit("b:0", ("a", "b"), [("a:1", "b:0")]))
    39
    """
    return ablations * (2 + 2 * draws + min(edges, len(circuit.edges)))


class Curves(LabeledTable):  # type: ignore[no-untyped-call]
    """What circuits of growing size keep, by `ablation`, `kind`, `size` and `bound`.

    `faithfulness` and `explained` are those of `Evaluation`. Kinds are the circuits that were
    `found`, whose bounds are over photographs, and random ones of `equal size` and of `equal
    weight`, whose bounds are the range of draws. `share` is each size's, of all edges. A notebook
    shows the values.

    Examples
    --------
    >>> from torch import nn
    >>> from visioncircuits.circuits import candidates, measured, score
    >>> from visioncircuits.networks import Preprocessing, wrap
    >>> layers = nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 2, 3)
    >>> network = wrap(nn.Sequential(*layers), Preprocessing(), size=24)
    >>> study = measured(candidates(network, "2:0", ["1"]), torch.rand(4, 3, 24, 24))
    >>> found = curves(study, score(study), draws=1)
    >>> found["faithfulness"].dims, found["size"].values.tolist()
    (('ablation', 'kind', 'size', 'bound'), [0, 1, 2, 4, 8])
    """

    __slots__ = ()
    contents = "curves of circuits"
    dimensions = ("ablation", "kind", "size", "bound")


def curves(
    study: Measured,
    scores: EdgeScores,
    *,
    sizes: Sequence[int] | None = None,
    ablations: Sequence[Ablation] = tuple(ABLATIONS),
    draws: int = 3,
    seed: int = 0,
    order: Callable[[EdgeScores, int], np.ndarray] | None = None,
    advance: Advance | None = None,
) -> Curves:
    """Evaluate circuits of growing size, as `greedy` grows them, beside random ones.

    Parameters
    ----------
    study
        From `measured`, on photographs that edges were not scored on.
    scores
        Of the same candidates.
    sizes
        Numbers of edges; by default the shares of the Mechanistic Interpretability Benchmark, and
        0 and all.
    ablations, draws, seed, advance
        As for `evaluate`.
    order
        The order in which edges are taken, by number, from scores and how many; by default grown
        from the target.

    Examples
    --------
    >>> from torch import nn
    >>> from visioncircuits.circuits import candidates, measured, score
    >>> from visioncircuits.networks import Preprocessing, wrap
    >>> layers = nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 2, 3)
    >>> network = wrap(nn.Sequential(*layers), Preprocessing(), size=24)
    >>> study = measured(candidates(network, "2:0", ["1"]), torch.rand(4, 3, 24, 24))
    >>> found = curves(study, score(study), draws=1)
    >>> round(float(found["faithfulness"].sel(kind="found", bound="mean")[0, -1]), 6)
    1.0
    """
    found, keeper, count = study.candidates, Keeper(study), len(study.candidates)
    wanted = sorted({0, count, *(sizes if sizes is not None else benchmark_sizes(count))})
    taken = order(scores, count) if order else grown(found, scores.size, count)
    weight = score(study, method="kernel norm").size ** 2 if draws else np.zeros(count)
    step = advance or (lambda _: None)
    table = {m: np.full((len(ablations), 3, len(wanted), 3), np.nan) for m in MEASURES}
    for row, ablation in enumerate(ablations):
        for at, size in enumerate(wanted):
            chosen = np.zeros(count, bool)
            chosen[taken[:size]] = True
            kept = keeper.kept(chosen, ablation)
            for measure in MEASURES:
                table[measure][row, 0, at] = kept.bounds(measure, seed=seed)
            step(1)
            for kind, by in ((1, None), (2, weight)):
                random = [
                    keeper.kept(
                        drawn(found, chosen, np.random.default_rng((seed, draw)), weight=by),
                        ablation,
                    )
                    for draw in range(draws)
                ]
                step(draws)
                for measure in MEASURES:
                    table[measure][row, kind, at] = _range([each.of(measure) for each in random])
    return Curves(
        {name: (Curves.dimensions, values) for name, values in table.items()},
        {
            "ablation": list(ablations),
            "kind": list(KINDS),
            "size": wanted,
            "bound": list(BOUNDS),
            "share": ("size", np.array(wanted) / count),
        },
        {"record": json.dumps({**scores.record, "measured": study.record(), "seed": seed})},
    )


def benchmark_sizes(edges: int) -> list[int]:
    """Return the numbers of edges at the shares of the benchmark, of at least one.

    Examples
    --------
    >>> benchmark_sizes(400)
    [1, 2, 4, 8, 20, 40, 80, 200, 400]
    """
    return sorted({max(round(share * edges), 1) for share in SHARES})


def performance_ratio(
    shares: Float[np.ndarray, " sizes"], faithfulness: Float[np.ndarray, " sizes"]
) -> float:
    """Return the integrated circuit performance ratio, CPR: the higher the better.

    It is `∫ f(C_k) dk` over the share `k` of edges from 0 to 1, by the trapezoid rule, with `f` the
    faithfulness (Mueller et al., "MIB: A Mechanistic Interpretability Benchmark", 2025). Circuits
    that do better than the network can take it above 1.

    Examples
    --------
    >>> performance_ratio(np.array([0, 0.5, 1]), np.array([0, 1, 1]))
    0.75
    """
    return float(np.trapezoid(faithfulness, shares))


def model_distance(
    shares: Float[np.ndarray, " sizes"], faithfulness: Float[np.ndarray, " sizes"]
) -> float:
    """Return the integrated circuit-model distance, CMD: the lower the better.

    It is `∫ |1 − f(C_k)| dk` over the share `k` of edges from 0 to 1, by the trapezoid rule, with
    `f` the faithfulness (Mueller et al., "MIB: A Mechanistic Interpretability Benchmark", 2025); 0
    for circuits that do as the network does at every size.

    Examples
    --------
    >>> model_distance(np.array([0, 0.5, 1]), np.array([0, 1, 1]))
    0.25
    """
    return float(np.trapezoid(np.abs(1 - faithfulness), shares))


def areas(found: xr.Dataset) -> dict[str, Mapping[str, Mapping[str, float]]]:
    """Return CPR and CMD of curves, by ablation and kind.

    Examples
    --------
    >>> from torch import nn
    >>> from visioncircuits.circuits import candidates, measured, score
    >>> from visioncircuits.networks import Preprocessing, wrap
    >>> layers = nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 2, 3)
    >>> network = wrap(nn.Sequential(*layers), Preprocessing(), size=24)
    >>> study = measured(candidates(network, "2:0", ["1"]), torch.rand(4, 3, 24, 24))
    >>> list(areas(curves(study, score(study), draws=1))["mean"]["found"])
    ['CPR', 'CMD']
    """
    share = found["share"].values
    middle = found["faithfulness"].sel(bound="mean")
    return {
        str(ablation): {
            str(kind): {
                "CPR": performance_ratio(share, middle.sel(ablation=ablation, kind=kind).values),
                "CMD": model_distance(share, middle.sel(ablation=ablation, kind=kind).values),
            }
            for kind in found["kind"].values
        }
        for ablation in found["ablation"].values
    }
