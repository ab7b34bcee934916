"""Nodes joined: a convolution takes in the batch norm, the sum and the rectifier that follow it.

Only values that nothing else takes disappear, so that places that are read or edited stay.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch.nn import functional as F

from visioncircuits.networks.convolution import Kernel, convolution
from visioncircuits.networks.cropping import part_of
from visioncircuits.networks.edited_nodes import Key
from visioncircuits.networks.nodes import Node, Parameter, Value, ancestors
from visioncircuits.networks.unit_selection import BATCH_NORM, CONVOLUTION, parameter_rows

CONSTANT = {Kernel, parameter_rows}
"""Functions whose value depends on parameters alone."""

_RECTIFIERS = (F.relu, torch.relu, torch.relu_, torch.Tensor.relu, torch.Tensor.relu_)
_PASSING = {torch.cat, torch.concat, *_RECTIFIERS, F.max_pool2d, torch.max_pool2d, F.avg_pool2d,
            F.adaptive_avg_pool2d, F.dropout, part_of}  # fmt: skip
"""Functions whose values are finite where their inputs are."""

_SUMS = (torch.add, torch.Tensor.add, torch.Tensor.add_, torch.Tensor.__add__,
         torch.Tensor.__iadd__)  # fmt: skip


@dataclass
class _Joined:
    """A convolution and what it has taken in so far: the nodes' keys, the last of them its own."""

    keys: list[Key]
    given: dict[str, Any]
    norm: tuple[Any, ...] | None = None
    other: Value | None = None
    rectified: bool = False


def fused(nodes: Mapping[Key, Node], wanted: set[Key]) -> dict[Key, Node]:
    """Return nodes with the same values of those that are wanted.

    Parameters
    ----------
    nodes
        All there are.
    wanted
        Whose values are kept.
    """
    order = sorted(ancestors(wanted, lambda at: nodes[at].inputs))
    used = Counter(wanted)
    for key in order:
        used.update(nodes[key].inputs)
    joined: dict[Key, _Joined] = {}  # by the key of the last node
    for key in order:
        if (start := _started(key, nodes)) is not None:
            joined[key] = start
            continue
        for source in reversed(nodes[key].inputs):
            part = joined.get(source)
            if part is None or used[source] > 1 or nodes[source].recorded != nodes[key].recorded:
                continue
            if _take(part, source, nodes[key], nodes):
                part.keys.append(key)
                joined[key] = joined.pop(source)
                break
    made = dict(nodes)
    finite: set[Key] = set()  # if the network's parameters and checked values are
    for key in order:
        part = joined.get(key)
        if part is not None and len(part.keys) > 1:
            sources = {value.node for value in (part.given["input"], part.other) if value}
            made |= _nodes(part, nodes[key], checked=not sources <= finite)
            finite.add(key)
        elif nodes[key].function in _PASSING and finite.issuperset(nodes[key].inputs):
            finite.add(key)
    return made


def _started(key: Key, nodes: Mapping[Key, Node]) -> _Joined | None:
    """Begin with a convolution, if a node is one whose parameters are the module's own."""
    node = nodes[key]
    if node.function is not torch.conv2d or len(node.shape) != 4:
        return None
    given = {"bias": None, "stride": 1, "padding": 0, "dilation": 1, "groups": 1}
    given |= node.arguments(CONVOLUTION)
    sides = [_pair(given[name]) for name in ("stride", "padding", "dilation")]
    if None in sides or not isinstance(given["groups"], int):
        return None
    if not isinstance(given["input"], Value) or not _constant(nodes, given, "weight", "bias"):
        return None
    given |= dict(zip(("stride", "padding", "dilation"), sides, strict=True))
    return _Joined([key], given)


def _take(part: _Joined, source: Key, node: Node, nodes: Mapping[Key, Node]) -> bool:
    """Take a node in, if it is one that can follow."""
    if part.rectified:
        return False
    if node.function is F.batch_norm and part.norm is None and part.other is None:
        given = {"weight": None, "bias": None, "training": False, "eps": 1e-5}
        given |= node.arguments(BATCH_NORM)
        names = "running_mean", "running_var", "weight", "bias"
        known = given["running_mean"] is not None and given["running_var"] is not None
        if given["training"] or not known or not _constant(nodes, given, *names):
            return False
        part.norm = (*(given[name] for name in names), given["eps"])
        return True
    if node.function in _SUMS and part.other is None and len(node.args) == 2 and not node.kwargs:
        others = [a for a in node.args if isinstance(a, Value) and a.node != source]
        if len(others) != 1 or nodes[others[0].node].shape != node.shape:
            return False
        part.other = others[0]
        return True
    part.rectified = node.function in _RECTIFIERS
    return part.rectified


def _nodes(part: _Joined, last: Node, *, checked: bool) -> dict[Key, Node]:
    """Return the kernel, in the place of the convolution, and the call in that of the last node."""
    given = part.given
    how = (given[name] for name in ("stride", "padding", "dilation", "groups"))
    kernel = Node("kernel", Kernel, (given["weight"], given["bias"], part.norm, *how), {})
    args = (given["input"], Value(part.keys[0]), part.other, part.rectified, checked)
    name = "convolution" if part.rectified else "conv2d"
    call = replace(
        last, name=name, function=convolution, args=args, kwargs={}, inplace=False, fresh=True
    )
    return {part.keys[0]: kernel, part.keys[-1]: call}


def _constant(nodes: Mapping[Key, Node], given: Mapping[str, Any], *names: str) -> bool:
    """Check whether arguments are parameters, rows of some, or missing."""
    return all(
        given[name] is None
        or isinstance(given[name], Parameter)
        or (isinstance(given[name], Value) and nodes[given[name].node].function in CONSTANT)
        for name in names
    )


def _pair(value: Any) -> tuple[int, int] | None:
    """Read one whole number for both axes, or two; None for anything else."""
    pair = (value, value) if isinstance(value, int) else value
    if isinstance(pair, list | tuple) and all(type(side) is int for side in pair):
        return (pair[0], pair[-1])
    return None
