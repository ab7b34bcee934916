"""Single nodes, cropped: what a node needs of its inputs to compute a window of its value."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any

from torch import Tensor, nn

from visioncircuits.networks.edited_nodes import Key
from visioncircuits.networks.nested import mapped
from visioncircuits.networks.nodes import ChangeAt, ModuleCall, Node, Parameter, Value, pair
from visioncircuits.networks.unit_selection import BATCH_NORM, CONVOLUTION, parameter_rows

Window = tuple[range, range]
"""Rows and columns."""

BY_ELEMENT = {
    "abs", "add", "celu", "clamp", "clone", "contiguous", "detach", "div", "dropout", "elu", "exp",
    "float", "gelu", "hardsigmoid", "hardswish", "hardtanh", "identity", "leaky_relu", "log",
    "logsigmoid", "maximum", "minimum", "mish", "mul", "neg", "pow", "reciprocal", "relu", "relu6",
    "rsqrt", "selu", "sigmoid", "silu", "softplus", "sqrt", "square", "sub", "tanh", "truediv",
}  # fmt: skip
"""Functions that compute each element from those at the same place, broadcast."""

BY_POSITION = {"batch_norm", "local_response_norm", "normalized", "prelu", "units"}
"""Functions that compute a position from the same one of their first argument; others are whole."""


@dataclass(frozen=True)
class Part:
    """What a node takes of an input: a window, and what is put around it."""

    window: Window
    around: tuple[int, int, int, int] = (0, 0, 0, 0)  # left, right, above, below
    fill: float = 0.0


class CroppedNode:
    """What one node needs to compute a window of its value."""

    def __init__(
        self, nodes: Mapping[Key, Node], module: nn.Module, node: Node, window: Window
    ) -> None:
        self.nodes, self.module, self.node, self.window = nodes, module, node, window

    def found(self) -> tuple[Node, dict[Key, Part]] | None:
        """Return the node that computes the window, and its parts; None where it needs all."""
        node = self.node
        if isinstance(node.function, ModuleCall | ChangeAt):
            return None
        match node.name:
            case "conv2d":
                return self._convolution()
            case "max_pool2d":
                names = "input kernel_size stride padding dilation ceil_mode"
                return self._pool(names, float("-inf"))
            case "avg_pool2d":
                names = "input kernel_size stride padding ceil_mode count_include_pad"
                return self._pool(f"{names} divisor_override", 0.0)
            case "pad":
                return self._pad()
            case "cat" | "concat" if node.arguments("tensors dim").get("dim", 0) in (1, -3):
                return self._same(node.inputs)
            case "batch_norm" if node.arguments(BATCH_NORM).get("training"):
                return None
            case name if name in BY_POSITION:
                first = node.arguments("input").get("input")
                return self._same([first.node] if isinstance(first, Value) else [])
            case name if name in BY_ELEMENT:
                return self._by_element()
        return None

    def _shape(self, value: Any) -> tuple[int, ...] | None:
        """Return the shape of an argument; () for numbers and names, None where it is not known."""
        match value:
            case Value():
                node = self.nodes[value.node]
                if node.function is parameter_rows:
                    return self._shape(node.args[0])
                return node.shape or None
            case Parameter():
                return tuple(attrgetter(value.name)(self.module).shape)
            case Tensor():
                return tuple(value.shape)
        return ()

    def _crops(self, **changed: Any) -> Node:
        """Return the node with other arguments, and the shape of the window."""
        shape = (*self.node.shape[:2], *map(len, self.window))
        return replace(self.node, shape=shape, **changed)

    def _same(self, sources: Iterable[Key]) -> tuple[Node, dict[Key, Part]] | None:
        """Take the same window of some inputs, if they have the same positions."""
        sources = list(sources)
        if not sources or any(self.nodes[s].shape[2:] != self.node.shape[2:] for s in sources):
            return None
        return self._crops(), {source: Part(self.window) for source in sources}

    def _by_element(self) -> tuple[Node, dict[Key, Part]] | None:
        """Take the same window of all inputs but those that are the same at all positions."""
        leaves: list[Any] = []
        mapped((self.node.args, self.node.kwargs), leaves.append)
        sources = []
        for leaf in leaves:
            shape = self._shape(leaf)
            if shape is None:
                return None
            if any(size != 1 for size in shape[-2:]):
                if not isinstance(leaf, Value):
                    return None
                sources.append(leaf.node)
        return self._same(sources)

    def _convolution(self) -> tuple[Node, dict[Key, Part]] | None:
        given = {"stride": 1, "padding": 0, "dilation": 1} | self.node.arguments(CONVOLUTION)
        kernel = (self._shape(given["weight"]) or ())[2:]
        if len(kernel) != 2:
            return None
        dilation = pair(given["dilation"])
        if given["padding"] == "same":
            padding = tuple(d * (k - 1) // 2 for d, k in zip(dilation, kernel, strict=True))
        else:
            padding = pair(0 if given["padding"] == "valid" else given["padding"])
        part = self._under(given["input"], kernel, pair(given["stride"]), padding, dilation, 0.0)
        if part is None:
            return None
        return self._crops(args=(), kwargs=given | {"padding": 0}), part

    def _pool(self, names: str, fill: float) -> tuple[Node, dict[Key, Part]] | None:
        given = {"stride": None, "padding": 0, "dilation": 1} | self.node.arguments(names)
        kernel, padding = pair(given["kernel_size"]), pair(given["padding"])
        stride = pair(given["stride"] or given["kernel_size"])
        part = self._under(given["input"], kernel, stride, padding, pair(given["dilation"]), fill)
        if part is None:
            return None
        if self.node.name == "avg_pool2d" and given.get("divisor_override") is None:
            # what is beyond the padding, in ceil mode, is not counted
            left, right, above, below = next(iter(part.values())).around
            counted = padding if given.get("count_include_pad", True) else (0, 0)
            if max(above, below) > counted[0] or max(left, right) > counted[1]:
                return None
        return self._crops(args=(), kwargs=self.node.arguments(names) | {"padding": 0}), part

    def _pad(self) -> tuple[Node, dict[Key, Part]] | None:
        """Take a part that is padded already."""
        given = {"mode": "constant", "value": None} | self.node.arguments("input pad mode value")
        if given["mode"] != "constant" or not all(type(side) is int for side in given["pad"]):
            return None
        left, _, above, _, *others = (*given["pad"], 0, 0)[: max(len(given["pad"]), 4)]
        if any(others):
            return None
        part = self._under(
            given["input"], (1, 1), (1, 1), (above, left), (1, 1), float(given["value"] or 0)
        )
        if part is None:
            return None
        node = self._crops(function=_unchanged, args=(given["input"],), kwargs={}, fresh=False)
        return node, part

    def _under(
        self,
        value: Any,
        kernel: tuple[int, ...],
        stride: tuple[int, ...],
        padding: tuple[int, ...],
        dilation: tuple[int, ...],
        fill: float,
    ) -> dict[Key, Part] | None:
        """Return the part of an input under the kernels of the window."""
        if not isinstance(value, Value) or len(self.nodes[value.node].shape) != 4:
            return None
        windows, around = [], []
        for axis, size in enumerate(self.nodes[value.node].shape[2:]):
            first = self.window[axis].start * stride[axis] - padding[axis]
            last = (self.window[axis].stop - 1) * stride[axis] - padding[axis]
            last += dilation[axis] * (kernel[axis] - 1) + 1
            windows.append(range(max(first, 0), min(last, size)))
            around.append((max(-first, 0), max(last - size, 0)))
        if not all(windows):  # nothing but padding
            return None
        part = Part((windows[0], windows[1]))
        if any(map(any, around)):
            part = replace(part, around=(*around[1], *around[0]), fill=fill)
        return {value.node: part}


def _unchanged(value: Tensor) -> Tensor:
    return value
