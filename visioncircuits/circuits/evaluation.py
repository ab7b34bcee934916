"""Evaluation of circuits: how much of a feature they keep, beside their complement and chance."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool

from visioncircuits.circuits.benchmark import benchmark_sizes
from visioncircuits.circuits.circuit import Circuit
from visioncircuits.circuits.keeping import MEASURES, Keeper
from visioncircuits.circuits.running import Measured
from visioncircuits.circuits.scores import EdgeScores, score
from visioncircuits.circuits.selection import drawn, grown
from visioncircuits.interventions.ablation import ABLATIONS, Ablation
from visioncircuits.interventions.effects import BOUNDS
from visioncircuits.labeled import LabeledTable
from visioncircuits.progress import Advance

KINDS = ("found", "equal size", "equal weight")
"""The circuit, and random ones: with as many edges, or with edges of as much weight."""


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
    >>> from torch import nn, rand
    >>> from visioncircuits.circuits import candidates, measured, score, strongest
    >>> from visioncircuits.networks import Preprocessing, wrap
    >>> layers = nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 2, 3)
    >>> network = wrap(nn.Sequential(*layers), Preprocessing(), size=24)
    >>> study = measured(candidates(network, "2:0", ["1"]), rand(4, 3, 24, 24))
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
    >>> from torch import nn, rand
    >>> from visioncircuits.circuits import candidates, measured, score, strongest
    >>> from visioncircuits.networks import Preprocessing, wrap
    >>> layers = nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 2, 3)
    >>> network = wrap(nn.Sequential(*layers), Preprocessing(), size=24)
    >>> study = measured(candidates(network, "2:0", ["1"]), rand(4, 3, 24, 24))
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
    >>> from torch import nn, rand
    >>> from visioncircuits.circuits import candidates, measured, score
    >>> from visioncircuits.networks import Preprocessing, wrap
    >>> layers = nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 2, 3)
    >>> network = wrap(nn.Sequential(*layers), Preprocessing(), size=24)
    >>> study = measured(candidates(network, "2:0", ["1"]), rand(4, 3, 24, 24))
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
    choose: Callable[[int], Bool[np.ndarray, " edges"]] | None = None,
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
    choose
        Which edges so many are; by default those that `greedy` takes.

    Examples
    --------
    >>> from torch import nn, rand
    >>> from visioncircuits.circuits import candidates, measured, score
    >>> from visioncircuits.networks import Preprocessing, wrap
    >>> layers = nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 2, 3)
    >>> network = wrap(nn.Sequential(*layers), Preprocessing(), size=24)
    >>> study = measured(candidates(network, "2:0", ["1"]), rand(4, 3, 24, 24))
    >>> found = curves(study, score(study), draws=1)
    >>> round(float(found["faithfulness"].sel(kind="found", bound="mean")[0, -1]), 6)
    1.0
    """
    found, keeper, count = study.candidates, Keeper(study), len(study.candidates)
    wanted = sorted({0, count, *(sizes if sizes is not None else benchmark_sizes(count))})
    taken = grown(found, scores.size, count)
    weight = score(study, method="kernel norm").size ** 2 if draws else np.zeros(count)
    step = advance or (lambda _: None)
    table = {m: np.full((len(ablations), 3, len(wanted), 3), np.nan) for m in MEASURES}
    for row, ablation in enumerate(ablations):
        for at, size in enumerate(wanted):
            chosen = choose(size) if choose else found.marked(taken[:size])
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
