"""Read the parameters in a frozen graph of TensorFlow, without TensorFlow.

Source: the messages GraphDef, NodeDef, AttrValue, TensorProto and TensorShapeProto of TensorFlow's
`tensorflow/core/framework/*.proto`.
"""

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from visioncircuits.errors import InputError
from visioncircuits.networks.protobuf import fields

FLOAT32 = 1
"""In TensorFlow's enumeration of types."""

LARGEST = 2**24
"""How many values a constant of one repeated value may stand for."""


def read_frozen_graph(path: Path) -> dict[str, Tensor]:
    """Read all parameters of a graph whose variables were frozen to constants.

    Parameters
    ----------
    path
        A binary `GraphDef`.

    Returns
    -------
    dict
        The constants of float32 by their nodes' names, but for single numbers. They are laid out
        as torch does: kernels, which the file has as `(height, width, in, out)`, as `(out, in,
        height, width)`; matrices, `(in, out)`, as `(out, in)`.

    Raises
    ------
    InputError
        Where the file is truncated or not such a message.
    """
    try:
        return dict(_parameters(memoryview(path.read_bytes())))
    except ValueError as error:
        raise InputError(
            f"{path} is not a complete frozen graph of TensorFlow ({error}); get it again, it may "
            "be truncated"
        ) from error


def _parameters(graph: memoryview) -> Iterator[tuple[str, Tensor]]:
    for number, node in fields(graph):
        if number != 1 or not isinstance(node, memoryview):
            continue
        name, operation, value = _node(node)
        if operation != "Const" or value is None:
            continue
        try:
            constant = _tensor(value)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error
        if constant is not None and constant.ndim:
            order = {2: (1, 0), 4: (3, 2, 0, 1)}.get(constant.ndim, range(constant.ndim))
            yield name, constant.permute(*order).contiguous()


def _node(node: memoryview) -> tuple[str, str, memoryview | None]:
    """Return a node's name, its operation, and the tensor of its attribute `value`."""
    name = operation = ""
    tensor = None
    for number, value in fields(node):
        match number, value:
            case 1, memoryview():
                name = str(value, "utf-8")
            case 2, memoryview():
                operation = str(value, "utf-8")
            case 5, memoryview():
                tensor = _value(value) or tensor
    return name, operation, tensor


def _value(attribute: memoryview) -> memoryview | None:
    """Return the tensor of an attribute, where it is called `value`."""
    entry = {number: part for number, part in fields(attribute) if isinstance(part, memoryview)}
    empty = memoryview(b"")
    if bytes(entry.get(1, empty)) != b"value":
        return None
    held = dict(fields(entry.get(2, empty)))
    tensor = held.get(8)
    return tensor if isinstance(tensor, memoryview) else None


def _tensor(message: memoryview) -> Tensor | None:
    """Return a tensor of float32; None for one of another type."""
    kind = None
    shape: list[int] = []
    content: memoryview | bytearray = memoryview(b"")
    listed = bytearray()
    for number, value in fields(message):
        match number, value:
            case 1, int():
                kind = value
            case 2, memoryview():
                shape = list(_sizes(value))
            case 4, memoryview():
                content = value
            case 5, memoryview():  # packed, or one at a time
                listed += value
    if kind != FLOAT32:
        return None
    data = content or listed
    values = len(data) // 4
    repeated = values == 1 and not content and math.prod(shape) <= LARGEST
    if not data or len(data) % 4 or not (math.prod(shape) == values or repeated):
        raise ValueError(f"a shape of {tuple(shape)} with {len(data)} bytes of float32")
    numbers = torch.from_numpy(np.frombuffer(data, "<f4").astype(np.float32))
    return numbers[0].expand(shape) if repeated else numbers.reshape(shape)


def _sizes(shape: memoryview) -> Iterator[int]:
    for number, dimension in fields(shape):
        if number == 2 and isinstance(dimension, memoryview):
            size = dict(fields(dimension)).get(1, 0)
            yield size if isinstance(size, int) else 0
