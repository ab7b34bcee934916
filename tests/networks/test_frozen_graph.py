"""TensorFlow's graph of inception5h, written as TensorFlow does and read without it."""

import re
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from visioncircuits.errors import InputError
from visioncircuits.networks import checkpoints as store
from visioncircuits.networks import load
from visioncircuits.networks.conversion import OURS
from visioncircuits.networks.frozen_graph import read_frozen_graph

PUBLISHED = "tensorflow_inception_graph.pb"

# Every constant of the published file by its name there, and its shape: the convolutions'
# kernels are height, width, in, out, and the classifier's matrix is in, out.
MODULES = {
    "mixed3a": (192, 64, 96, 128, 16, 32, 32),
    "mixed3b": (256, 128, 128, 192, 32, 96, 64),
    "mixed4a": (480, 192, 96, 204, 16, 48, 64),
    "mixed4b": (508, 160, 112, 224, 24, 64, 64),
    "mixed4c": (512, 128, 128, 256, 24, 64, 64),
    "mixed4d": (512, 112, 144, 288, 32, 64, 64),
    "mixed4e": (528, 256, 160, 320, 32, 128, 128),
    "mixed5a": (832, 256, 160, 320, 48, 128, 128),
    "mixed5b": (832, 384, 192, 384, 48, 128, 128),
}


def _published_shapes() -> dict[str, tuple[int, ...]]:
    weights: dict[str, tuple[int, ...]] = {
        "conv2d0": (7, 7, 3, 64),
        "conv2d1": (1, 1, 64, 64),
        "conv2d2": (3, 3, 64, 192),
    }
    for name, (taken, one, three_bottleneck, three, five_bottleneck, five, pool) in MODULES.items():
        weights |= {
            f"{name}_1x1": (1, 1, taken, one),
            f"{name}_3x3_bottleneck": (1, 1, taken, three_bottleneck),
            f"{name}_3x3": (3, 3, three_bottleneck, three),
            f"{name}_5x5_bottleneck": (1, 1, taken, five_bottleneck),
            f"{name}_5x5": (5, 5, five_bottleneck, five),
            f"{name}_pool_reduce": (1, 1, taken, pool),
        }
    weights |= {
        "head0_bottleneck": (1, 1, 508, 128),
        "nn0": (2048, 1024),
        "softmax0": (1024, 1008),
        "head1_bottleneck": (1, 1, 528, 128),
        "nn1": (2048, 1024),
        "softmax1": (1024, 1008),
        "softmax2": (1024, 1008),
    }
    return {
        f"{name}_{kind}": shape if kind == "w" else shape[-1:]
        for name, shape in weights.items()
        for kind in "wb"
    }


def _sevens(value: int) -> bytes:
    """A whole number in protobuf: seven bits a byte, lowest first, the top bit but on the last."""
    low, rest = value & 127, value >> 7
    return bytes([low | 128]) + _sevens(rest) if rest else bytes([low])


def _bytes(number: int, content: bytes) -> bytes:
    return _sevens(number << 3 | 2) + _sevens(len(content)) + content


def _whole(number: int, value: int) -> bytes:
    return _sevens(number << 3) + _sevens(value)


def _attribute(key: str, value: bytes) -> bytes:
    return _bytes(5, _bytes(1, key.encode()) + _bytes(2, value))


def _tensor(kind: int, shape: tuple[int, ...], values: bytes) -> bytes:
    dimensions = b"".join(_bytes(2, _whole(1, size)) for size in shape)
    return _whole(1, kind) + _bytes(2, dimensions) + values


def _node(name: str, operation: str, *rest: bytes) -> bytes:
    return _bytes(1, _bytes(1, name.encode()) + _bytes(2, operation.encode()) + b"".join(rest))


def _constant(name: str, tensor: bytes, kind: int = 1) -> bytes:
    held = _attribute("dtype", _whole(6, kind)), _attribute("value", _bytes(8, tensor))
    return _node(name, "Const", *held)


def _float(name: str, values: np.ndarray) -> bytes:
    content = values.astype("<f4").tobytes()
    return _constant(name, _tensor(1, values.shape, _bytes(4, content)))


def _graph(arrays: dict[str, np.ndarray]) -> bytes:
    """A graph with the published file's other kinds of nodes, and of constants, between."""
    nodes = [
        _node("input", "Placeholder", _attribute("dtype", _whole(6, 1))),
        *(_float(name, values) for name, values in arrays.items()),
        _node("conv2d0_pre_relu/conv", "Conv2D", _bytes(3, b"input"), _bytes(3, b"conv2d0_w")),
        _constant("mixed3a/concat_dim", _tensor(3, (), _bytes(7, _sevens(3))), kind=3),
        _constant("avgpool0/reshape/shape", _tensor(3, (2,), _bytes(4, bytes(8))), kind=3),
        _node("output", "Identity", _bytes(3, b"softmax0")),
    ]
    return b"".join(nodes) + _bytes(4, _whole(1, 7))


@pytest.fixture(scope="module")
def arrays() -> dict[str, np.ndarray]:
    generator = np.random.default_rng(3)
    return {
        name: generator.standard_normal(shape, dtype=np.float32)
        for name, shape in _published_shapes().items()
    }


def _expected(name: str, arrays: dict[str, np.ndarray]) -> np.ndarray:
    """The published constant that one of our parameters is, by index rather than by transposing."""
    layer, kind = name.split(".")
    theirs = {"logits": "softmax2"}.get(layer, layer.removesuffix("_pre_relu"))
    values = arrays[f"{theirs}_{kind[0]}"]
    if values.ndim == 1:
        return values
    return np.array([np.moveaxis(values[..., out], -1, 0) for out in range(values.shape[-1])])


def test_each_constant_arrives_where_it_belongs(
    tmp_path: Path, arrays: dict[str, np.ndarray]
) -> None:
    (tmp_path / PUBLISHED).write_bytes(_graph(arrays))
    network = load("inceptionv1", checkpoint=tmp_path / PUBLISHED)
    state = network.module.state_dict()
    assert len(state) == 116
    for name, tensor in state.items():
        assert np.array_equal(tensor.numpy(), _expected(name, arrays)), name


def test_it_is_found_by_its_published_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(store.FOLDER, str(tmp_path))
    (tmp_path / PUBLISHED).touch()
    found = store.find("inceptionv1")
    assert found is not None
    assert found.path.name == PUBLISHED


def _read(tmp_path: Path, data: bytes) -> dict[str, Tensor]:
    (tmp_path / "net.pb").write_bytes(data)
    return read_frozen_graph(tmp_path / "net.pb")


def test_the_layout_is_torchs(tmp_path: Path) -> None:
    kernel = np.arange(2 * 3 * 5 * 7, dtype=np.float32).reshape(2, 3, 5, 7)
    found = _read(tmp_path, _float("w", kernel) + _float("m", kernel[0, 0]))
    assert found["w"].shape == (7, 5, 2, 3)
    assert found["w"][6, 4, 1, 2] == kernel[1, 2, 4, 6]
    assert found["m"][6, 4] == kernel[0, 0, 4, 6]


@pytest.mark.parametrize("packed", [True, False])
def test_listed_values_are_read_and_one_alone_fills_the_shape(tmp_path: Path, packed: bool) -> None:
    def listed(*values: float) -> bytes:
        if packed:
            return _bytes(5, struct.pack(f"<{len(values)}f", *values))
        return b"".join(_sevens(5 << 3 | 5) + struct.pack("<f", value) for value in values)

    several = _constant("several", _tensor(1, (3,), listed(1.5, -2.0, 3.0)))
    filled = _constant("filled", _tensor(1, (2, 2), listed(0.5)))
    number = _constant("number", _tensor(1, (), listed(117.0)))
    found = _read(tmp_path, several + filled + number)
    assert {name: tensor.tolist() for name, tensor in found.items()} == {
        "several": [1.5, -2.0, 3.0],
        "filled": [[0.5, 0.5], [0.5, 0.5]],
    }


def test_a_file_truncated_anywhere_raises_or_lacks_whole_parameters(tmp_path: Path) -> None:
    small = {name: np.full(3, index) for index, name in enumerate("abcd")}
    whole = _graph(small)
    expected = _read(tmp_path, whole)
    assert expected.keys() == small.keys()
    complaints, lengths = [], range(0, len(whole), 5)
    for length in lengths:
        try:
            found = _read(tmp_path, whole[:length])
        except InputError as error:
            complaints.append(str(error))
        else:
            assert all(torch.equal(found[name], expected[name]) for name in found)
    assert len(complaints) > 0.9 * len(lengths)
    assert all("net.pb is not a complete frozen graph" in text for text in complaints)
    assert not any("\n" in text for text in complaints)


@pytest.mark.parametrize(
    ("shape", "values"),
    [((5,), 4), ((2**40, 2**40), 1), ((2**63,), 4), ((4,), 0)],
)
def test_a_shape_that_does_not_match_its_values_raises(
    tmp_path: Path, shape: tuple[int, ...], values: int
) -> None:
    tensor = _tensor(1, shape, _bytes(5, bytes(4 * values)))
    with pytest.raises(InputError, match=rf"w: a shape of .* with {4 * values} bytes of float32"):
        _read(tmp_path, _constant("w", tensor))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"mixed4a_3x3_w": None}, "lacks 'mixed4a_3x3_w'"),
        ({"softmax3_w": np.zeros(3)}, "is for another network: this one has no 'softmax3_w'"),
        (
            {"conv2d0_w": np.zeros((7, 7, 3, 32))},
            "'conv2d0_pre_relu.weight' has the shape (32, 3, 7, 7) and should have (64, 3, 7, 7)",
        ),
    ],
)
def test_another_graph_is_refused_with_a_name(
    tmp_path: Path,
    arrays: dict[str, np.ndarray],
    change: dict[str, np.ndarray | None],
    complaint: str,
) -> None:
    changed = {name: values for name, values in (arrays | change).items() if values is not None}
    (tmp_path / PUBLISHED).write_bytes(_graph(changed))
    like = {name: torch.from_numpy(_expected(name, arrays)) for name in OURS.parameters()}
    with pytest.raises(InputError, match=re.escape(complaint)) as error:
        store.Checkpoint(tmp_path / PUBLISHED).parameters(like)
    assert PUBLISHED in str(error.value)


@pytest.mark.parametrize(
    ("arrays", "complaint"),
    [
        ({"conv0/weights": np.zeros((3, 3, 3, 8))}, "lacks 'conv2d0_pre_relu.weight' and 115"),
        ({}, "holds no tensors"),
    ],
)
def test_a_graph_of_other_names_is_refused(
    tmp_path: Path, arrays: dict[str, np.ndarray], complaint: str
) -> None:
    (tmp_path / "net.pb").write_bytes(_graph(arrays))
    with pytest.raises(InputError, match=complaint):
        load("inceptionv1", checkpoint=tmp_path / "net.pb")
