"""Diagrams of circuits of edges, as `weights.circuit_diagram` draws them."""

import torch

from visioncircuits import weights
from visioncircuits.circuits.circuit import REST, Circuit
from visioncircuits.errors import InputError
from visioncircuits.networks import Feature, Network
from visioncircuits.weights.diagram import circuit_diagram
from visioncircuits.weights.pictures import Thumbnails


def shown(network: Network, circuit: Circuit, *, most: int = 12) -> weights.Circuit:
    """Return a circuit's edges with their kernels, for `weights.circuit_diagram`.

    Parameters
    ----------
    network
        Whose expanded weights the kernels are.
    circuit
        Its edges between neighboring places are shown; those of a rest have no kernel.
    most
        How many features of a place: those with the most edges that come first in the circuit.

    Raises
    ------
    InputError
        For features that the network does not have, or a circuit of which no edge can be shown.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> circuit = Circuit("mixed3b:9", ("mixed3a", "mixed3b"), [("mixed3a:5", "mixed3b:9")])
    >>> shown(untrained("bvlc_googlenet"), circuit)
    Circuit(mixed3b:9: 1 of mixed3a → 1 of mixed3b, 1 connections)
    """
    named = {str(each): each for each in circuit.directions}
    later: tuple[str, ...] = (str(circuit.target),)
    levels: list[weights.Level] = []
    for source in reversed(circuit.places[:-1]):
        edges = [
            edge
            for edge in circuit.edges
            if edge.target in later
            and circuit.place(edge.source) == source
            and edge.source != f"{source}:{REST}"
        ]
        earlier = tuple(dict.fromkeys(edge.source for edge in edges))[:most]
        if not earlier:
            break
        inputs: list[str | Feature] = [named.get(name, name) for name in earlier]
        outputs: list[str | Feature] = [named.get(name, name) for name in later]
        levels.insert(0, _level(network, source, inputs, outputs, set(edges), later))
        later = earlier
    if not levels:
        raise InputError(f"no edge of the circuit leads to {circuit.target} from the place before")
    return weights.Circuit(circuit.target, tuple(levels))


def _level(
    network: Network,
    source: str,
    inputs: list[str | Feature],
    outputs: list[str | Feature],
    edges: set[tuple[str, str]],
    later: tuple[str, ...],
) -> weights.Level:
    whole = weights.expanded_weights(network, source, outputs).weight.square().sum((1, 2, 3))
    own = weights.expanded_weights(network, inputs, outputs)
    share = own.weight.square().sum((2, 3)) / whole[:, None].clamp(min=1e-30)
    drawn = torch.tensor([[(str(i), o) in edges for i in own.inputs] for o in later])
    return weights.Level(own, share, drawn)


def diagram(
    network: Network, circuit: Circuit, thumbnails: Thumbnails | None = None, *, most: int = 12
) -> str:
    """Draw a circuit as a self-contained SVG document: features, edges, and their kernels.

    Lines are red for excitation and blue for inhibition, and as wide as their share of the squared
    weight; below a feature is the share of its weight that the circuit's edges have.

    Parameters
    ----------
    network, circuit, most
        As for `shown`.
    thumbnails
        A picture of each feature, by name.

    Raises
    ------
    InputError
        As `shown`.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> circuit = Circuit("mixed3b:9", ("mixed3a", "mixed3b"), [("mixed3a:5", "mixed3b:9")])
    >>> diagram(untrained("bvlc_googlenet"), circuit).startswith("<svg")
    True
    """
    return circuit_diagram(shown(network, circuit, most=most), thumbnails)
