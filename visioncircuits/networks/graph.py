"""The computation graph of a network: its places, read, edited and computed as far as asked.

Every reading of a network is one `Graph.run`: activations, single units, edits, edges. It works
on the graph alone: edits and selections of units are new nodes beside the traced ones, and what
is then asked for decides what is computed.
"""

from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import accumulate
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from visioncircuits import errors
from visioncircuits.errors import InputError
from visioncircuits.networks import identity
from visioncircuits.networks.evaluation import evaluating

INPUT = "input"
"""The place of what the network takes."""

OUTPUT = "output"
"""The place of what the network gives; `output.out`, `output.0` where it gives several."""


At = TypeVar("At", bound=Hashable)


@dataclass(frozen=True)
class Value:
    """What a node gives, as an argument of another."""

    node: Any


@dataclass(frozen=True)
class Parameter:
    """A parameter or buffer of the module, as an argument; read anew in every run."""

    name: str


@dataclass(frozen=True)
class Batch:
    """A whole number that grows with the batch: `each · batch + rest`."""

    each: int
    rest: int


@dataclass(frozen=True)
class Module:
    """A module that could not be followed, as a node's function: it is called whole."""

    path: str


@dataclass(frozen=True)
class Given:
    """The edit of this index in a run, as a node's function."""

    index: int


@dataclass(frozen=True)
class Node:
    """One call of a torch function.

    Attributes
    ----------
    name
        The function's, without underscores.
    function
        What is called: a torch function, a `Module` that is a node as a whole, or an edit.
    args, kwargs
        As given, with `Value`, `Parameter` and `Batch` in the place of what runs decide.
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

    def taking(self, function: Callable[[Any], Any]) -> "Node":
        """Give the node with its inputs renamed."""

        def renamed(leaf: Any) -> Any:
            return Value(function(leaf.node)) if isinstance(leaf, Value) else leaf

        return replace(self, args=mapped(self.args, renamed), kwargs=mapped(self.kwargs, renamed))


@dataclass(frozen=True, eq=False)
class Edit:
    """A change of the values at a place, for all that follows.

    Attributes
    ----------
    place
        Its name.
    change
        From the values to what they become.
    """

    place: str
    change: Callable[[Tensor], Tensor]

    @property
    def plan(self) -> tuple[str, ...]:
        """What a run's plan depends on."""
        return "edit", self.place

    def record(self) -> dict[str, Any]:
        """Describe it, for a result's provenance."""
        return {"edit": self.place, "change": identity.function(self.change)}


@dataclass(frozen=True, eq=False)
class Replacement:
    """Values in the place of those that the network computes, which then are not computed."""

    place: str
    values: Tensor

    @property
    def plan(self) -> tuple[str, ...]:
        """What a run's plan depends on."""
        return "replacement", self.place

    def record(self) -> dict[str, Any]:
        """Describe it, for a result's provenance."""
        return {"replacement": self.place, "values": identity.tensor(self.values)}


@dataclass(frozen=True, eq=False)
class Rewiring:
    """A change of the values at a place, for one later place and nothing else.

    Attributes
    ----------
    source, target
        The places.
    change
        From the values of the source to what they become on the way to the target.
    merge
        From the target's values, and those that it would have if the source had changed, to
        what they become.
    """

    source: str
    change: Callable[[Tensor], Tensor]
    target: str
    merge: Callable[[Tensor, Tensor], Tensor]

    @property
    def plan(self) -> tuple[str, ...]:
        """What a run's plan depends on."""
        return "rewiring", self.source, self.target

    def record(self) -> dict[str, Any]:
        """Describe it, for a result's provenance."""
        return {
            "rewiring": [self.source, self.target],
            "change": [identity.function(self.change), identity.function(self.merge)],
        }


Change = Edit | Replacement | Rewiring

Key = tuple[int, ...]
"""A node's place in the order of a plan; traced nodes are `(index,)`."""


@dataclass(eq=False)
class Graph:
    """What a network computes for pictures of one size; `trace` makes it.

    Attributes
    ----------
    module
        Whose parameters are read.
    nodes
        In the order in which they were called.
    places
        Name to node.
    inner
        Names of operations inside modules that have no parts.
    opaque
        Modules that could not be followed: path to reason.
    failure
        What the module failed with, after the last of the nodes.
    """

    module: nn.Module
    nodes: list[Node]
    places: dict[str, int]
    inner: frozenset[str]
    opaque: dict[str, str]
    failure: Exception | None = None
    _plans: dict[Any, "_Plan"] = field(default_factory=dict, repr=False)

    @cached_property
    def varying(self) -> list[str]:
        """Places that depend on the network's input, without the insides of single modules.

        What the module gives is left out where it has a name beside.
        """
        named = {at for name, at in self.places.items() if not name.startswith(OUTPUT)}
        return [
            name
            for name, at in sorted(self.places.items(), key=lambda item: item[1])
            if self.nodes[at].varies
            and name != INPUT
            and name not in self.inner
            and self.nodes[at].shape
            and not (name.startswith(OUTPUT) and at in named)
        ]

    def same(self, one: str, other: str) -> bool:
        """Find out whether two names are of one place."""
        return one in self.places and self.places[one] == self.places.get(other)

    def depends(self, place: str, earlier: str) -> bool:
        """Find out whether a place is computed from an earlier one."""
        source, target = self.places[earlier], self.places[place]
        return source != target and source in ancestors([target], self._inputs)

    def _inputs(self, node: int) -> tuple[int, ...]:
        return self.nodes[node].inputs

    def branches(self, place: str, *, among: Collection[str]) -> dict[str, range]:
        """Give the units of a concatenation that come from each of its inputs; {} for others.

        Parameters
        ----------
        place
            Its name.
        among
            Places that may name an input.
        """
        found = {}
        for source, span in _spans(self.nodes[self.places[place]], self.nodes.__getitem__):
            name = next((name for name in among if self.places.get(name) == source), None)
            if name is None:
                return {}
            found[name] = span
        return found

    def run(
        self,
        inputs: Tensor,
        read: Sequence[str] = (),
        *,
        units: Mapping[str, Sequence[int]] | None = None,
        changes: Sequence[Change] = (),
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Compute places, and nothing that they do not need.

        Parameters
        ----------
        inputs
            What the module takes, preprocessed: `(batch, channels, height, width)`.
        read
            Places to give whole.
        units
            Places of which to give some units, without computing their siblings where that can
            be.
        changes
            Edits come first, in their order, then rewirings, which see them. Places are read as
            changed.

        Returns
        -------
        dict, dict
            The values of `read`; those of `units`, `(batch, len(units), …)`.

        Raises
        ------
        InputError
            For an unknown place, and a rewiring between places that do not depend on each other.
        """
        wanted = {place: tuple(indices) for place, indices in (units or {}).items()}
        asked = tuple(dict.fromkeys(read))
        key = asked, tuple(wanted.items()), tuple(change.plan for change in changes)
        if key not in self._plans:
            for place in (*asked, *wanted, *(name for c in changes for name in c.plan[1:])):
                if place not in self.places:
                    raise errors.unknown("layer", place, self.places)
            if len(self._plans) >= PLANS:
                self._plans.clear()
            self._plans[key] = _plan(self, asked, wanted, changes)
        plan = self._plans[key]
        values = plan.compute(inputs, changes)
        return (
            {name: values[at] for name, at in plan.whole.items()},
            {name: values[at] for name, at in plan.some.items()},
        )


PLANS = 64
"""How many ways of running a graph are remembered."""


@dataclass
class _Step:
    """A node of a plan, ready to be carried out."""

    key: Key
    function: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    recorded: bool
    copied: bool  # whether its first argument is copied before it is changed in place
    freed: tuple[Key, ...] = ()


@dataclass
class _Plan:
    """How to compute some places under some kinds of changes."""

    steps: list[_Step]
    whole: dict[str, Key]
    some: dict[str, Key]

    def compute(self, inputs: Tensor, changes: Sequence[Change]) -> dict[Key, Any]:
        values: dict[Key, Any] = {(0,): inputs}
        batch = len(inputs)

        def filled(leaf: Any) -> Any:
            kind = type(leaf)
            if kind is Value:
                return values[leaf.node]
            if kind is _Tensor:
                return leaf.read()
            return leaf.each * batch + leaf.rest if kind is Batch else leaf

        recording = torch.is_grad_enabled()
        for step in self.steps:
            args = [_filled(arg, filled) for arg in step.args]
            kwargs = {name: _filled(value, filled) for name, value in step.kwargs.items()}
            if step.copied:
                args[0] = args[0].clone()
            function = step.function
            if type(function) is Given:
                function = _given(changes[function.index], args)
            if step.recorded or not recording:
                result = function(*args, **kwargs)
            else:
                with torch.no_grad():
                    result = function(*args, **kwargs)
            values[step.key] = args[0] if result is None else result
            for key in step.freed:
                del values[key]
        return values


def _given(change: Change, args: list[Any]) -> Callable[..., Any]:
    match change:
        case Edit():
            return change.change
        case Replacement():
            return lambda: change.values
        case Rewiring():
            return change.change if len(args) == 1 else change.merge


class _Tensor:
    """A parameter or buffer of a module, without gradient."""

    def __init__(self, module: nn.Module, name: str) -> None:
        path, _, self.name = name.rpartition(".")
        self.owner = module.get_submodule(path)

    def read(self) -> Tensor:
        tensor: Tensor = getattr(self.owner, self.name)
        if tensor.is_inference() and not torch.is_inference_mode_enabled():
            return tensor.clone()  # which can take part in gradients
        return tensor.detach()


def _filled(value: Any, function: Callable[[Any], Any]) -> Any:
    kind = type(value)
    if kind is list or kind is tuple or kind is dict or kind is slice:
        return mapped(value, function)
    return function(value)


def mapped(values: Any, function: Callable[[Any], Any]) -> Any:
    """Apply a function to all leaves of nested arguments."""
    if isinstance(values, slice):
        return slice(*(mapped(v, function) for v in (values.start, values.stop, values.step)))
    if isinstance(values, tuple | list):
        found = [mapped(value, function) for value in values]
        return found if isinstance(values, list) else tuple(found)
    if isinstance(values, dict):
        return {key: mapped(value, function) for key, value in values.items()}
    return function(values)


def part(values: Any, path: Sequence[Any]) -> Any:
    """Take one tensor out of a nested result."""
    for key in path:
        values = (
            getattr(values, key)
            if hasattr(values, "_fields") and isinstance(key, str)
            else values[key]
        )
    return values


def rows(values: Tensor, indices: Tensor) -> Tensor:
    """Take some units of a value `(batch, units, …)`."""
    return values[:, indices.to(values.device)]


def first_rows(values: Tensor | None, indices: Tensor) -> Tensor | None:
    """Take some rows of a parameter."""
    return None if values is None else values[indices.to(values.device)]


def _plan(
    graph: Graph,
    asked: Sequence[str],
    units: Mapping[str, Sequence[int]],
    changes: Sequence[Change],
) -> _Plan:
    drawn = _Drawing(graph)
    for index, change in enumerate(changes):
        if not isinstance(change, Rewiring):
            drawn.edit(index, change)
    for index, change in enumerate(changes):
        if isinstance(change, Rewiring):
            drawn.rewire(index, change)
    whole = {name: drawn.at(name) for name in asked}
    computed = ancestors(whole.values(), drawn.inputs)
    some = {
        name: drawn.select(drawn.at(name), torch.tensor(indices), computed)
        for name, indices in units.items()
    }
    return _Plan(drawn.steps({*whole.values(), *some.values()}), whole, some)


class _Drawing:
    """A graph while edits and selections are drawn into it."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.nodes: dict[Key, Node] = {
            (index,): node.taking(lambda at: (at,)) for index, node in enumerate(graph.nodes)
        }
        self.latest: dict[int, Key] = {}
        self.selected: dict[tuple[Key, tuple[int, ...]], Key] = {}
        self.count = len(graph.nodes)

    def at(self, place: str) -> Key:
        """The node that gives a place's values as changed."""
        node = self.graph.places[place]
        return self.latest.get(node, (node,))

    def _insert(self, place: str, key: Key, node: Node) -> None:
        """Let all that takes a place's values take a new node's."""
        before = self.at(place)
        self.nodes = {
            name: other.taking(lambda at: key if at == before else at)
            if before in other.inputs
            else other
            for name, other in self.nodes.items()
        }
        self.nodes[key] = node
        self.latest[self.graph.places[place]] = key

    def edit(self, index: int, change: Edit | Replacement) -> None:
        before = self.at(change.place)
        args = (Value(before),) if isinstance(change, Edit) else ()
        shape = self.nodes[before].shape
        node = Node("edit", Given(index), args, {}, varies=True, shape=shape)
        self._insert(change.place, (self.graph.places[change.place], index + 1), node)

    def rewire(self, index: int, change: Rewiring) -> None:
        source, target = self.at(change.source), self.at(change.target)
        path = between(source, target, self.inputs)
        if len(path) < 2:
            raise InputError(
                f"{change.target} does not depend on {change.source}; name sources of an earlier "
                "layer"
            )
        start = (target[0], len(self.graph.nodes) + index)
        copies: dict[Key, Key] = {key: (*start, number) for number, key in enumerate(path, start=1)}
        changed = Node("edit", Given(index), (Value(source),), {}, varies=True)
        merged = Node(
            "edit", Given(index), (Value(target), Value(copies[target])), {}, varies=True,
            shape=self.nodes[target].shape,
        )  # fmt: skip
        added = {
            copies[key]: self.nodes[key].taking(lambda at: copies.get(at, at)) for key in path[1:]
        }
        self._insert(change.target, (*start, len(copies) + 1), merged)
        self.nodes[copies[source]] = changed
        self.nodes.update(added)

    def inputs(self, key: Key) -> tuple[Key, ...]:
        return self.nodes[key].inputs

    def _added(self, node: Node) -> Key:
        key = (self.count,)
        self.count += 1
        self.nodes[key] = node
        return key

    def select(self, key: Key, units: Tensor, computed: set[Key]) -> Key:
        """Draw what computes some units of a node's value.

        They are taken from the whole of it where it is computed anyway, edited, or an operation
        that mixes units.
        """
        known = key, tuple(units.tolist())
        if known not in self.selected:
            node = None if key in computed else self._selected(self.nodes[key], units, computed)
            self.selected[known] = self._added(
                node or Node("units", rows, (Value(key), units), {}, fresh=True, varies=True)
            )
        return self.selected[known]

    def _selected(self, node: Node, units: Tensor, computed: set[Key]) -> Node | None:
        """Give the node that computes some units alone; None where there is none."""
        if len(node.shape) not in (2, 4):
            return None

        def few(value: Any) -> Any:
            return Value(self.select(value.node, units, computed))

        def some(value: Any) -> Any:
            if value is None:
                return None
            return Value(self._added(Node("rows", first_rows, (value, units), {}, fresh=True)))

        shape = (node.shape[0], len(units), *node.shape[2:])
        args = node.args
        first = self.nodes[args[0].node] if args and isinstance(args[0], Value) else None
        like = first is not None and first.shape[:2] == node.shape[:2]
        match node.name:
            case "cat":
                return self._from_branches(node, units, computed)
            case "conv2d":
                given = _bound(node, "input weight bias stride padding dilation groups")
                groups = given.pop("groups", 1)
                depthwise = like and groups == node.shape[1] > 1
                if groups != 1 and not depthwise:
                    return None
                given["weight"], given["bias"] = some(given["weight"]), some(given.get("bias"))
                if depthwise:
                    given |= {"input": few(given["input"]), "groups": len(units)}
                return replace(node, args=(), kwargs=given, shape=shape)
            case "linear" if len(node.shape) == 2:
                given = _bound(node, "input weight bias")
                given["weight"], given["bias"] = some(given["weight"]), some(given.get("bias"))
                return replace(node, args=(), kwargs=given, shape=shape)
            case "batch_norm" if like:
                names = "input running_mean running_var weight bias training momentum eps"
                given = _bound(node, names)
                if given.get("training") or given["running_mean"] is None:
                    return None
                for name in ("running_mean", "running_var", "weight", "bias"):
                    given[name] = some(given.get(name))
                return replace(
                    node, args=(), kwargs={**given, "input": few(given["input"])}, shape=shape
                )
            case "flatten" if first and like and first.shape[2:] == (1, 1) and len(shape) == 2:
                return replace(node, args=(few(args[0]), *args[1:]), shape=shape)
            case name if like and name in BY_UNIT and not _tensors(args[1:], node.kwargs):
                return replace(node, args=(few(args[0]), *args[1:]), shape=shape)
            case "add" | "sub" | "mul" if len(args) == 2 and isinstance(args[1], Value):
                if self.nodes[args[1].node].shape == node.shape == (first and first.shape):
                    return replace(node, args=(few(args[0]), few(args[1])), shape=shape)
        return None

    def _from_branches(self, node: Node, units: Tensor, computed: set[Key]) -> Node | None:
        """Share a concatenation's units out to its branches."""
        spans = _spans(node, self.nodes.__getitem__)
        if not spans:
            return None
        parts, places = [], []
        for branch, span in spans:
            own = ((units >= span.start) & (units < span.stop)).nonzero().flatten()
            if len(own):
                parts.append(Value(self.select(branch, units[own] - span.start, computed)))
                places.append(own)
        order = torch.cat(places).argsort()
        if len(parts) == 1:
            return Node("units", rows, (parts[0], order), {}, fresh=True, varies=True)
        joined = self._added(Node("cat", torch.cat, (parts, 1), {}, fresh=True, varies=True))
        if torch.equal(order, torch.arange(len(order))):
            return self.nodes[joined]
        return Node("units", rows, (Value(joined), order), {}, fresh=True, varies=True)

    def steps(self, wanted: set[Key]) -> list[_Step]:
        """Put what is needed in order, and decide what is freed and copied on the way."""
        order = [key for key in sorted(ancestors(wanted, self.inputs)) if key != (0,)]
        last: dict[Key, Key] = {}
        used = Counter(wanted)
        for key in order:
            for source in self.nodes[key].inputs:
                last[source] = key
                used[source] += 1
        for key in wanted:
            last[key] = (self.count,)
        steps = []
        for key in order:
            node = self.nodes[key]
            copied = node.inplace and not self._spare(node, used)
            function = node.function
            if function in (F.relu, torch.relu) and self._spare(node, used):
                # It takes over its input's memory, which is a pass over it less.
                function, node = torch.relu_, replace(node, args=node.args[:1], kwargs={})
            if isinstance(function, Module):
                function = _Whole(self.graph.module.get_submodule(function.path))
            freed = tuple(source for source in node.inputs if last[source] == key)
            if key not in last:
                freed += (key,)
            args, kwargs = mapped((node.args, node.kwargs), self._leaf)
            steps.append(_Step(key, function, args, kwargs, node.recorded, copied, freed))
        return steps

    def _leaf(self, leaf: Any) -> Any:
        return _Tensor(self.graph.module, leaf.name) if isinstance(leaf, Parameter) else leaf

    def _spare(self, node: Node, used: Counter[Key]) -> bool:
        """Whether what a node changes in place is of no use to anything else, nor to gradients."""
        if not node.args or not isinstance(node.args[0], Value):
            return False
        source = self.nodes[node.args[0].node]
        own = source.fresh or source.inplace  # what works in place has a copy, or took it over
        return own and source.name in FORGETS_ITS_VALUE and used[node.args[0].node] == 1


class _Whole:
    """A module that is called as it is, in evaluation and frozen meanwhile."""

    def __init__(self, module: nn.Module) -> None:
        self.module = module

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        args, kwargs = mapped((args, kwargs), _contiguous)  # it may ask for rows one after another
        with evaluating(self.module):
            return self.module(*args, **kwargs)


def _contiguous(value: Any) -> Any:
    return value.contiguous() if isinstance(value, Tensor) else value


FORGETS_ITS_VALUE = {"add", "batch_norm", "cat", "conv2d", "linear"}
"""Functions whose gradient does not need their value."""

BY_UNIT = {
    "adaptive_avg_pool2d", "adaptive_max_pool2d", "avg_pool2d", "celu", "clamp", "contiguous",
    "dropout", "elu", "gelu", "hardsigmoid", "hardswish", "hardtanh", "identity", "interpolate",
    "leaky_relu", "max_pool2d", "mish", "relu", "relu6", "selu", "sigmoid", "silu", "softplus",
    "tanh",
}  # fmt: skip
"""Functions that give each unit from the same unit of their first argument."""


def ancestors(ends: Iterable[At], inputs: Callable[[At], Iterable[At]]) -> set[At]:
    """List what some nodes depend on, themselves among them."""
    found: set[At] = set()
    stack = list(ends)
    while stack:
        at = stack.pop()
        if at not in found:
            found.add(at)
            stack.extend(inputs(at))
    return found


def between(source: At, target: At, inputs: Callable[[At], Iterable[At]]) -> list[At]:
    """List the nodes on the paths from one to another, both among them; [] if there is none.

    Nodes sort in the order in which they are computed.
    """
    before: list[At] = sorted(ancestors([target], inputs))  # type: ignore[type-var]
    reached = {source}
    for at in before:
        if not reached.isdisjoint(inputs(at)):
            reached.add(at)
    return [at for at in before if at in reached] if target in reached else []


def _spans(node: Node, at: Callable[[Any], Node]) -> list[tuple[Any, range]]:
    """Give the inputs of a concatenation of units, and the units of each; [] for other nodes."""
    given = _bound(node, "tensors dim")
    if node.name != "cat" or given.get("dim", 0) not in (1, 1 - len(node.shape)):
        return []
    if not all(isinstance(value, Value) and at(value.node).shape for value in given["tensors"]):
        return []
    widths = [at(value.node).shape[1] for value in given["tensors"]]
    ends = accumulate(widths)
    spans = [range(end - width, end) for end, width in zip(ends, widths, strict=True)]
    return [(value.node, span) for value, span in zip(given["tensors"], spans, strict=True)]


def _bound(node: Node, names: str) -> dict[str, Any]:
    """Give a node's arguments by name."""
    return {**dict(zip(names.split(), node.args, strict=False)), **node.kwargs}


def _tensors(*values: Any) -> bool:
    found: list[Any] = []
    mapped(values, found.append)
    return any(isinstance(leaf, Value | Parameter | Tensor) for leaf in found)
