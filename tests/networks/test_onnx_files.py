"""ONNX files that cannot be networks are refused in a sentence, and nothing of a file is run."""

import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.networks.onnx_nets import write
from visioncircuits.errors import InputError
from visioncircuits.networks import load, names

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnx2torch")

W = {"w": np.random.default_rng(0).standard_normal((5, 3, 3, 3), dtype=np.float32)}


def _node(operator: str, *inputs: str, to: str = "y", **options: Any) -> Any:
    return onnx.helper.make_node(operator, inputs, [to], **options)


CONV = _node("Conv", "x", "w", to="c", name="conv")
POOLED = _node("GlobalAveragePool", "c", to="y")
NODES = [CONV, POOLED]
NUMBER = {number: np.array([number]) for number in (-9, -1, 1)}


@pytest.fixture
def net(tmp_path: Path) -> Path:
    return write(tmp_path / "net.onnx", NODES, constants=W)


def _refusal(name: object, **options: Any) -> str:
    with pytest.raises(InputError) as caught:
        load(str(name), **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def _external(path: Path, location: str, *, length: int = W["w"].nbytes) -> Path:
    """Let the kernel be in another file."""
    model = onnx.load(path)
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    tensor.external_data.add(key="length", value=str(length))
    path.write_bytes(model.SerializeToString())
    return path


def test_all_operators_that_cannot_be_converted_are_counted_before_anything_else(
    tmp_path: Path,
) -> None:
    nodes = [
        CONV,
        _node("Det", "c", to="a"),
        _node("GridSample", "c", "c", to="b"),
        _node("Det", "b", to="d"),
        _node("Fused", "d", domain="com.example"),
    ]
    path = write(tmp_path / "net.onnx", nodes, constants=W, shape=(1, 8, 8, 3), opset=16)
    _external(path, "../not read.bin")
    assert "cannot be converted to torch: Det (2), GridSample (1), com.example.Fused (1);" in (
        _refusal(path)
    )


def test_operators_of_a_version_that_cannot_be_written_earlier_are_refused(
    tmp_path: Path,
) -> None:
    split = onnx.helper.make_node("Split", ["c"], ["a", "b"], axis=1, num_outputs=2)
    path = write(tmp_path / "net.onnx", [CONV, split], constants=W, opset=18, output="a")
    assert "of version 18 and cannot be written in 17 (No Adapter From" in _refusal(path)


def test_operators_that_no_picture_goes_through_need_no_conversion(tmp_path: Path) -> None:
    nodes = [_node("Asinh", "w", to="v"), _node("Conv", "x", "v", to="c", name="conv"), POOLED]
    path = write(tmp_path / "net.onnx", nodes, constants=W)
    found = load(str(path)).module.conv.weight
    assert torch.allclose(found, torch.asinh(torch.from_numpy(W["w"])))


@pytest.mark.parametrize(
    ("nodes", "options", "message"),
    [
        (NODES, {"shape": (1, 8, 8, 3)}, "takes pictures as .* NHWC; export it for"),
        (NODES, {"shape": ("N", "H", "W", 3)}, "NHWC"),
        (NODES, {"shape": (1, 3, 8, 9)}, "takes pictures of 8x9 pixels, and .* are square"),
        (NODES, {"shape": (3, 8, 8)}, "FLOAT of 3 dimensions"),
        (NODES, {"shape": ("N", "C", 8, 8)}, "leaves open how many channels"),
        (NODES, {"shape": (1, 4, 8, 8)}, "cannot be run in torch"),
        (NODES, {"constants": {}}, "takes an input|cannot be converted to torch"),
        ([CONV, _node("Relu", "c")], {}, r"returns \(1, 5, 6, 6\) for one picture; .* logits"),
        (
            [CONV, _node("ReduceMean", "c", to="m", axes=[0, 2, 3]), _node("Flatten", "m")],
            {},
            "computes something else for two pictures at once than for each alone",
        ),
        (
            [CONV, _node("Flatten", "c", to="f"), _node("Transpose", "f", perm=[1, 0], to="t"),
             _node("Reshape", "t", "s", to="r")],
            {"constants": W | {"s": np.array([1, 180])}, "output": "r"},
            "two pictures",
        ),
        (
            [CONV, _node("Slice", "c", "minus 1", "minus 9", "1", "minus 1")],
            {"constants": W | {"minus 1": NUMBER[-1], "minus 9": NUMBER[-9], "1": NUMBER[1]}},
            "the node y slices backwards",
        ),
        (NODES, {"metadata": {"classes": "a\nb"}}, "states 2 classes and returns 5 logits"),
        (NODES, {"metadata": {"input": "any"}}, "states the input 'any', which cannot be parsed"),
        (NODES, {"metadata": {"input": "RGB 0..1 minus (1,2)"}}, "mean has 2 values"),
    ],
)  # fmt: skip
def test_what_is_no_classifier_of_pictures_is_refused(
    tmp_path: Path, nodes: list[Any], options: dict[str, Any], message: str
) -> None:
    path = write(tmp_path / "net.onnx", nodes, **{"constants": W, **options})
    text = _refusal(path)
    assert "net.onnx" in text or "mean" in text
    assert re.search(message, text), text


def test_two_inputs_are_refused(net: Path) -> None:
    model = onnx.load(net)
    model.graph.input.append(onnx.helper.make_tensor_value_info("z", 1, [1]))
    net.write_bytes(model.SerializeToString())
    assert "takes 2 inputs" in _refusal(net)


def test_pictures_of_whole_numbers_are_refused(net: Path) -> None:
    model = onnx.load(net)
    model.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.UINT8
    net.write_bytes(model.SerializeToString())
    assert "UINT8" in _refusal(net)


def test_a_truncated_file_is_refused(net: Path) -> None:
    whole = net.read_bytes()
    for length in [0, 1, 9, *range(20, len(whole), 53), len(whole) - 1]:
        net.write_bytes(whole[:length])
        assert "net.onnx" in _refusal(net)


def test_a_missing_file_and_a_checkpoint_are_refused(net: Path) -> None:
    assert "there is no file" in _refusal(net.with_name("lost.onnx"))
    assert "holds its own parameters" in _refusal(net, checkpoint=net)
    with pytest.raises(InputError, match=r"there is no file lost\.onnx; an ONNX file's path"):
        names.existing("lost.onnx")


@pytest.mark.parametrize("package", ["onnx", "onnx2torch"])
def test_without_the_packages_the_extra_is_named(
    net: Path, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    assert "pip install visioncircuits[onnx]" in _refusal(net)


def test_tensors_in_a_file_beside_it_are_read(net: Path) -> None:
    expected = load(str(net)).module.conv.weight
    _external(net, "net.onnx.data")
    net.with_name("net.onnx.data").write_bytes(W["w"].tobytes())
    assert torch.equal(load(str(net)).module.conv.weight, expected)


@pytest.mark.parametrize(
    "location", ["../secret", "inside/secret", "/etc/hostname", "linked", "..", "."]
)
def test_tensors_elsewhere_are_not_read(tmp_path: Path, location: str) -> None:
    folder = tmp_path / "nets"
    (folder / "inside").mkdir(parents=True)
    for path in (tmp_path / "secret", folder / "inside" / "secret"):
        path.write_bytes(W["w"].tobytes())
    (folder / "linked").symlink_to(tmp_path / "secret")
    path = _external(write(folder / "net.onnx", NODES, constants=W), location)
    assert "only files in its own folder are read" in _refusal(path)


def test_missing_and_short_files_of_tensors_are_refused(net: Path) -> None:
    _external(net, "net.data")
    assert "which is missing" in _refusal(net)
    net.with_name("net.data").write_bytes(b"short")
    assert "net.data cannot be read" in _refusal(net)


HOSTILE = [
    'a")); open("sprung", "w"); print(("',
    "a\n    open('sprung', 'w')\n",
    "__import__('os').system('touch sprung')",
    "class",
    "training",
    "forward",
    "input",
    "output",
    "initializers",
    "",
    "7",
    "ünïcode",
    "relu.0",
    "relu/0",
]


def test_names_are_made_valid_and_are_never_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """torch.fx writes the names of modules into code."""
    monkeypatch.chdir(tmp_path)
    nodes, last = [CONV], "c"
    for index, name in enumerate(HOSTILE):
        nodes.append(_node("Relu", last, to=f"{name} {index}", name=name))
        last = f"{name} {index}"
    nodes.append(_node("GlobalAveragePool", last))
    network = load(str(write(tmp_path / "net.onnx", nodes, constants=W)))
    found = list(network.layers)
    assert len(set(found)) == len(found) == len(nodes) + 1
    assert all(re.fullmatch(r"[A-Za-z0-9_]+", name) for name in found)
    assert {"class_1", "training_1", "input_1", "Relu_7", "relu_0", "relu_0_1"} < set(found)
    assert network(torch.rand(2, 3, 8, 8)).shape == (2, 5)
    assert not (tmp_path / "sprung").exists()
