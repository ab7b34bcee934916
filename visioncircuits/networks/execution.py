"""Running nodes in order: what is freed, copied and computed in place on the way."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from visioncircuits.networks.edited_nodes import Key
from visioncircuits.networks.edits import Change, Edit, Replacement, Rewiring
from visioncircuits.networks.evaluation import evaluating
from visioncircuits.networks.fusion import CONSTANT
from visioncircuits.networks.nested import mapped
from visioncircuits.networks.nodes import (
    BatchSize,
    ChangeAt,
    ModuleCall,
    Node,
    Parameter,
    Value,
    ancestors,
)

FORGETS_ITS_VALUE = {"add", "batch_norm", "cat", "conv2d", "linear"}
"""Functions whose gradient does not need their value."""


@dataclass
class Step:
    """A node of a plan, ready to run."""

    key: Key
    function: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    recorded: bool
    copied: bool  # whether its first argument is copied before it is changed in place
    constant: bool  # whether its value depends on parameters alone
    freed: tuple[Key, ...] = ()


@dataclass(eq=False)
class Plan:
    """How to compute some places, and units of some, under some kinds of changes."""

    steps: list[Step]
    places: dict[str, Key]
    units: dict[str, Key]

    def compute(
        self, inputs: Tensor, changes: Sequence[Change], kept: dict[Key, Any]
    ) -> dict[Key, Any]:
        """Run the steps and return the values that were not freed.

        What depends on parameters alone is taken from `kept`, or added to it.
        """
        values: dict[Key, Any] = {(0,): inputs}
        batch = len(inputs)

        def filled(leaf: Any) -> Any:
            kind = type(leaf)
            if kind is Value:
                return values[leaf.node]
            if kind is _Tensor:
                return leaf.read()
            return leaf.each * batch + leaf.rest if kind is BatchSize else leaf

        recording = torch.is_grad_enabled()
        for step in self.steps:
            if step.constant and step.key in kept:
                values[step.key] = kept[step.key]
                for key in step.freed:
                    del values[key]
                continue
            args = [_filled(arg, filled) for arg in step.args]
            kwargs = {name: _filled(value, filled) for name, value in step.kwargs.items()}
            if step.copied:
                args[0] = args[0].clone()
            function = step.function
            if type(function) is ChangeAt:
                function = _changing(changes[function.index], args)
            if step.recorded or not recording:
                result = function(*args, **kwargs)
            else:
                with torch.no_grad():
                    result = function(*args, **kwargs)
            values[step.key] = args[0] if result is None else result
            if step.constant:
                kept[step.key] = values[step.key]
            for key in step.freed:
                del values[key]
        return values


def steps(nodes: Mapping[Key, Node], wanted: set[Key], module: nn.Module) -> list[Step]:
    """Put all nodes that some need in order, and decide what is freed and copied on the way.

    Parameters
    ----------
    nodes
        All there are.
    wanted
        Whose values are kept to the end.
    module
        Whose parameters are read.
    """

    def leaf(value: Any) -> Any:
        return _Tensor(module, value.name) if isinstance(value, Parameter) else value

    order = [key for key in sorted(ancestors(wanted, lambda at: nodes[at].inputs)) if key != (0,)]
    last: dict[Key, Key | None] = {}
    used = Counter(wanted)
    for key in order:
        for source in nodes[key].inputs:
            last[source] = key
            used[source] += 1
    for key in wanted:
        last[key] = None
    found = []
    for key in order:
        node = nodes[key]
        copied = node.inplace and not _spare(node, nodes, used)
        function = node.function
        if function in (F.relu, torch.relu) and _spare(node, nodes, used):
            # reuses its input's memory, which saves a pass over it
            function, node = torch.relu_, replace(node, args=node.args[:1], kwargs={})
        if isinstance(function, ModuleCall):
            function = _Frozen(module.get_submodule(function.path))
        freed = tuple(source for source in node.inputs if last[source] == key)
        if key not in last:
            freed += (key,)
        args, kwargs = mapped((node.args, node.kwargs), leaf)
        constant = function in CONSTANT
        found.append(Step(key, function, args, kwargs, node.recorded, copied, constant, freed))
    return found


def _spare(node: Node, nodes: Mapping[Key, Node], used: Counter[Key]) -> bool:
    """Whether neither another node nor a gradient needs what a node changes in place."""
    if not node.args or not isinstance(node.args[0], Value):
        return False
    source = nodes[node.args[0].node]
    own = source.fresh or source.inplace  # what works in place has a copy, or reused its input
    return own and source.name in FORGETS_ITS_VALUE and used[node.args[0].node] == 1


def _changing(change: Change, args: list[Any]) -> Callable[..., Any]:
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


class _Frozen:
    """A module that is called as a whole, in evaluation mode and frozen meanwhile."""

    def __init__(self, module: nn.Module) -> None:
        self.module = module

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        args, kwargs = mapped((args, kwargs), _contiguous)  # the module may require it
        with evaluating(self.module):
            return self.module(*args, **kwargs)


def _contiguous(value: Any) -> Any:
    return value.contiguous() if isinstance(value, Tensor) else value


def _filled(value: Any, function: Callable[[Any], Any]) -> Any:
    kind = type(value)
    if kind is list or kind is tuple or kind is dict or kind is slice:
        return mapped(value, function)
    return function(value)
