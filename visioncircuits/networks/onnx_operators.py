"""The operators of an ONNX graph: which can be converted to torch, and those converted here.

onnx2torch converts most. Those of `OURS` it lacks, or converts to something slower, or to what
torch no longer takes; in the graph that it is given another operator stands for each of them,
whose module is replaced afterwards.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor, nn
from torch.nn import functional as F

from visioncircuits.errors import InputError
from visioncircuits.networks.normalization import LocalResponseNorm

OPSET = 17
"""The version of ONNX's operators that a graph is converted to where onnx2torch lacks its own."""

SIZES = ("Shape", "Size")
"""Operators whose values depend on the pictures' size alone."""

STAND_IN = "Neg"
"""An operator of one input that is the same in all versions that are in use."""

_ASIDE = "visioncircuits"
"""A domain that hides operators from ONNX's converter of versions."""


@dataclass(frozen=True)
class Given:
    """What a node's module is made of.

    Attributes
    ----------
    attributes
        By name, as plain values.
    shape
        Of its first input.
    constants
        Its other inputs; None for one that is left out, or is no constant.
    """

    attributes: Mapping[str, Any]
    shape: Sequence[int]
    constants: Sequence[np.ndarray | None]

    def setting(self, name: str, place: int) -> list[int] | None:
        """Return what ONNX had as an attribute, and has as the input at `place` since."""
        found = self.constants[place] if place < len(self.constants) else None
        listed = self.attributes.get(name) if found is None else found.tolist()
        return None if listed is None else list(listed)


class Part(nn.Module):
    """A part of a tensor: every so many positions from one to before another, along some axes."""

    def __init__(self, ranges: Mapping[int, slice]) -> None:
        super().__init__()
        self.ranges = dict(ranges)

    def forward(self, x: Tensor) -> Tensor:
        """Return the part."""
        return x[tuple(self.ranges.get(axis, slice(None)) for axis in range(x.ndim))]


class PaddedMaxPool2d(nn.MaxPool2d):
    """A max pool with other padding on one side than on the other: `(left, right, top, bottom)`."""

    def __init__(self, pads: Sequence[int], **options: Any) -> None:
        super().__init__(**options)
        self.pads = tuple(pads)

    def forward(self, x: Tensor) -> Tensor:
        """Pool; padding is less than any value."""
        pooled: Tensor = super().forward(F.pad(x, self.pads, value=-math.inf))
        return pooled


def _max_pool(given: Given) -> nn.Module | None:
    stated = given.attributes
    top, left, bottom, right = (*stated.get("pads", ()), 0, 0, 0, 0)[:4]
    if (top, left) == (bottom, right) or len(given.shape) != 4:
        return None
    return PaddedMaxPool2d(
        (left, right, top, bottom),
        kernel_size=stated["kernel_shape"],
        stride=stated.get("strides", 1),
        dilation=stated.get("dilations", 1),
        ceil_mode=bool(stated.get("ceil_mode", 0)),
    )


def _normalization(given: Given) -> nn.Module:
    return LocalResponseNorm(
        given.shape[1],
        size=given.attributes["size"],
        alpha=given.attributes.get("alpha", 1e-4),
        beta=given.attributes.get("beta", 0.75),
        k=given.attributes.get("bias", 1.0),
    )


def _slice(given: Given) -> nn.Module:
    starts, ends = given.setting("starts", 0), given.setting("ends", 1)
    if starts is None or ends is None:
        raise InputError("slices by numbers that depend on the pictures")
    axes = given.setting("axes", 2) or range(len(starts))
    steps = given.setting("steps", 3) or [1] * len(starts)
    if min(steps) < 1:
        raise InputError("slices backwards")
    ranges = zip(axes, starts, ends, steps, strict=True)
    return Part({axis % len(given.shape): slice(*bounds) for axis, *bounds in ranges})


OURS: dict[str, Callable[[Given], nn.Module]] = {
    "Dropout": lambda given: nn.Identity(),
    "Gelu": lambda given: nn.GELU(given.attributes.get("approximate", b"none").decode()),
    "GlobalMaxPool": lambda given: nn.AdaptiveMaxPool2d(1),
    "LRN": _normalization,
    "Slice": _slice,
}
"""By operator: what makes its module, or raises an `InputError` that is a predicate of the node."""

SOME = {"MaxPool": _max_pool}
"""The same; None for the nodes that are left to onnx2torch."""


def attributes(node: Any) -> dict[str, Any]:
    """Return a node's attributes as plain values."""
    from onnx.helper import get_attribute_value

    return {attribute.name: get_attribute_value(attribute) for attribute in node.attribute}


def check(model: Any, name: str) -> None:
    """Check that every operator on pictures can be converted; others are computed beforehand.

    Raises
    ------
    InputError
        With all that cannot, and how often each occurs.
    """
    own = _opsets(model)
    lacking = Counter(
        f"{node.domain}.{node.op_type}" if node.domain else node.op_type
        for node in _on_pictures(model.graph)
        if not _convertible(node, own) and not _convertible(node, {**own, "": OPSET})
    )
    if lacking:
        listed = ", ".join(f"{operator} ({count})" for operator, count in sorted(lacking.items()))
        raise InputError(
            f"{name} has operators that cannot be converted to torch: {listed}; export the "
            "network without them, or write it as a torch module"
        )


def _on_pictures(graph: Any) -> Iterator[Any]:
    """Iterate over the nodes whose values depend on those of the pictures."""
    constants = {tensor.name for tensor in graph.initializer}
    depending = {value.name for value in graph.input} - constants
    for node in graph.node:
        if node.op_type not in SIZES and depending.intersection(node.input):
            depending.update(node.output)
            yield node


def convertible(model: Any) -> Any:
    """Return a graph of operators in versions that onnx2torch knows.

    Raises
    ------
    InputError
        Where a node cannot be written in an earlier version.
    """
    opsets = _opsets(model)
    if all(_convertible(node, opsets) for node in model.graph.node):
        return model
    from onnx.helper import make_opsetid
    from onnx.version_converter import convert_version

    for node in model.graph.node:
        if node.op_type in OURS or _unchanged(node):
            node.domain = _ASIDE
    model.opset_import.append(make_opsetid(_ASIDE, 1))
    try:
        converted = convert_version(model, OPSET)
    except RuntimeError as error:
        reason = " ".join(str(error).rpartition("failed: ")[2].split())
        raise InputError(
            f"its operators are of version {opsets['']} and cannot be written in {OPSET} "
            f"({reason}); export it with opset_version={OPSET}"
        ) from error
    for node in converted.graph.node:
        if node.domain == _ASIDE:
            node.domain = ""
    return converted


def _unchanged(node: Any) -> bool:
    """Whether a node means the same in `OPSET`, though ONNX's converter does not know it."""
    if node.op_type == "Split" and "num_outputs" not in attributes(node):
        return True
    return node.op_type == "Pad" and len(node.input) < 4  # without axes


def _convertible(node: Any, opsets: Mapping[str, int]) -> bool:
    from onnx2torch.node_converters import get_converter

    if node.op_type in OURS and not node.domain:
        return True
    try:
        get_converter(node.op_type, opsets[node.domain], node.domain)
    except (KeyError, NotImplementedError):
        return False
    return True


def _opsets(model: Any) -> dict[str, int]:
    return {
        "" if entry.domain == "ai.onnx" else entry.domain: entry.version
        for entry in model.opset_import
    }


def set_aside(graph: Any, shapes: Mapping[str, Sequence[int]]) -> dict[str, nn.Module]:
    """Replace nodes of `OURS` and `SOME` by stand-ins; return the modules to put in their place.

    Raises
    ------
    InputError
        For a node that has no such module.
    """
    from onnx import numpy_helper

    constants = {tensor.name: tensor for tensor in graph.initializer}
    makers: dict[str, Callable[[Given], nn.Module | None]] = {**OURS, **SOME}
    modules = {}
    for node in graph.node:
        if node.op_type in makers and not node.domain:
            others = [constants.get(name) for name in node.input[1:]]
            values = [None if each is None else numpy_helper.to_array(each) for each in others]
            given = Given(attributes(node), shapes.get(node.input[0], ()), values)
            try:
                made = makers[node.op_type](given)
            except InputError as error:
                raise InputError(f"the node {node.name} {error}") from error
            if made is None:
                continue
            modules[node.name] = made
            node.op_type = STAND_IN
            del node.input[1:], node.output[1:], node.attribute[:]
        elif node.op_type == "Sum" and len(node.input) == 2:
            node.op_type = "Add"
    return modules
