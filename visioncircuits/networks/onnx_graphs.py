"""An ONNX graph of one picture as one that torch runs for any number of pictures.

Exporters write the number of pictures into the graph: `Reshape` to (1, 1024), or shapes that are
computed from one another. Here everything that does not depend on the pictures' values becomes a
constant, and reshapes then keep or take up whatever number of pictures there is.
"""

import keyword
import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import fx, nn

from visioncircuits.networks.graph import INPUT, OUTPUT
from visioncircuits.networks.onnx_operators import SIZES, attributes
from visioncircuits.networks.padding import same_padding

Shape = tuple[int, ...]

LARGE = 1024
"""Constants of more values than this are never shapes."""


def describe(graph: Any, shape: Shape) -> None:
    """Give the input a whole shape, and leave no other shape stated."""
    from onnx import helper

    constants = {tensor.name for tensor in graph.initializer}
    (pictures,) = (value for value in graph.input if value.name not in constants)
    kind = pictures.type.tensor_type.elem_type
    described = helper.make_tensor_value_info(pictures.name, kind, shape)
    outputs = [helper.make_tensor_value_info(value.name, kind, None) for value in graph.output]
    del graph.input[:], graph.output[1:], graph.value_info[:]
    graph.input.append(described)
    graph.output[0].CopyFrom(outputs[0])


def state_shapes(graph: Any, shapes: Mapping[str, Shape]) -> None:
    """State all shapes, for whoever cannot infer them from nodes that stand for others."""
    from onnx import TensorProto, helper

    kind = TensorProto.FLOAT  # whatever it is: only the shapes are read
    graph.value_info.extend(
        helper.make_tensor_value_info(name, kind, shapes[name])
        for node in graph.node
        for name in node.output
        if name in shapes
    )


def rename(graph: Any) -> None:
    """Give each node its own name, or that of its output, as a module can have it.

    Only letters, digits and underscores are kept: torch.fx writes these names into code.
    """
    module = fx.GraphModule(nn.Module(), fx.Graph())
    taken = {INPUT, OUTPUT, "initializers"}  # of onnx2torch
    for node in graph.node:
        plain = _plain(node.name or next(iter(node.output), ""))
        if not plain or plain.isdigit():
            plain = _plain(f"{node.op_type}_{plain}")
        name, count = plain, 0
        while name in taken or keyword.iskeyword(name) or hasattr(module, name):
            count += 1
            name = f"{plain}_{count}"
        taken.add(name)
        node.name = name


def _plain(name: str) -> str:
    """Return a name's letters and digits; torch repeats scopes, /layer1/layer1.0/conv1/Conv."""
    scopes = name.split("/")
    own = [
        scope
        for scope, inner in zip(scopes, [*scopes[1:], ""], strict=True)
        if not inner.startswith(f"{scope}.")
    ]
    return re.sub(r"\W+", "_", "_".join(own), flags=re.ASCII).strip("_")


def end_in_logits(graph: Any, shapes: Mapping[str, Shape]) -> None:
    """Leave out a softmax at the end, and then positions of which there is one."""
    from onnx import helper

    (output,) = graph.output
    made = {name: node for node in graph.node for name in node.output}
    last = made.get(output.name)
    if last is not None and last.op_type == "Softmax":
        output.name = last.input[0]
        graph.node.remove(last)
    if shapes.get(output.name, ())[2:] == (1, 1):
        flat = helper.make_node("Flatten", [output.name], ["logits"], name="logits", axis=1)
        output.name = "logits"
        graph.node.append(flat)


def fold(model: Any) -> dict[str, Shape]:
    """Replace whatever does not depend on the pictures' values by constants.

    Parameters
    ----------
    model
        Whose input has a whole shape.

    Returns
    -------
    dict
        The shapes of all values, as far as ONNX can infer them.
    """
    graph = model.graph
    constants = {tensor.name: tensor for tensor in graph.initializer}
    shapes: dict[str, Shape] = {}
    while True:
        known = [_values(model, node, constants, shapes) for node in graph.node]
        kept = [_copy(node) for node, values in zip(graph.node, known, strict=True) if not values]
        if shapes and len(kept) == len(graph.node):
            return shapes
        del graph.node[:]
        graph.node.extend(kept)
        graph.initializer.extend(tensor for values in known for tensor in values)
        shapes = _shapes(model)


def _values(
    model: Any, node: Any, constants: dict[str, Any], shapes: Mapping[str, Shape]
) -> list[Any]:
    """Return a node's values where they are known, and add them to the constants."""
    from onnx import numpy_helper

    if node.op_type in SIZES and node.input[0] in shapes:
        options, shape = attributes(node), shapes[node.input[0]]
        part = shape[options.get("start", 0) : options.get("end")]
        values = [np.array(part if node.op_type == "Shape" else math.prod(shape), dtype=np.int64)]
    elif all(name in constants for name in node.input if name):
        values = _computed(model, node, constants)
    else:
        return []
    named = zip(node.output, values, strict=False)
    tensors = [numpy_helper.from_array(np.asarray(value), name) for name, value in named]
    constants |= {tensor.name: tensor for tensor in tensors}
    return tensors


def _computed(model: Any, node: Any, constants: Mapping[str, Any]) -> list[Any]:
    """Compute a node of constants by ONNX's reference; nothing where that fails."""
    from onnx import helper, numpy_helper
    from onnx.reference import ReferenceEvaluator

    inputs = {name: numpy_helper.to_array(constants[name]) for name in node.input if name}
    described = [helper.make_empty_tensor_value_info(name) for name in inputs]
    outputs = [helper.make_empty_tensor_value_info(name) for name in node.output]
    graph = helper.make_graph([node], "constant", described, outputs)
    alone = helper.make_model(graph, opset_imports=model.opset_import)
    try:
        return list(ReferenceEvaluator(alone).run(None, inputs))
    except Exception:  # of many kinds, for operators that it lacks or takes otherwise
        return []


def _copy(message: Any) -> Any:
    other = type(message)()
    other.CopyFrom(message)
    return other


def _shapes(model: Any) -> dict[str, Shape]:
    """Infer the shapes of values; large constants are only described, for speed."""
    from onnx import helper
    from onnx.shape_inference import infer_shapes

    graph = model.graph
    small = [t for t in graph.initializer if math.prod(t.dims) <= LARGE]
    described = [
        helper.make_tensor_value_info(t.name, t.data_type, t.dims)
        for t in graph.initializer
        if math.prod(t.dims) > LARGE
    ]
    light = helper.make_model(
        helper.make_graph(graph.node, "light", [*graph.input, *described], graph.output, small),
        opset_imports=model.opset_import,
        ir_version=model.ir_version,
    )
    inferred = infer_shapes(light, data_prop=True).graph
    found = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    for value in (*inferred.input, *inferred.value_info, *inferred.output):
        kind = value.type.tensor_type
        if kind.HasField("shape") and all(d.HasField("dim_value") for d in kind.shape.dim):
            found[value.name] = tuple(d.dim_value for d in kind.shape.dim)
    return found


def for_any_batch(graph: Any, shapes: Mapping[str, Shape]) -> None:
    """Let reshapes keep the number of pictures, their first dimension, or take it up into it."""
    from onnx import numpy_helper

    constants = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type != "Reshape" or node.input[1] not in constants:
            continue
        before, after = shapes.get(node.input[0]), shapes.get(node.output[0])
        if before and after:
            target = numpy_helper.to_array(constants[node.input[1]]).tolist()
            kept = [0, *target[1:]] if before[0] == after[0] else [-1, *after[1:]]
            node.input[1] = f"{node.name} shape"
            graph.initializer.append(numpy_helper.from_array(np.array(kept), node.input[1]))


def pad_explicitly(graph: Any, shapes: Mapping[str, Shape]) -> None:
    """Write padding by a rule as numbers, which are those for pictures of the graph's own size."""
    from onnx import helper

    for node in graph.node:
        options = attributes(node)
        rule = options.get("auto_pad", b"")
        if not rule.startswith(b"SAME"):
            continue
        sizes = shapes[node.input[0]][2:]
        kernel = options.get("kernel_shape") or shapes[node.input[1]][2:]
        ones = [1] * len(sizes)
        pads = [
            same_padding(size, kernel=(width - 1) * dilation + 1, stride=stride)
            for size, width, dilation, stride in zip(
                sizes,
                kernel,
                options.get("dilations", ones),
                options.get("strides", ones),
                strict=True,
            )
        ]
        ends = [pair[::-1] for pair in pads] if rule == b"SAME_LOWER" else pads
        kept = [attribute for attribute in node.attribute if attribute.name != "auto_pad"]
        before, after = zip(*ends, strict=True)
        explicit = helper.make_attribute("pads", [*before, *after])
        del node.attribute[:]
        node.attribute.extend([*(each for each in kept if each.name != "pads"), explicit])
