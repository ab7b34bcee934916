"""The main layers of a network: those on every path from the picture to the output."""

from dataclasses import dataclass

from visioncircuits.networks import Network
from visioncircuits.weights.linearization import Linearization
from visioncircuits.weights.nonlinearities import RECTIFIERS
from visioncircuits.weights.operations import Concatenation
from visioncircuits.weights.tracing import INPUT, Trace, trace


@dataclass(frozen=True)
class Surroundings:
    """The main layers before a layer and after it, nearest first.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> surroundings(untrained("bvlc_googlenet"), "conv2d1")
    Surroundings(before=('conv2d0',), after=('conv2d2', 'mixed3a', 'mixed3b', 'mixed4a', ...))
    """

    before: tuple[str, ...]
    after: tuple[str, ...]


def main_layers(network: Network) -> tuple[str, ...]:
    """List the rectified layers through which every path from picture to output passes.

    All branches of a concatenation must be rectified. Of several names of a layer the shortest is
    returned.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> main_layers(untrained("bvlc_googlenet"))[:5]
    ('conv2d0', 'conv2d1', 'conv2d2', 'mixed3a', 'mixed3b')
    """
    return tuple(_main(_whole(network)).values())


def surroundings(network: Network, layer: str) -> Surroundings:
    """Return the main layers on the paths to `layer` and from it.

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
    traced = _whole(network)
    if layer not in traced.layers:  # of parameters alone
        return Surroundings((), ())
    here, main = traced.layers[layer], _main(traced)
    return Surroundings(
        before=tuple(main[at] for at in reversed(main) if at < here and traced.between(at, here)),
        after=tuple(main[at] for at in main if at > here and traced.between(here, at)),
    )


def _whole(network: Network) -> Trace:
    return trace(network, [INPUT, *network.layers], Linearization())


def _main(traced: Trace) -> dict[int, str]:
    """Return the names of the main layers by step, in order."""
    names: dict[int, str] = {}
    for name, at in traced.layers.items():
        names[at] = min(names.get(at, name), name, key=len)
    through = _on_every_path(traced, max(names))
    return {at: names[at] for at in sorted(names) if at in through and _rectified(traced, at)}


def _on_every_path(traced: Trace, last: int) -> set[int]:
    """Return the steps on every path to `last`: those through which all paths lead."""
    path = traced.between(traced.layers[INPUT], last)
    to, onwards = {path[0]: 1}, dict.fromkeys(path, 0) | {last: 1}
    for at in path[1:]:
        to[at] = sum(to.get(before, 0) for before in traced.steps[at].inputs)
    for at in reversed(path):
        for before in traced.steps[at].inputs:
            if before in onwards:
                onwards[before] += onwards[at]
    return {at for at in path if to[at] * onwards[at] == to[last]}


def _rectified(traced: Trace, at: int) -> bool:
    step = traced.steps[at]
    if isinstance(step.operation, Concatenation):
        return all(_rectified(traced, before) for before in step.inputs)
    return step.name in RECTIFIERS
