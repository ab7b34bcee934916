"""Discovery of circuits: edges scored on one half of the photographs, evaluated on the other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from visioncircuits import datasets
from visioncircuits.circuits.benchmark import benchmark_sizes
from visioncircuits.circuits.candidates import candidates
from visioncircuits.circuits.circuit import Circuit
from visioncircuits.circuits.evaluation import (
    Curves,
    Evaluation,
    curves,
    evaluate,
    runs,
)
from visioncircuits.circuits.keeping import Keeper
from visioncircuits.circuits.running import measured
from visioncircuits.circuits.scores import EdgeScores, score
from visioncircuits.circuits.selection import balanced, grown, least
from visioncircuits.datasets import Source
from visioncircuits.errors import InputError
from visioncircuits.interventions.ablation import ABLATIONS, Ablation
from visioncircuits.networks import Feature, Features, Network
from visioncircuits.numbers import whole
from visioncircuits.progress import bar

if TYPE_CHECKING:
    from visioncircuits.dictionaries import Dictionary


@dataclass(frozen=True, eq=False, repr=False)
class CircuitDiscovery:
    """A circuit that was found, and how good it is.

    Attributes
    ----------
    circuit
        The edges, the first taken first.
    scores
        Of all candidate edges, on the photographs that it was chosen on.
    curves
        What circuits of growing size keep of photographs held out.
    evaluation
        Of the circuit, on photographs held out.

    Examples
    --------
    >>> from torch import nn, rand
    >>> from visioncircuits.networks import Preprocessing, wrap
    >>> layers = nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 2, 3)
    >>> network = wrap(nn.Sequential(*layers), Preprocessing(), size=24)
    >>> discover(network, "2:0", ["1"], rand(6, 3, 24, 24), edges=8, draws=1)
    CircuitDiscovery(Circuit(2:0: 8 of 1 → 1 of 2, 8 edges), faithfulness 1.00 of pictures ...
    """

    circuit: Circuit
    scores: EdgeScores
    curves: Curves
    evaluation: Evaluation

    def __repr__(self) -> str:
        ablation = self.scores.ablation
        kept = self.evaluation["faithfulness"].sel(ablation=ablation, bound="mean")
        return (
            f"CircuitDiscovery({self.circuit!r}, faithfulness {float(kept):.2f} of pictures held "
            f"out, {ablation} ablation)"
        )

    def _repr_png_(self) -> bytes:
        from visioncircuits.circuits.panels import curves_panel

        return curves_panel(self.curves)._repr_png_()


def discover(
    network: Network,
    target: str | Feature,
    source: str | Sequence[str],
    photographs: Source,
    *,
    faithfulness: float = 0.9,
    edges: int | None = None,
    method: str = "attribution",
    ablation: Ablation = "mean",
    at: Literal["peak", "everywhere"] = "peak",
    features: Mapping[str, Features] | None = None,
    dictionaries: Sequence["Dictionary"] = (),
    draws: int = 3,
    seed: int = 0,
    progress: bool = False,
) -> CircuitDiscovery:
    """Find the edges, over all layers between two places, that keep a feature's behavior.

    All edges are scored on every second photograph. A circuit grows from the target by these
    scores, at several balances between the layers (see `budgeted`): as few edges as reach a
    faithfulness there, found by bisection, or a number of edges. The other photographs evaluate it.

    Parameters
    ----------
    network
        Any.
    target
        The feature that is explained.
    source
        The earliest place, or all places, as for `candidates`.
    photographs
        4 or more; see `datasets.photographs`.
    faithfulness
        That the circuit reaches, by `ablation`, above 0 and below 1; see `Evaluation`.
    edges
        How many the circuit has, instead.
    method, at
        How edges are scored; see `score`.
    ablation
        Of edges, in scores and in the choice. The evaluation has all three.
    features, dictionaries
        What is a node instead of units, as for `candidates`.
    draws
        Of random circuits of each kind, at each size.
    seed
        Of draws and intervals.
    progress
        Whether to show a bar.

    Raises
    ------
    InputError
        For unknown names or options, too few photographs, or more edges than there are.

    Examples
    --------
    >>> from torch import nn, rand
    >>> from visioncircuits.networks import Preprocessing, wrap
    >>> layers = nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 4, 3), nn.ReLU(), nn.Conv2d(4, 2, 3)
    >>> network = wrap(nn.Sequential(*layers), Preprocessing(), size=24)
    >>> found = discover(network, "4:0", ["1", "3"], rand(6, 3, 24, 24), edges=9, draws=1)
    >>> len(found.circuit.edges), len(found.scores.size)
    (9, 36)
    """
    if not 0 < faithfulness < 1:
        raise InputError(f"a faithfulness to reach is between 0 and 1; {faithfulness:g} is not")
    given = datasets.photographs(photographs)
    if len(given) < 4:
        raise InputError(f"a discovery takes 4 photographs or more, not {len(given)}")
    found = candidates(network, target, source, features=features, dictionaries=dictionaries)
    if edges is not None:
        whole("edges", edges, least=1, most=len(found))
    selection = measured(found, given.part(range(0, len(given), 2)))
    held_out = measured(found, given.part(range(1, len(given), 2)), means=selection.means)
    for half in (selection, held_out):
        if float(half.activation.std()) <= 1e-6 * float(half.activation.abs().max()):
            raise InputError(
                f"{target} has one activation on half of these photographs; give others"
            )
    scores = score(selection, method=method, ablation=ablation, at=at)
    keeper = Keeper(selection)
    orders = [grown(found, by, len(found)) for by in balanced(scores)]

    def reached(numbers: np.ndarray) -> float:
        return keeper.kept(found.marked(numbers), ablation).of("faithfulness")

    def nearest(count: int) -> np.ndarray:
        return min((order[:count] for order in orders), key=lambda some: abs(1 - reached(some)))

    if edges is None:
        chosen = min(
            (order[: least(order, lambda some: reached(some) >= faithfulness)] for order in orders),
            key=len,
        )
    else:
        chosen = nearest(edges)
    record = {
        **scores.record,
        "chosen": "budgeted",
        **({"faithfulness": faithfulness} if edges is None else {}),
    }
    circuit = found.circuit(chosen, record)
    sizes = sorted({*benchmark_sizes(len(found)), len(chosen)})
    by_size = {size: found.marked(nearest(size)) for size in (0, *sizes)}
    total = runs(circuit, draws=draws) + len(ABLATIONS) * (len(sizes) + 1) * (1 + 2 * draws)
    with bar("circuits", total, visible=progress) as advance:
        grows = curves(
            held_out,
            scores,
            sizes=sizes,
            draws=draws,
            seed=seed,
            choose=by_size.__getitem__,
            advance=advance,
        )
        evaluation = evaluate(held_out, circuit, draws=draws, seed=seed, advance=advance)
    return CircuitDiscovery(circuit, scores, grows, evaluation)
