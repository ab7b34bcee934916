"""The nodes of a computation graph: calls of torch functions on the values of other nodes."""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate
from typing import Any, TypeVar

from visioncircuits.networks.nested import mapped

At = TypeVar("At", bound=Hashable)


@dataclass(frozen=True)
class Value:
    """The value of a node, as an argument of another."""

    node: Any


@dataclass(frozen=True)
class Parameter:
    """A parameter or buffer of the module, as an argument; read anew in every run."""

    name: str


@dataclass(frozen=True)
class BatchSize:
    """A whole number that grows with the batch, as an argument: `each · batch + rest`."""

    each: int
    rest: int


@dataclass(frozen=True)
class ModuleCall:
    """A module that could not be traced, as a node's function: it is called as a whole."""

    path: str


@dataclass(frozen=True)
class ChangeAt:
    """The change of this index among the changes of a run, as a node's function."""

    index: int


@dataclass(frozen=True)
class Node:
    """One call of a torch function.

    Attributes
    ----------
    name
        The function's, without underscores.
    function
        What is called: a torch function, a `ModuleCall`, or a `ChangeAt`.
    args, kwargs
        As passed, with `Value`, `Parameter` and `BatchSize` in the place of what differs between
        runs.
    inplace
        Whether it changes its first argument in place.
    recorded
        Whether gradients flow through it.
    varies
        Whether it depends on the network's input.
    fresh
        Whether its value has memory of its own, shared with no input.
    shape
        Of the value, on a batch of two; () where it is not one tensor.
    """

    name: str
    function: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    inplace: bool = False
    recorded: bool = True
    varies: bool = False
    fresh: bool = False
    shape: tuple[int, ...] = ()

    @cached_property
    def inputs(self) -> tuple[Any, ...]:
        """The nodes whose values it takes."""
        found: list[Any] = []
        mapped((self.args, self.kwargs), lambda leaf: found.append(leaf))
        return tuple(dict.fromkeys(leaf.node for leaf in found if isinstance(leaf, Value)))

    def with_inputs(self, function: Callable[[Any], Any]) -> "Node":
        """Return the node with a function applied to the names of its inputs."""

        def renamed(leaf: Any) -> Any:
            return Value(function(leaf.node)) if isinstance(leaf, Value) else leaf

        return replace(self, args=mapped(self.args, renamed), kwargs=mapped(self.kwargs, renamed))

    def arguments(self, names: str) -> dict[str, Any]:
        """Return the arguments by name, where `names` lists those of the function in order."""
        return {**dict(zip(names.split(), self.args, strict=False)), **self.kwargs}


def ancestors(ends: Iterable[At], inputs: Callable[[At], Iterable[At]]) -> set[At]:
    """Return all nodes that some nodes depend on, and these nodes."""
    found: set[At] = set()
    stack = list(ends)
    while stack:
        at = stack.pop()
        if at not in found:
            found.add(at)
            stack.extend(inputs(at))
    return found


def between(source: At, target: At, inputs: Callable[[At], Iterable[At]]) -> list[At]:
    """Return the nodes on all paths from one node to another, both included; [] without a path.

    Nodes must sort in the order in which they are computed.
    """
    before: list[At] = sorted(ancestors([target], inputs))  # type: ignore[type-var]
    reached = {source}
    for at in before:
        if not reached.isdisjoint(inputs(at)):
            reached.add(at)
    return [at for at in before if at in reached] if target in reached else []


def concatenated(node: Node, at: Callable[[Any], Node]) -> list[tuple[Any, range]]:
    """Return the inputs of a concatenation of units, each with its units; [] for other nodes."""
    given = node.arguments("tensors dim")
    if node.name != "cat" or given.get("dim", 0) not in (1, 1 - len(node.shape)):
        return []
    if not all(isinstance(value, Value) and at(value.node).shape for value in given["tensors"]):
        return []
    widths = [at(value.node).shape[1] for value in given["tensors"]]
    ends = accumulate(widths)
    spans = [range(end - width, end) for end, width in zip(ends, widths, strict=True)]
    return [(value.node, span) for value, span in zip(given["tensors"], spans, strict=True)]


def pair(values: Any) -> tuple[int, int]:
    """Read an argument such as a stride: one whole number for both axes, or one for each.

    Examples
    --------
    >>> pair(2), pair([1, 2])
    ((2, 2), (1, 2))
    """
    values = [values] if isinstance(values, int) else list(values)
    return (values[-2], values[-1]) if len(values) > 1 else (values[0], values[0])
