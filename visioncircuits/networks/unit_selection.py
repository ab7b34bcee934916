"""Computing single units of a layer without the layer's other units, where that is possible."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from visioncircuits.networks.edited_nodes import EditedNodes, Key
from visioncircuits.networks.nested import mapped
from visioncircuits.networks.nodes import Node, Parameter, Value, concatenated

BY_UNIT = {
    "adaptive_avg_pool2d", "adaptive_max_pool2d", "avg_pool2d", "celu", "clamp", "contiguous",
    "dropout", "elu", "gelu", "hardsigmoid", "hardswish", "hardtanh", "identity", "interpolate",
    "leaky_relu", "max_pool2d", "mish", "relu", "relu6", "selu", "sigmoid", "silu", "softplus",
    "tanh",
}  # fmt: skip
"""Functions that compute each unit from the same unit of their first argument."""


CONVOLUTION = "input weight bias stride padding dilation groups"
BATCH_NORM = "input running_mean running_var weight bias training momentum eps"
"""The arguments of two functions in order, as `Node.arguments` takes them."""


class UnitSelection:
    """Adds nodes that compute selected units.

    Parameters
    ----------
    edited
        Where nodes are added.
    computed
        Nodes that are computed whole anyway: their units are selected from the whole.
    """

    def __init__(self, edited: EditedNodes, computed: Collection[Key]) -> None:
        self.edited, self.computed = edited, computed
        self.selected: dict[tuple[Key, tuple[int, ...]], Key] = {}

    def select(self, key: Key, units: Tensor) -> Key:
        """Add what computes some units of a node's value, and return its node.

        They are selected from the whole value where that is computed anyway, was edited, or is
        computed by an operation that mixes units.
        """
        known = key, tuple(units.tolist())
        if known not in self.selected:
            node = None if key in self.computed else self._alone(self.edited.nodes[key], units)
            self.selected[known] = self.edited.add(node or self._rows(Value(key), units))
        return self.selected[known]

    def _alone(self, node: Node, units: Tensor) -> Node | None:
        """Return a node that computes some units alone; None where there is none."""
        if len(node.shape) not in (2, 4):
            return None

        def units_of(value: Any) -> Any:
            return Value(self.select(value.node, units))

        def rows_of(value: Any) -> Any:
            if value is None:
                return None
            node = Node("rows", parameter_rows, (value, units), {}, fresh=True)
            return Value(self.edited.add(node))

        nodes = self.edited.nodes
        shape = (node.shape[0], len(units), *node.shape[2:])
        args = node.args
        first = nodes[args[0].node] if args and isinstance(args[0], Value) else None
        like = first is not None and first.shape[:2] == node.shape[:2]
        match node.name:
            case "cat":
                return self._from_branches(node, units)
            case "conv2d":
                given = node.arguments(CONVOLUTION)
                groups = given.pop("groups", 1)
                depthwise = like and groups == node.shape[1] > 1
                if groups != 1 and not depthwise:
                    return None
                given["weight"], given["bias"] = (
                    rows_of(given["weight"]),
                    rows_of(given.get("bias")),
                )
                if depthwise:
                    given |= {"input": units_of(given["input"]), "groups": len(units)}
                return replace(node, args=(), kwargs=given, shape=shape)
            case "linear" if len(node.shape) == 2:
                given = node.arguments("input weight bias")
                given["weight"], given["bias"] = (
                    rows_of(given["weight"]),
                    rows_of(given.get("bias")),
                )
                return replace(node, args=(), kwargs=given, shape=shape)
            case "batch_norm" if like:
                given = node.arguments(BATCH_NORM)
                if given.get("training") or given["running_mean"] is None:
                    return None
                for name in ("running_mean", "running_var", "weight", "bias"):
                    given[name] = rows_of(given.get(name))
                return replace(
                    node, args=(), kwargs={**given, "input": units_of(given["input"])}, shape=shape
                )
            case "flatten" if first and like and first.shape[2:] == (1, 1) and len(shape) == 2:
                return replace(node, args=(units_of(args[0]), *args[1:]), shape=shape)
            case name if like and name in BY_UNIT and not _has_tensors(args[1:], node.kwargs):
                return replace(node, args=(units_of(args[0]), *args[1:]), shape=shape)
            case "add" | "sub" | "mul" if len(args) == 2 and isinstance(args[1], Value):
                if nodes[args[1].node].shape == node.shape == (first and first.shape):
                    return replace(node, args=(units_of(args[0]), units_of(args[1])), shape=shape)
        return None

    def _from_branches(self, node: Node, units: Tensor) -> Node | None:
        """Select a concatenation's units from its branches."""
        spans = concatenated(node, self.edited.nodes.__getitem__)
        if not spans:
            return None
        parts, positions = [], []
        for branch, span in spans:
            own = ((units >= span.start) & (units < span.stop)).nonzero().flatten()
            if len(own):
                parts.append(Value(self.select(branch, units[own] - span.start)))
                positions.append(own)
        order = torch.cat(positions).argsort()
        if len(parts) == 1:
            return self._rows(parts[0], order)
        shape = (node.shape[0], len(units), *node.shape[2:])
        cat = Node("cat", torch.cat, (parts, 1), {}, fresh=True, varies=True, shape=shape)
        joined = self.edited.add(cat)
        if torch.equal(order, torch.arange(len(order))):
            return cat
        return self._rows(Value(joined), order)

    def _rows(self, value: Value, units: Tensor) -> Node:
        """Return a node that selects units of a value."""
        whole = self.edited.nodes[value.node].shape
        shape = (whole[0], len(units), *whole[2:]) if whole else ()
        return Node("units", rows, (value, units), {}, fresh=True, varies=True, shape=shape)


def rows(values: Tensor, indices: Tensor) -> Tensor:
    """Select units of a value `(batch, units, …)`."""
    return values[:, indices.to(values.device)]


def parameter_rows(values: Tensor | None, indices: Tensor) -> Tensor | None:
    """Select rows of a parameter."""
    return None if values is None else values[indices.to(values.device)]


def _has_tensors(*values: Any) -> bool:
    found: list[Any] = []
    mapped(values, found.append)
    return any(isinstance(leaf, Value | Parameter | Tensor) for leaf in found)
