"""A circuit: features of several layers, and the edges between them that it is made of."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from visioncircuits import files
from visioncircuits.errors import InputError
from visioncircuits.networks import Direction, Feature, parse

REST = "rest"
"""The node of what a place's features leave of it: the error term of a dictionary."""


class Edge(NamedTuple):
    """A connection from an earlier feature to a later one, by their names.

    Examples
    --------
    >>> Edge("conv2d2:7", "mixed3a:9")
    Edge(source='conv2d2:7', target='mixed3a:9')
    """

    source: str
    target: str

    def __str__(self) -> str:
        return f"{self.source} → {self.target}"


@dataclass(frozen=True, repr=False)
class Circuit:
    """Features at places of a network, and the edges between them that lead to one feature.

    It is a claim, which `run` and `evaluate` test: all other edges are ablated. `weights.Circuit`
    is another thing, a diagram of the largest weights.

    Attributes
    ----------
    target
        The feature that it explains.
    places
        Names of layers, the earliest first; the last is the target's.
    edges
        From features of one place to features of a later one. `mixed3a:rest` is what the
        features of a place leave of it.
    directions
        The features at the ends of edges that are no units, such as the atoms of a dictionary.
    record
        How it was found, as plain data.

    Raises
    ------
    InputError
        For an edge whose ends are at no places, or in the wrong order, or the same edge twice.

    Examples
    --------
    >>> found = Circuit("mixed3b:9", ("mixed3a", "mixed3b"), [("mixed3a:5", "mixed3b:9")])
    >>> found
    Circuit(mixed3b:9: 1 of mixed3a → 1 of mixed3b, 1 edge)
    >>> found.edges
    (Edge(source='mixed3a:5', target='mixed3b:9'),)
    """

    target: Feature
    places: tuple[str, ...]
    edges: tuple[Edge, ...]
    directions: tuple[Direction, ...] = ()
    record: Mapping[str, Any] = field(default_factory=dict, compare=False)

    def __init__(
        self,
        target: str | Feature,
        places: Iterable[str],
        edges: Iterable[tuple[str, str]],
        directions: Iterable[Direction] = (),
        record: Mapping[str, Any] | None = None,
    ) -> None:
        # a frozen dataclass sets its own fields this way
        values = {
            "target": parse(target),
            "places": tuple(places),
            "edges": tuple(Edge(*edge) for edge in edges),
            "directions": tuple(directions),
            "record": dict(record or {}),
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)
        self._check()

    def _check(self) -> None:
        if len(self.places) < 2 or self.places[-1] != self.target.layer:
            raise InputError(
                f"the places of a circuit are two or more layers, of which the last is that of "
                f"{self.target}; not {', '.join(self.places) or 'none'}"
            )
        if len(set(self.edges)) < len(self.edges):
            raise InputError("an edge is in the circuit twice; name each once")
        order = {place: number for number, place in enumerate(self.places)}
        for edge in self.edges:
            if order[self.place(edge.source)] >= order[self.place(edge.target)]:
                raise InputError(f"the edge {edge} leads to no later place; turn it around")

    def __repr__(self) -> str:
        columns = " → ".join(f"{len(nodes)} of {place}" for place, nodes in self.nodes.items())
        count = len(self.edges)
        return f"Circuit({self.target}: {columns}, {count} edge{'' if count == 1 else 's'})"

    def place(self, node: str) -> str:
        """Return the place that a node is at.

        Raises
        ------
        InputError
            Where it is at none of the circuit's.
        """
        found = [place for place in self.places if node.startswith(f"{place}:")]
        if not found:
            raise InputError(f"{node} is at none of the places {', '.join(self.places)}")
        return max(found, key=len)

    @property
    def nodes(self) -> dict[str, tuple[str, ...]]:
        """The names of the features at each place, in the order of the edges.

        Examples
        --------
        >>> edges = [("conv2d2:5", "mixed3a:7"), ("mixed3a:7", "mixed3b:9")]
        >>> Circuit("mixed3b:9", ("conv2d2", "mixed3a", "mixed3b"), edges).nodes["mixed3a"]
        ('mixed3a:7',)
        """
        found: dict[str, dict[str, None]] = {place: {} for place in self.places}
        found[self.places[-1]][str(self.target)] = None
        for edge in self.edges:
            for node in edge:
                found[self.place(node)][node] = None
        return {place: tuple(nodes) for place, nodes in found.items()}

    def pruned(self) -> "Circuit":
        """Return the circuit without the edges from which no path leads to its target.

        They change nothing: an edge outside the circuit carries none of what they carry.

        Examples
        --------
        >>> edges = [("conv2d2:5", "mixed3a:7"), ("mixed3a:8", "mixed3b:9")]
        >>> Circuit("mixed3b:9", ("conv2d2", "mixed3a", "mixed3b"), edges).pruned().edges
        (Edge(source='mixed3a:8', target='mixed3b:9'),)
        """
        into: dict[str, list[str]] = {}
        for source, target in self.edges:
            into.setdefault(target, []).append(source)
        live, waiting = {str(self.target)}, [str(self.target)]
        while waiting:
            for source in into.get(waiting.pop(), ()):
                if source not in live:
                    live.add(source)
                    waiting.append(source)
        kept = [edge for edge in self.edges if edge.target in live]
        return Circuit(self.target, self.places, kept, self.directions, self.record)

    def save(self, path: str | Path) -> Path:
        """Write it to a `.json` file, whole or not at all.

        Raises
        ------
        InputError
            For another suffix, or where it cannot be written.

        Examples
        --------
        >>> import tempfile
        >>> found = Circuit("mixed3b:9", ("mixed3a", "mixed3b"), [("mixed3a:5", "mixed3b:9")])
        >>> Circuit.load(found.save(Path(tempfile.mkdtemp(), "circuit.json"))) == found
        True
        """
        content = {
            "target": self.target.record(),
            "places": list(self.places),
            "edges": [list(edge) for edge in self.edges],
            "directions": [each.record() for each in self.directions],
            "record": dict(self.record),
        }
        return files.write_json(path, content, indent=1)

    @classmethod
    def load(cls, path: str | Path) -> "Circuit":
        """Read a circuit that `save` wrote, or that was written by hand.

        A file by hand needs `target`, `places` and `edges` only.

        Raises
        ------
        InputError
            Where the file is missing, or holds no circuit.
        """
        try:
            content = json.loads(Path(path).read_text("utf-8"))
            directions = [parse(each) for each in content.get("directions", ())]
            return cls(
                parse(content["target"]),
                content["places"],
                content["edges"],
                [each for each in directions if isinstance(each, Direction)],
                content.get("record"),
            )
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
        except InputError as error:
            raise InputError(f"{path} holds no circuit: {error}") from error
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise InputError(
                f"{path} holds no circuit; it is JSON with a target, places and edges"
            ) from error
