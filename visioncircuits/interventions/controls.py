"""Controls of an intervention: other units of the same branches that activate as often.

What a removal costs depends on how large a unit's kernel is and on how often it activates. Controls
that differ in either would make a family look more, or less, important than it is.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float64

from visioncircuits import datasets
from visioncircuits.datasets import Source
from visioncircuits.errors import InputError
from visioncircuits.examples import Examples
from visioncircuits.networks import Direction, Feature, Features, Network, Unit, select
from visioncircuits.numbers import whole

NEAREST = 5
"""Among how many units of the nearest firing rates each control is drawn, so that draws differ."""

RATED = 100
"""Photographs from which firing rates are estimated, at all positions of each."""

Rates = Float64[np.ndarray, " units"]


def units_of(network: Network, features: Features) -> tuple[str, list[int]]:
    """Return the layer of some units, and their indices.

    Raises
    ------
    InputError
        As `networks.select`, and for a direction.
    """
    chosen = select(network, features)
    if chosen.indices is None:
        raise InputError(
            f"units are needed, such as {chosen.layer}:0, and one of these features is a "
            "direction; `edited` changes directions"
        )
    return chosen.layer, chosen.indices


def control_units(
    network: Network,
    features: Features,
    *,
    photographs: Source | Examples | None = None,
    seed: int = 0,
) -> tuple[Unit, ...]:
    """Draw as many other units, branch by branch, that activate as often as some units.

    Each unit gets another one of its own branch. Where a branch has not enough others, all of them
    are taken, and the rest come from the nearest branch in the order of the layer's units; where a
    layer has no branches, it counts as one.

    Parameters
    ----------
    network
        Any network.
    features
        Units of one layer.
    photographs
        What firing rates are measured on, the share of positions at which a unit is above zero:
        photographs, of which 100 are read, or what `examples.collect` and `survey` found for the
        layer. Each unit is replaced by one of the 5 whose rates are nearest to its own. Without
        it, any unit of the branch may be drawn.
    seed
        The same seed gives the same units.

    Raises
    ------
    InputError
        For features that are not units of one layer, where the layer has not so many others, and
        for examples of other layers.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> network = untrained("bvlc_googlenet")
    >>> drawn = control_units(network, ["mixed3b:413", "mixed3b:408", "mixed3b:7"])
    >>> [unit.index >= 320 for unit in drawn]  # two are of the 5x5 branch
    [False, True, True]
    >>> len(control_units(network, "mixed3b:413", photographs=torch.rand(2, 3, 64, 64)))
    1
    """
    layer, units = units_of(network, features)
    rates = None if photographs is None else firing_rates(network, layer, photographs)
    return _drawn(network, layer, units, rates, seed)


def _drawn(
    network: Network, layer: str, units: Sequence[int], rates: Rates | None, seed: int
) -> tuple[Unit, ...]:
    branches = [list(span) for span in _branches(network, layer).values()]
    home = {unit: place for place, span in enumerate(branches) for unit in span}
    others = home.keys() - set(units)
    if len(others) < len(units):
        raise InputError(
            f"{layer} has only {len(others)} units beside these; a control needs {len(units)}"
        )
    rng = np.random.default_rng(seed)
    drawn: list[int] = []
    waiting = rng.permutation(units).tolist()
    for steps in range(len(branches)):  # the unit's own branch, then those that many places off
        left = []
        for unit in waiting:
            pool = [o for o in home if o in others and abs(home[o] - home[unit]) == steps]
            if not pool:
                left.append(unit)
                continue
            if rates is not None:
                pool.sort(key=lambda other: abs(rates[other] - rates[unit]))
                pool = pool[:NEAREST]
            drawn.append(int(rng.choice(pool)))
            others.remove(drawn[-1])
        waiting = left
    return tuple(Unit(layer, index) for index in sorted(drawn))


def _branches(network: Network, layer: str) -> Mapping[str, range]:
    return network.branches(layer) or {layer: range(network.layer(layer).units)}


def firing_rates(network: Network, layer: str, photographs: Source | Examples) -> Rates:
    """Return the share of positions at which each unit of a layer is above zero."""
    if isinstance(photographs, Examples):
        return photographs.row(Unit(layer, 0))[0].moments.firing
    given = datasets.photographs(photographs)
    if not len(given):
        raise InputError("firing rates need a photograph")
    places = np.linspace(0, len(given) - 1, min(len(given), RATED)).round().astype(int).tolist()
    active = np.zeros(network.layer(layer).units)
    with torch.inference_mode():
        for pictures in given.part(places).batches(network.size, 20):
            found = network.activations(pictures, [layer])[layer]
            above = (found > 0).reshape(*found.shape[:2], -1)
            active += above.double().mean(2).sum(0).cpu().numpy()
    return active / len(places)


def control_draws(
    network: Network,
    features: Features,
    *,
    controls: int,
    seed: int,
    photographs: Source | Examples | None = None,
) -> tuple[dict[str, tuple[Feature, ...]], dict[str, dict[str, Any]]]:
    """Draw controls several times, by condition: "control 1", ….

    Returns
    -------
    dict, dict
        By condition the features; and what units were matched in, of the units in question
        ("given") and of each draw: `branches`, how many units lie in each, and `firing`, their
        median rate. The second is empty for directions, and without a draw.
    """
    whole("controls", controls, least=0)
    chosen = select(network, features)
    names = {f"control {place + 1}": seed + place for place in range(controls)}
    if chosen.indices is None:
        return {
            name: control_directions(network, chosen.features, seed=each)
            for name, each in names.items()
        }, {}
    if not names:
        return {}, {}
    layer, units = chosen.layer, chosen.indices
    rates = None if photographs is None else firing_rates(network, layer, photographs)
    drawn = {name: _drawn(network, layer, units, rates, each) for name, each in names.items()}
    listed = {"given": units, **{name: [u.index for u in each] for name, each in drawn.items()}}
    spans = _branches(network, layer)
    matched = {name: _matched(each, spans, rates) for name, each in listed.items()}
    return {**drawn}, matched


def _matched(
    units: Sequence[int], spans: Mapping[str, range], rates: Rates | None
) -> dict[str, Any]:
    counts = Counter(name for name, span in spans.items() for unit in units if unit in span)
    firing = {} if rates is None else {"firing": float(np.median(rates[list(units)]))}
    return {"branches": dict(counts), **firing}


def control_directions(
    network: Network, features: Features, *, seed: int = 0
) -> tuple[Feature, ...]:
    """Deal the weights of directions at random to the units of each branch, the same way for all.

    Raises
    ------
    InputError
        As `networks.select`.

    Examples
    --------
    >>> from visioncircuits.networks import Direction, untrained
    >>> network = untrained("bvlc_googlenet")
    >>> (drawn,) = control_directions(network, Direction("mixed3b", range(480)))
    >>> sorted(drawn.weights[320:416]) == list(range(320, 416))  # of the 5x5 branch
    True
    """
    chosen = select(network, features)
    rng, order = np.random.default_rng(seed), np.arange(network.layer(chosen.layer).units)
    for span in _branches(network, chosen.layer).values():
        order[list(span)] = rng.permutation(span)
    return tuple(
        Direction(chosen.layer, vector[order], name=f"{feature} at random")
        for feature, vector in zip(chosen.features, chosen.vectors.cpu(), strict=True)
    )
