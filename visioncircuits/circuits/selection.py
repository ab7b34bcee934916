"""Choosing edges: by rank, grown from the target, as few as suffice, at random."""

import heapq
from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float, Int

from visioncircuits.circuits.candidates import Candidates
from visioncircuits.circuits.circuit import Circuit
from visioncircuits.circuits.keeping import Keeper, Measure
from visioncircuits.circuits.running import Measured
from visioncircuits.circuits.scores import EdgeScores, ranking
from visioncircuits.interventions.ablation import Ablation
from visioncircuits.numbers import whole

BALANCES = (0.0, 0.5, 1.0)
"""Powers of the size of a pair of places that edges between them are divided by."""


def strongest(scores: EdgeScores, edges: int) -> Circuit:
    """Return the circuit of so many edges with the largest scores, wherever they are.

    Edges from which no path leads to the target count, and are left out: the circuit may have
    fewer.

    Raises
    ------
    InputError
        For fewer than one edge, or more than there are.

    Examples
    --------
    >>> from torch import nn, rand
    >>> from visioncircuits.circuits import candidates, measured, score
    >>> from visioncircuits.networks import Preprocessing, wrap
    >>> layers = nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 2, 3)
    >>> network = wrap(nn.Sequential(*layers), Preprocessing(), size=24)
    >>> study = measured(candidates(network, "2:0", ["1"]), rand(4, 3, 24, 24))
    >>> len(strongest(score(study), 3).edges)
    3
    """
    found = scores.candidates
    whole("edges", edges, least=1, most=len(found))
    order = ranking(scores.size)[:edges]
    live = found.live(found.marked(order))
    return _circuit(scores, order[live[order]], "strongest")


def greedy(scores: EdgeScores, edges: int) -> Circuit:
    """Return a circuit of so many edges, grown from the target.

    Again and again the edge with the largest score is taken that leads to a feature of the circuit
    (as Hanna et al., "Have Faith in Faithfulness", 2024), so that every edge has a path to the
    target.

    Raises
    ------
    InputError
        For fewer than one edge, or more than there are.

    Examples
    --------
    >>> from torch import nn, rand
    >>> from visioncircuits.circuits import candidates, measured, score
    >>> from visioncircuits.networks import Preprocessing, wrap
    >>> layers = nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 2, 3)
    >>> network = wrap(nn.Sequential(*layers), Preprocessing(), size=24)
    >>> study = measured(candidates(network, "2:0", ["1"]), rand(4, 3, 24, 24))
    >>> len(greedy(score(study), 3).edges)
    3
    """
    whole("edges", edges, least=1, most=len(scores.candidates))
    return _circuit(scores, grown(scores.candidates, scores.size, edges), "greedy")


def budgeted(
    study: Measured,
    scores: EdgeScores,
    edges: int,
    *,
    ablation: Ablation = "mean",
    measure: Measure = "faithfulness",
) -> Circuit:
    """Return a circuit of so many edges, divided among the layers as keeps the most.

    Scores of edges between different layers are of different size: an edge to the target carries
    all of its source, one before it a part. `greedy` therefore may spend a small budget on edges to
    the target alone, whose sources then receive nothing. Here it grows by several balances, of
    sizes over those of their pair of places to some power, and the photographs decide.

    Parameters
    ----------
    study
        From `measured`, on the photographs that decide.
    scores
        Of the same candidates.
    edges
        How many.
    ablation
        Of edges outside the circuit.
    measure
        What is to be nearest to 1; see `Evaluation`.

    Raises
    ------
    InputError
        For fewer than one edge, or more than there are.

    Examples
    --------
    >>> from torch import nn, rand
    >>> from visioncircuits.circuits import candidates, measured, score
    >>> from visioncircuits.networks import Preprocessing, wrap
    >>> layers = nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 4, 3), nn.ReLU(), nn.Conv2d(4, 2, 3)
    >>> network = wrap(nn.Sequential(*layers), Preprocessing(), size=24)
    >>> study = measured(candidates(network, "4:0", ["1", "3"]), rand(4, 3, 24, 24))
    >>> len(budgeted(study, score(study), 6).edges)
    6
    """
    found, keeper = study.candidates, Keeper(study)
    whole("edges", edges, least=1, most=len(found))
    orders = [grown(found, sizes, edges) for sizes in balanced(scores)]

    def distance(numbers: np.ndarray) -> float:
        return abs(1 - keeper.kept(found.marked(numbers), ablation).of(measure))

    return _circuit(scores, min(orders, key=distance), "budgeted")


def balanced(scores: EdgeScores) -> list[Float[np.ndarray, " edges"]]:
    """Return sizes of edges over those of their pair of places, to each power of `BALANCES`."""
    pair = scores.candidates.pair_of
    squares = np.bincount(pair, scores.size**2) / np.bincount(pair)
    scale = np.sqrt(np.maximum(squares, np.finfo(float).tiny))[pair]
    return [scores.size / scale**power for power in BALANCES]


def grown(
    found: Candidates, size: Float[np.ndarray, " edges"], most: int
) -> Int[np.ndarray, " chosen"]:
    """Return the numbers of edges as they are taken, growing from the target."""
    sources, targets = found.ends
    order = np.argsort(targets, kind="stable")
    begins = np.searchsorted(targets[order], np.arange(int(targets.max()) + 2))
    heap: list[tuple[float, int]] = []
    taken: list[int] = []
    reached: set[int] = set()

    def reach(node: int) -> None:
        if node not in reached:
            reached.add(node)
            for number in order[begins[node] : begins[node + 1]]:
                heapq.heappush(heap, (-float(size[number]), int(number)))

    reach(int(targets.max()))
    while heap and len(taken) < most:
        number = heapq.heappop(heap)[1]
        taken.append(number)
        reach(int(sources[number]))
    return np.array(taken, dtype=int)


def least(order: Int[np.ndarray, " edges"], enough: Callable[[np.ndarray], bool]) -> int:
    """Find by bisection how many of the first edges of an order are enough.

    Examples
    --------
    >>> least(np.arange(100), lambda first: len(first) >= 37)
    37
    """
    low, high = 0, len(order)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(order[:middle]) else (middle, high)
    return high


def drawn(
    found: Candidates,
    like: Bool[np.ndarray, " edges"],
    generator: np.random.Generator,
    *,
    weight: Float[np.ndarray, " edges"] | None = None,
) -> Bool[np.ndarray, " edges"]:
    """Draw a circuit at random of which every edge has a path to the target.

    Between each pair of places it has as many edges as another; or, with a weight of each edge, as
    many as weigh at least what the other's do, as far as there are edges.
    """
    sources, targets = found.ends
    reached = np.zeros(int(targets.max()) + 1, dtype=bool)
    reached[-1] = True
    chosen = np.zeros(len(found), dtype=bool)
    for pair in sorted(range(len(found.pairs)), key=lambda at: -found.pairs[at][1]):
        own = found.pair_of == pair
        possible = generator.permutation(np.flatnonzero(own & reached[targets]))
        if weight is None:
            some = possible[: int((own & like).sum())]
        else:
            heavy = np.cumsum(weight[possible])
            some = possible[: int(np.searchsorted(heavy, weight[own & like].sum())) + 1]
            some = some[: 0 if not (own & like).any() else len(some)]
        chosen[some] = True
        reached[sources[some]] = True
    return chosen


def _circuit(scores: EdgeScores, numbers: np.ndarray, how: str) -> Circuit:
    record = {**scores.record, "chosen": how, "edges": len(numbers)}
    return scores.candidates.circuit(numbers, record)
