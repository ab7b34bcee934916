"""Derivatives of a feature by how much each edge carries: what approximate scores are made of."""

from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from visioncircuits.circuits.candidates import Masks, Pair
from visioncircuits.circuits.columns import Column, Parts, values_of
from visioncircuits.circuits.running import Batch, Measured, grouped
from visioncircuits.interventions.ablation import Ablation
from visioncircuits.networks.edits import Replacement


def sensitivities(
    study: Measured,
    masks: Masks,
    mode: Ablation,
    probe: Float[Tensor, "photographs positions"],
) -> Iterator[Float[Tensor, "batch edges"]]:
    """Yield the derivatives of a sum of the target's activations by the masks of all edges.

    With `x` what an edge's source is in the circuit's run and `a` what it is ablated to, an edge of
    mask `m` carries `a + m (x − a)`, and its derivative is `(x − a)` times the gradient that
    reaches it, summed over positions. At `m = 1` for all edges this is attribution patching.

    Parameters
    ----------
    probe
        The weights of the sum over the target's positions, photograph by photograph.

    Yields
    ------
    torch.Tensor
        Some photographs at a time, in their order.
    """
    found, first = study.candidates, 0
    everything = {at: np.ones(len(each.names), bool) for at, each in enumerate(found.columns)}
    for batch in study.batches(mode):
        turn = slice(first, first + len(batch.shown))
        first = turn.stop
        with torch.no_grad():
            values = batch.values(masks, everything)
        yield _backwards(batch, values, masks, probe[turn])


def _backwards(
    batch: Batch, values: list[Parts], masks: Masks, probe: Float[Tensor, "batch positions"]
) -> Float[Tensor, "batch edges"]:
    found, last = batch.candidates, len(batch.candidates.columns)
    scores: dict[Pair, Tensor] = {
        pair: torch.zeros(len(batch.shown), *mask.shape, device=mask.device)
        for pair, mask in masks.items()
    }
    gradients = [
        Parts(torch.zeros_like(each.scalars), None if each.rest is None else 0 * each.rest)
        for each in values
    ]
    differences = [_less(x, a) for x, a in zip(values, batch.ablated, strict=True)]

    def passed(
        place: int, node: int, changes: list[Replacement], output: Tensor, by: Tensor
    ) -> None:
        """Pass a node's gradient on to the edges that lead to it."""
        leaves = [change.values for change in changes]
        found_here = torch.autograd.grad(output, leaves, by, allow_unused=True)
        for source, gradient in zip(batch.sources(place), found_here, strict=True):
            if gradient is None:
                continue
            own = found.columns[source].pulled(gradient)
            scores[source, place][:, :, node] = _along(differences[source], own)
            if batch.sources(source):
                _add(gradients[source], own, masks[source, place][:, node])

    with torch.enable_grad():
        changes = _leaves(batch.seen(values, masks, last, 0))
        activation = found.target.value(found.network, batch.shown, changes)
        passed(last, 0, changes, activation, probe.to(activation))
        for place in range(last - 1, -1, -1):
            column = found.columns[place]
            if not batch.sources(place):
                continue
            reached = [
                n for n in range(len(column.names)) if _of(column, gradients[place], n).any()
            ]
            for group in grouped(masks, batch.sources(place), place, reached):
                changes = _leaves(batch.seen(values, masks, place, group[0]))
                for node in group:
                    output = values_of(found.network, column, [node], batch.shown, changes)
                    inner = node < len(column.features)
                    value = output.scalars if inner else output.rest
                    assert value is not None
                    passed(place, node, changes, value, _of(column, gradients[place], node))
    return found.joined(scores)


def _leaves(changes: list[Replacement]) -> list[Replacement]:
    return [Replacement(c.place, c.values.detach().clone().requires_grad_()) for c in changes]


def _less(values: Parts, ablated: Parts) -> Parts:
    rest = None if values.rest is None or ablated.rest is None else values.rest - ablated.rest
    return Parts(values.scalars - ablated.scalars, rest)


def _along(difference: Parts, gradient: Parts) -> Float[Tensor, "batch nodes"]:
    """Multiply node by node, and add up positions."""
    scalars = (difference.scalars * gradient.scalars).flatten(2).sum(2)
    if difference.rest is None or gradient.rest is None:
        return scalars
    rest = (difference.rest * gradient.rest).flatten(1).sum(1)
    return torch.cat([scalars, rest[:, None]], 1)


def _of(column: Column, parts: Parts, node: int) -> Tensor:
    """Return the values of one node."""
    if node < len(column.features):
        return parts.scalars[:, [node]]
    assert parts.rest is not None
    return parts.rest


def _add(total: Parts, more: Parts, mask: Float[Tensor, " nodes"]) -> None:
    """Add what edges of a mask carry of a gradient."""
    count = total.scalars.shape[1]
    total.scalars.add_(more.scalars * mask[:count].reshape(-1, *(1,) * (total.scalars.ndim - 2)))
    if total.rest is not None and more.rest is not None:
        total.rest.add_(more.rest * mask[count])
