"""Candidates: the nodes of some places, and all edges between them, of which circuits are parts.

One class, which numbers edges for all others, and how it is made of a network, in some 330 lines.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from visioncircuits.circuits.circuit import REST, Circuit, Edge
from visioncircuits.circuits.columns import Atoms, Column, Target, Units, column
from visioncircuits.errors import InputError, unknown
from visioncircuits.networks import Feature, Features, Network
from visioncircuits.networks.edits import Replacement
from visioncircuits.weights import surroundings

if TYPE_CHECKING:
    from visioncircuits.dictionaries import Dictionary

Pair = tuple[int, int]
"""An earlier and a later place, by their numbers."""

Masks = Mapping[Pair, Float[Tensor, "sources targets"]]
"""For each pair of places which edges are as they are (1) and which are ablated (0)."""


@dataclass(frozen=True, eq=False, repr=False)
class Candidates:
    """The nodes that a circuit is chosen among, and all edges between them.

    Attributes
    ----------
    network
        Whose they are.
    target
        The feature that is explained.
    columns
        Of the places before it, the earliest first.
    pairs
        Places between which edges are: those that feed another directly, not only through a
        third. The number of the target's own place is that of columns.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> network = untrained("bvlc_googlenet")
    >>> candidates(network, "mixed3b:9", "conv2d2")
    Candidates(192 of conv2d2 → 256 of mixed3a → mixed3b:9, 49408 edges)
    """

    network: Network
    target: Target
    columns: tuple[Column, ...]
    pairs: tuple[Pair, ...]

    def __repr__(self) -> str:
        columns = "".join(f"{len(each.names)} of {each.layer} → " for each in self.columns)
        return f"Candidates({columns}{self.target.feature}, {len(self)} edges)"

    def __len__(self) -> int:
        return sum(rows * columns for rows, columns in self._shapes.values())

    @property
    def places(self) -> tuple[str, ...]:
        """The layers, the earliest first; the target's is the last."""
        return (*(each.layer for each in self.columns), self.target.layer)

    def names(self, place: int) -> tuple[str, ...]:
        """Return the names of a place's nodes, by its number."""
        return self.target.names if place == len(self.columns) else self.columns[place].names

    @cached_property
    def _shapes(self) -> dict[Pair, tuple[int, int]]:
        return {(a, b): (len(self.names(a)), len(self.names(b))) for a, b in self.pairs}

    @cached_property
    def edges(self) -> tuple[Edge, ...]:
        """All edges; scores and choices of edges are in this order."""
        return tuple(
            Edge(source, target)
            for a, b in self.pairs
            for source in self.names(a)
            for target in self.names(b)
        )

    @cached_property
    def numbers(self) -> dict[Edge, int]:
        """The place of each edge in this order."""
        return {edge: number for number, edge in enumerate(self.edges)}

    @cached_property
    def ends(self) -> tuple[np.ndarray, np.ndarray]:
        """The source and the target of each edge, as numbers of nodes over all places."""
        firsts = np.cumsum([0, *(len(self.names(at)) for at in range(len(self.columns) + 1))])
        grids = [
            np.meshgrid(
                firsts[a] + np.arange(self._shapes[a, b][0]),
                firsts[b] + np.arange(self._shapes[a, b][1]),
                indexing="ij",
            )
            for a, b in self.pairs
        ]
        sources, targets = (np.concatenate([grid[at].ravel() for grid in grids]) for at in (0, 1))
        return sources, targets

    @cached_property
    def pair_of(self) -> np.ndarray:
        """The number of each edge's pair of places."""
        sizes = [rows * columns for rows, columns in self._shapes.values()]
        return np.repeat(np.arange(len(sizes)), sizes)

    def masks(self, chosen: Bool[np.ndarray, " edges"]) -> Masks:
        """Return which edges are kept, pair by pair."""
        return self.divided(torch.from_numpy(np.asarray(chosen, dtype=np.float32)))

    def uniform(self, level: float) -> Masks:
        """Return one number for all edges: 1 is the network as it is, 0 nothing."""
        device = self.network.device
        return {pair: torch.full(size, level, device=device) for pair, size in self._shapes.items()}

    def divided(self, values: Float[Tensor, " edges"]) -> Masks:
        """Divide values by edge into those of each pair of places."""
        sizes = [rows * columns for rows, columns in self._shapes.values()]
        parts = torch.split(values.to(self.network.device), sizes)
        return {
            pair: part.reshape(size)
            for (pair, size), part in zip(self._shapes.items(), parts, strict=True)
        }

    def joined(self, values: Mapping[Pair, Tensor]) -> Tensor:
        """Put together what `divided` divides; leading axes stay."""
        return torch.cat([values[pair].flatten(-2) for pair in self.pairs], -1)

    def choice(self, edges: Iterable[tuple[str, str]]) -> Bool[np.ndarray, " edges"]:
        """Return which of all edges these are.

        Raises
        ------
        InputError
            For an edge that is none of the candidates.
        """
        chosen = np.zeros(len(self), dtype=bool)
        for edge in edges:
            number = self.numbers.get(Edge(*edge))
            if number is None:
                for node in edge:
                    known = {name for at in range(len(self.places)) for name in self.names(at)}
                    if node not in known:
                        raise unknown("feature", node, known)
                raise InputError(
                    f"the edge {Edge(*edge)} is none of the network's between these places"
                )
            chosen[number] = True
        return chosen

    def marked(self, numbers: Int[np.ndarray, " chosen"]) -> Bool[np.ndarray, " edges"]:
        """Return which of all edges have these numbers."""
        chosen = np.zeros(len(self), dtype=bool)
        chosen[numbers] = True
        return chosen

    def live(self, chosen: Bool[np.ndarray, " edges"]) -> Bool[np.ndarray, " edges"]:
        """Drop the edges from which no path of the chosen ones leads to the target."""
        sources, targets = self.ends
        reached = np.zeros(int(targets.max()) + 1, dtype=bool)
        reached[-1] = True
        kept = np.zeros_like(chosen)
        for number in sorted(range(len(self.pairs)), key=lambda at: -self.pairs[at][1]):
            here = (self.pair_of == number) & chosen & reached[targets]
            reached[sources[here]] = True
            kept |= here
        return kept

    def circuit(
        self, numbers: Int[np.ndarray, " chosen"], record: Mapping[str, object] | None = None
    ) -> Circuit:
        """Return the circuit of the edges of these numbers, in this order."""
        edges = [self.edges[number] for number in numbers]
        ends = {node for edge in edges for node in edge}
        directions = [
            each
            for place in self.columns
            if not isinstance(place, Units)
            for each in place.features
            if str(each) in ends and not isinstance(each.record(), str)
        ]
        return Circuit(
            self.target.feature,
            self.places,
            edges,
            directions,  # type: ignore[arg-type]
            record,
        )


def candidates(
    network: Network,
    target: str | Feature,
    source: str | Sequence[str],
    *,
    features: Mapping[str, Features] | None = None,
    dictionaries: Sequence["Dictionary"] = (),
) -> Candidates:
    """Return the nodes of some places before a feature, and all edges between them.

    Parameters
    ----------
    network
        Any.
    target
        The feature that is explained.
    source
        The earliest place, after which come all main layers up to the target's (see
        `weights.main_layers`); or all places before the target's, the earliest first. At a place
        that is normalized or pooled only afterwards, an edge leads through that too.
    features
        By layer: the features that are its nodes, instead of all of its units. What they leave of
        the layer is a node too.
    dictionaries
        Of which the atoms are the nodes of their layers, by their codes; the error of each is a
        node too.

    Raises
    ------
    InputError
        For unknown names, places that the target does not depend on, or are not in order, or
        features of a layer that is no place.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> network = untrained("bvlc_googlenet")
    >>> few = {"mixed3a": ["mixed3a:5", "mixed3a:7"]}
    >>> found = candidates(network, "mixed3b:9", ["conv2d2", "mixed3a"], features=few)
    >>> found.columns[1].names, len(found)
    (('mixed3a:5', 'mixed3a:7', 'mixed3a:rest'), 579)
    """
    asked = network.feature(target)
    places = _through(network, asked, source) if isinstance(source, str) else list(source)
    if not places:
        raise InputError("a circuit needs an earlier layer to begin at; name one")
    for number, layer in enumerate(places):
        if not network.depends(asked.layer, layer):
            raise InputError(f"{asked} does not depend on {layer}; name an earlier layer")
        if any(network.depends(before, layer) for before in places[:number]):
            raise InputError(f"{layer} comes before {places[number - 1]}; name places in order")
    given = {each.layer: each for each in dictionaries}
    named = dict(features or {})
    for layer in (*given, *named):
        if layer not in places:
            raise InputError(f"there are features of {layer}, which is none of the places")
    columns: list[Column] = []
    for layer in places:
        if layer in given:
            columns.append(Atoms(given[layer].to(network.device)))
        else:
            columns.append(column(network, layer, named.get(layer)))
    if any(len(network.layer(layer).shape) != 2 for layer in places):
        raise InputError("the places of a circuit have positions; name layers that have some")
    vector = asked.vector(network.layer(asked.layer).units).to(network.device)
    goal = Target(asked, vector)
    return Candidates(network, goal, tuple(columns), _pairs(network, columns, goal))


def candidates_of(
    network: Network, circuit: Circuit, dictionaries: Sequence["Dictionary"] = ()
) -> Candidates:
    """Return the candidates that a circuit is one choice of.

    At places where the circuit has directions these and the units that it names are the nodes, with
    the rest; everywhere else all units are.

    Raises
    ------
    InputError
        Where the network does not have the circuit's features.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> circuit = Circuit("mixed3b:9", ("mixed3a", "mixed3b"), [("mixed3a:5", "mixed3b:9")])
    >>> candidates_of(untrained("bvlc_googlenet"), circuit)
    Candidates(256 of mixed3a → mixed3b:9, 256 edges)
    """
    directions = {str(each): each for each in circuit.directions}
    covered = {each.layer for each in dictionaries}
    features: dict[str, list[str | Feature]] = {}
    for place, nodes in circuit.nodes.items():
        own = [node for node in nodes if node != f"{place}:{REST}"]
        some = any(node in directions for node in own) or len(own) < len(nodes)
        if place != circuit.places[-1] and place not in covered and some:
            features[place] = [directions.get(node, node) for node in own]
    return candidates(
        network,
        circuit.target,
        circuit.places[:-1],
        features=features,
        dictionaries=dictionaries,
    )


def _through(network: Network, target: Feature, source: str) -> list[str]:
    """Return a layer and the main layers between it and a feature."""
    first = network.layer(source).name
    between = [
        layer
        for layer in reversed(surroundings(network, target.layer).before)
        if network.depends(layer, first)
    ]
    return [first, *between]


def _pairs(network: Network, columns: Sequence[Column], target: Target) -> tuple[Pair, ...]:
    """Find which places feed which directly: with all others held, a gradient reaches them."""
    channels = network.preprocessing.channels
    picture = torch.rand(1, channels, network.size, network.size)
    layers = [each.layer for each in columns]
    values = network.activations(picture, layers)
    found = []
    with torch.enable_grad():
        for later, place in enumerate([*layers, target.layer]):
            before = [
                (at, values[layer].detach().clone().requires_grad_())
                for at, layer in enumerate(layers[:later])
                if network.depends(place, layer)
            ]
            if not before:
                continue
            changes = [Replacement(layers[at], leaf) for at, leaf in before]
            if later < len(layers):
                out = network.activations(picture, [place], changes=changes)[place]
            else:
                out = target.value(network, picture, changes)
            grads = torch.autograd.grad(out.sum(), [leaf for _, leaf in before], allow_unused=True)
            pairs = zip(before, grads, strict=True)
            found += [(at, later) for (at, _), grad in pairs if grad is not None]
    return tuple(found)
