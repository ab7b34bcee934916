"""The layers that a network is told by: those through which everything passes."""

from dataclasses import dataclass

from visioncircuits.networks import Network
from visioncircuits.weights.kernels import Concatenation
from visioncircuits.weights.linearization import INPUT, RECTIFIERS, Linearization, Trace, trace


@dataclass(frozen=True)
class Surroundings:
    """The main layers about a layer, nearest first: those that feed it, and those it feeds."""

    before: tuple[str, ...]
    after: tuple[str, ...]


def main_layers(network: Network) -> tuple[str, ...]:
    """List the rectified layers through which every path from picture to output passes.

    Of a concatenation all branches must be rectified. A layer of several names is given the
    shortest.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> main_layers(untrained("bvlc_googlenet"))[:5]
    ('conv2d0', 'conv2d1', 'conv2d2', 'mixed3a', 'mixed3b')
    """
    return tuple(_main(_whole(network)).values())


def surroundings(network: Network, layer: str) -> Surroundings:
    """Find the main layers on the way to `layer` and on the way from it.

    Raises
    ------
    InputError
        For a layer that the network does not have.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> surroundings(untrained("bvlc_googlenet"), "mixed3b_5x5").before
    ('mixed3a', 'conv2d2', 'conv2d1', 'conv2d0')
    """
    network.layer(layer)
    found = _whole(network)
    here, main = found.layers[layer], _main(found)
    return Surroundings(
        before=tuple(main[at] for at in reversed(main) if at < here and found.between(at, here)),
        after=tuple(main[at] for at in main if at > here and found.between(here, at)),
    )


def _whole(network: Network) -> Trace:
    return trace(network, [INPUT, *network.layers], Linearization())


def _main(found: Trace) -> dict[int, str]:
    """Name the main layers by their steps, in order."""
    names: dict[int, str] = {}
    for name, at in found.layers.items():
        names[at] = min(names.get(at, name), name, key=len)
    through = _on_every_path(found, max(names))
    return {at: names[at] for at in sorted(names) if at in through and _rectified(found, at)}


def _on_every_path(found: Trace, last: int) -> set[int]:
    """List the steps on every path to `last`: as many paths lead through them as there are."""
    path = found.between(found.layers[INPUT], last)
    to, onwards = {path[0]: 1}, dict.fromkeys(path, 0) | {last: 1}
    for at in path[1:]:
        to[at] = sum(to.get(before, 0) for before in found.steps[at].inputs)
    for at in reversed(path):
        for before in found.steps[at].inputs:
            if before in onwards:
                onwards[before] += onwards[at]
    return {at for at in path if to[at] * onwards[at] == to[last]}


def _rectified(found: Trace, at: int) -> bool:
    step = found.steps[at]
    if isinstance(step.operation, Concatenation):
        return all(_rectified(found, before) for before in step.inputs)
    return step.name in RECTIFIERS
