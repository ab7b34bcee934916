"""Activation patching along edges: what the feature is when one edge alone is ablated."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from visioncircuits.circuits.columns import Parts, values_of
from visioncircuits.circuits.running import Batch, Measured
from visioncircuits.interventions.ablation import Ablation
from visioncircuits.networks.edits import Replacement

TOGETHER = 64
"""Pictures that are computed at once: so many edges times so many photographs."""


@torch.no_grad()
def patched(
    study: Measured, edges: Sequence[int], mode: Ablation
) -> tuple[Float[Tensor, "photographs edges"], Float[Tensor, "photographs edges"]]:
    """Return what the target loses when one edge is ablated: at its peak, and its mean square.

    Everything else stays as it is, and all that follows the edge receives what becomes of its end.
    It is exact, and takes a run of what lies between the edge's source and the target for each.

    Parameters
    ----------
    edges
        By their numbers among the candidates.

    Returns
    -------
    torch.Tensor, torch.Tensor
        The loss at the peak; and the square of the loss, averaged over all positions.
    """
    found = study.candidates
    sources, targets = found.ends
    ends: dict[tuple[int, int], list[int]] = {}
    for column, number in enumerate(edges):
        ends.setdefault((int(found.pair_of[number]), int(targets[number])), []).append(column)
    firsts = np.cumsum([0, *(len(found.names(at)) for at in range(len(found.columns) + 1))])
    lost, first = torch.zeros(len(study), len(edges)), 0
    squares = torch.zeros_like(lost)
    for batch in study.batches(mode):
        turn = slice(first, first + len(batch.shown))
        first = turn.stop
        peak = study.peak[turn]
        before = study.activation[turn]
        for (pair, target), columns in ends.items():
            a, b = found.pairs[pair]
            node = target - int(firsts[b])
            own = [int(sources[edges[column]] - firsts[a]) for column in columns]
            most = max(TOGETHER // len(batch.shown), 1)
            for start in range(0, len(own), most):
                some = own[start : start + most]
                change = before - _without(batch, a, b, node, some)
                at_peak = change.gather(2, peak[None, :, None].expand(len(some), -1, 1))[..., 0]
                lost[turn, columns[start : start + most]] = at_peak.T.cpu()
                squares[turn, columns[start : start + most]] = change.square().mean(2).T.cpu()
    return lost, squares


def _without(
    batch: Batch, a: int, b: int, node: int, sources: Sequence[int]
) -> Float[Tensor, "sources batch positions"]:
    """Compute the target where one node does not receive one source, for several of these."""
    found, count = batch.candidates, len(sources)
    network, shown = found.network, batch.shown.repeat(count, 1, 1, 1)
    column = found.columns[a]
    changed = torch.cat([column.join(_ablated(batch, a, source)) for source in sources])
    changes = [Replacement(column.layer, changed)]
    changes += [_as_it_is(batch, other, count) for other in batch.sources(b) if other != a]
    if b == len(found.columns):
        return found.target.value(network, shown, changes).reshape(count, len(batch.shown), -1)
    place = found.columns[b]
    new = values_of(network, place, [node], shown, changes)
    scalars = batch.parts[b].scalars.repeat(count, *(1,) * (batch.parts[b].scalars.ndim - 1))
    rest = batch.parts[b].rest
    rest = None if rest is None else rest.repeat(count, *(1,) * (rest.ndim - 1))
    if new.rest is None:
        scalars[:, [node]] = new.scalars
    else:
        rest = new.rest
    after = [Replacement(place.layer, place.join(Parts(scalars, rest)))]
    after += [
        _as_it_is(batch, at, count)
        for at, each in enumerate(found.columns)
        if at != b and not network.depends(each.layer, place.layer)
    ]
    return found.target.value(network, shown, after).reshape(count, len(batch.shown), -1)


def _as_it_is(batch: Batch, place: int, count: int) -> Replacement:
    column = batch.candidates.columns[place]
    values = column.join(batch.parts[place])
    return Replacement(column.layer, values.repeat(count, *(1,) * (values.ndim - 1)))


def _ablated(batch: Batch, place: int, node: int) -> Parts:
    """Return a column's values with one node ablated."""
    parts, ablated = batch.parts[place], batch.ablated[place]
    mask = torch.zeros(len(batch.candidates.names(place)), device=parts.scalars.device)
    mask[node] = 1
    return parts.towards(ablated, mask)
