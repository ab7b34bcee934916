"""A graph's nodes while those of a run's edits and selected units are added.

Edits and selections are new nodes beside the traced ones, so that the places that a run reads
decide what it computes.
"""

from collections.abc import Mapping, Sequence

from visioncircuits.errors import InputError
from visioncircuits.networks.edits import Edit, Replacement, Rewiring
from visioncircuits.networks.nodes import ChangeAt, Node, Value, between

Key = tuple[int, ...]
"""A node's position in the order of computation; traced nodes are `(index,)`."""


def keyed(nodes: Sequence[Node]) -> dict[Key, Node]:
    """Return traced nodes, in the order in which they were called, by key."""
    return {(index,): node.with_inputs(lambda at: (at,)) for index, node in enumerate(nodes)}


class EditedNodes:
    """The nodes of a graph, and those that are added for one kind of run.

    Parameters
    ----------
    nodes
        Traced, by `keyed`.
    places
        Name to node.
    """

    def __init__(self, nodes: Mapping[Key, Node], places: Mapping[str, int]) -> None:
        self.places = places
        self.traced = len(nodes)
        self.count = len(nodes)
        self.nodes = dict(nodes)
        self.latest: dict[int, Key] = {}

    def at(self, place: str) -> Key:
        """Return the node that computes a place's values, changes included."""
        node = self.places[place]
        return self.latest.get(node, (node,))

    def inputs(self, key: Key) -> tuple[Key, ...]:
        """Return the nodes whose values a node takes."""
        return self.nodes[key].inputs

    def add(self, node: Node) -> Key:
        """Add a node after all others."""
        key = (self.count,)
        self.count += 1
        self.nodes[key] = node
        return key

    def edit(self, index: int, change: Edit | Replacement) -> None:
        """Insert the change of this index after its place.

        Raises
        ------
        InputError
            Where it reads a place that is not computed before its own.
        """
        before = self.at(change.place)
        read = [self.at(place) for place in change.reads] if isinstance(change, Edit) else []
        if any(key > before for key in read):
            raise InputError(f"an edit of {change.place} can read earlier places only")
        args = (Value(before), *map(Value, read)) if isinstance(change, Edit) else ()
        shape = self.nodes[before].shape
        node = Node("edit", ChangeAt(index), args, {}, varies=True, shape=shape)
        self._insert(change.place, (self.places[change.place], index + 1), node)

    def rewire(self, index: int, change: Rewiring) -> None:
        """Insert the change of this index: a copy of all paths from its source to its target.

        Raises
        ------
        InputError
            Where the target does not depend on the source.
        """
        source, target = self.at(change.source), self.at(change.target)
        path = between(source, target, self.inputs)
        if len(path) < 2:
            raise InputError(
                f"{change.target} does not depend on {change.source}; name sources of an earlier "
                "layer"
            )
        start = (target[0], self.traced + index)
        copies: dict[Key, Key] = {key: (*start, number) for number, key in enumerate(path, start=1)}
        changed = Node("edit", ChangeAt(index), (Value(source),), {}, varies=True)
        merged = Node(
            "edit", ChangeAt(index), (Value(target), Value(copies[target])), {}, varies=True,
            shape=self.nodes[target].shape,
        )  # fmt: skip
        added = {
            copies[key]: self.nodes[key].with_inputs(lambda at: copies.get(at, at))
            for key in path[1:]
        }
        self._insert(change.target, (*start, len(copies) + 1), merged)
        self.nodes[copies[source]] = changed
        self.nodes.update(added)

    def _insert(self, place: str, key: Key, node: Node) -> None:
        """Add a node whose value replaces that of a place for all nodes that take it."""
        before = self.at(place)
        self.nodes = {
            name: other.with_inputs(lambda at: key if at == before else at)
            if before in other.inputs
            else other
            for name, other in self.nodes.items()
        }
        self.nodes[key] = node
        self.latest[self.places[place]] = key
