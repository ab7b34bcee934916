"""ONNX files for tests, made by ONNX's own helpers, and what they should compute."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

Arrays = Mapping[str, np.ndarray]

MODULES = ("3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b")


def write(
    path: Path,
    nodes: Sequence[Any],
    *,
    shape: Sequence[Any] = (1, 3, 8, 8),
    constants: Arrays | None = None,
    output: str = "y",
    opset: int = 13,
    metadata: Mapping[str, str] | None = None,
) -> Path:
    """Write a graph from `x`, pictures, to an output."""
    import onnx
    from onnx import helper, numpy_helper

    tensors = [numpy_helper.from_array(v, name) for name, v in (constants or {}).items()]
    pictures = helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, shape)
    found = helper.make_tensor_value_info(output, onnx.TensorProto.FLOAT, None)
    graph = helper.make_graph(nodes, "net", [pictures], [found], tensors)
    domains = {node.domain for node in nodes} - {""}
    opsets = [helper.make_opsetid("", opset), *(helper.make_opsetid(d, 1) for d in domains)]
    model = helper.make_model(graph, opset_imports=opsets)
    helper.set_model_props(model, dict(metadata or {}))
    path.write_bytes(model.SerializeToString())
    return path


def write_googlenet(path: Path, parameters: Mapping[str, Tensor], *, ceil_mode: bool) -> Path:
    """Write BVLC's GoogLeNet as its `deploy.prototxt` has it, and the ONNX model zoo's file.

    `ceil_mode` of a pool is either stated, or is padding below and on the right.
    """
    from onnx import helper

    nodes: list[Any] = []

    def node(operator: str, inputs: Sequence[str], output: str, **options: Any) -> str:
        nodes.append(helper.make_node(operator, inputs, [output], name=output, **options))
        return output

    def conv(source: str, name: str, stride: int = 1) -> str:
        width = parameters[f"{name}.weight"].shape[-1]
        inputs = [source, f"{name}.weight", f"{name}.bias"]
        pads, strides = [width // 2] * 4, [stride] * 2
        node("Conv", inputs, name, kernel_shape=[width] * 2, pads=pads, strides=strides)
        return node("Relu", [name], f"{name}/relu")

    def halved(source: str, name: str) -> str:
        how = {"ceil_mode": 1} if ceil_mode else {"pads": [0, 0, 1, 1]}
        return node("MaxPool", [source], name, kernel_shape=[3, 3], strides=[2, 2], **how)

    def normalized(source: str, name: str) -> str:
        return node("LRN", [source], name, size=5, alpha=1e-4, beta=0.75, bias=1.0)

    at = halved(conv("x", "conv1/7x7_s2", 2), "pool1/3x3_s2")
    at = conv(normalized(at, "pool1/norm1"), "conv2/3x3_reduce")
    at = halved(normalized(conv(at, "conv2/3x3"), "conv2/norm2"), "pool2/3x3_s2")
    for module in MODULES:
        if module in ("4a", "5a"):
            at = halved(at, f"pool{int(module[0]) - 1}/3x3_s2")
        inside = f"inception_{module}"
        same = {"kernel_shape": [3, 3], "strides": [1, 1], "pads": [1] * 4}
        branches = [
            conv(at, f"{inside}/1x1"),
            conv(conv(at, f"{inside}/3x3_reduce"), f"{inside}/3x3"),
            conv(conv(at, f"{inside}/5x5_reduce"), f"{inside}/5x5"),
            conv(node("MaxPool", [at], f"{inside}/pool", **same), f"{inside}/pool_proj"),
        ]
        at = node("Concat", branches, f"{inside}/output", axis=1)
    at = node("AveragePool", [at], "pool5/7x7_s1", kernel_shape=[7, 7])
    at = node("Dropout", [at], "pool5/drop_7x7_s1")
    at = node("Reshape", [at, "OC2_DUMMY_1"], "reshaped")
    classifier = "loss3/classifier"
    at = node("Gemm", [at, f"{classifier}.weight", f"{classifier}.bias"], classifier, transB=1)
    node("Softmax", [at], "prob", axis=1)
    constants = {name: tensor.numpy() for name, tensor in parameters.items()}
    return write(
        path,
        nodes,
        shape=(1, 3, 224, 224),
        constants=constants | {"OC2_DUMMY_1": np.array([1, 1024])},
        output="prob",
        opset=12,
        metadata={"input": "BGR 0..255 minus (104,117,123)", "classes": "ImageNet"},
    )
