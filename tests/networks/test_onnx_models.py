"""ONNX files as networks, compared with the exported torch module and with ONNX's own reference."""

import io
import pickle
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torchvision
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

from tests.networks.onnx_nets import MODULES, write, write_googlenet
from visioncircuits import engine
from visioncircuits.networks import Preprocessing, load, names, wrap
from visioncircuits.networks.edits import Edit
from visioncircuits.weights import expanded_weights

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnx2torch")

SIZE = 16


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.fc = nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.first(x))
        x = F.relu(x + self.norm(self.second(x)))
        return self.fc(x.mean((2, 3)))


class Shuffled(nn.Module):
    """Chunks, shapes that are computed, and channels in another order."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.fc = nn.Conv2d(3, 8, 3), nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        one, other = self.conv(x).chunk(2, 1)
        x = torch.cat([one, other.relu()], 1)
        batch, channels, height, width = x.shape
        x = x.view(batch, 2, channels // 2, height, width).transpose(1, 2)
        x = x.reshape(batch, channels, height, width)
        return self.fc(F.adaptive_avg_pool2d(x, 1).view(x.size(0), -1))


class Excited(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.down, self.up = nn.Conv2d(3, 8, 3), nn.Conv2d(8, 4, 1), nn.Conv2d(4, 8, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = F.hardswish(self.conv(x))
        gate = self.up(F.relu6(self.down(F.adaptive_avg_pool2d(x, 1))))
        return (x * F.hardsigmoid(gate)).amax((2, 3))


def _windows() -> nn.Module:
    """Positions cut into four windows, which join the number of pictures, and put back."""

    class Windows(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            batch, channels, height, width = x.shape
            cut = x.view(batch, channels, 2, height // 2, 2, width // 2).permute(0, 2, 4, 3, 5, 1)
            cut = cut.reshape(-1, height // 2 * (width // 2), channels).softmax(1)
            back = cut.view(batch, 2, 2, height // 2, width // 2, channels).permute(
                0, 5, 1, 3, 2, 4
            )
            return back.reshape(batch, channels, height, width)

    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), Windows(), *_classifier(8))


def _classifier(channels: int) -> tuple[nn.Module, ...]:
    return nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 5)


EXPORTED: dict[str, Callable[[], nn.Module]] = {
    "residual": Residual,
    "shuffled": Shuffled,
    "excited": Excited,
    "windows": _windows,
    "grouped": lambda: nn.Sequential(
        nn.Conv2d(3, 6, 3, stride=2, groups=3), nn.ReLU6(), nn.Conv2d(6, 6, 3, groups=6), nn.SiLU(),
        nn.Conv2d(6, 8, 1, dilation=2), nn.GELU(), *_classifier(8),
    ),
    "pools": lambda: nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.MaxPool2d(3, 2, ceil_mode=True), nn.PReLU(8),
        nn.AvgPool2d(3, 2, 1), nn.LeakyReLU(), nn.Dropout(), nn.Flatten(), nn.Linear(8 * 16, 5),
    ),
    "padded": lambda: nn.Sequential(
        nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(3, 8, 3, 2), nn.ELU(), nn.ReflectionPad2d(1),
        nn.Upsample(scale_factor=2, mode="nearest"), nn.Hardtanh(), *_classifier(8),
    ),
}  # fmt: skip


def _trained(make: Callable[[], nn.Module]) -> nn.Module:
    """A module whose statistics and biases are not those of initialization."""
    torch.manual_seed(3)
    module = make().eval()
    for tensor in module.state_dict().values():
        if tensor.is_floating_point():
            tensor.copy_(torch.rand_like(tensor) - 0.3 * (tensor.ndim > 1))
    return module.requires_grad_(False)


def _exported(module: nn.Module, path: Path, *, size: int = SIZE, **options: Any) -> Path:
    pictures = torch.rand(1, 3, size, size)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch, about its exporter, and of shapes as numbers
        torch.onnx.export(module, (pictures,), str(path), dynamo=False, **options)
    return path


def _reference(path: Path, pictures: Tensor, *, every: bool = False) -> dict[str, np.ndarray]:
    """Compute a file with ONNX's reference, one picture at a time, up to every node or the last."""
    from onnx.reference import ReferenceEvaluator

    model = onnx.load(path)
    if every:
        outputs = [name for node in model.graph.node for name in node.output]
        del model.graph.output[:]
        model.graph.output.extend(map(onnx.helper.make_empty_tensor_value_info, outputs))
    kept = [value.name for value in model.graph.output]
    input_name = model.graph.input[0].name
    found = [
        ReferenceEvaluator(model).run(None, {input_name: picture[None].numpy()})
        for picture in pictures
    ]
    return {
        name: np.concatenate(parts)
        for name, parts in zip(kept, zip(*found, strict=True), strict=True)
    }


def _close(found: Tensor, expected: Any) -> bool:
    expected = torch.as_tensor(expected)
    return found.shape == expected.shape and torch.allclose(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", EXPORTED)
def test_an_exported_module_computes_the_same_for_several_pictures(
    tmp_path: Path, kind: str
) -> None:
    """The files are of one picture: their shapes have its number."""
    module = _trained(EXPORTED[kind])
    path = _exported(module, tmp_path / "net.onnx")
    network = load(str(path))
    assert (network.name, network.size) == ("net.onnx", SIZE)
    pictures = torch.rand(3, 3, SIZE, SIZE)
    assert _close(network(pictures), module(pictures))
    assert _close(network(pictures), next(iter(_reference(path, pictures).values())))


@pytest.mark.parametrize("opset", [11, 17, 18])
@pytest.mark.parametrize("kind", ["shuffled", "pools"])
def test_older_and_newer_operators_and_an_open_number_of_pictures(
    tmp_path: Path, kind: str, opset: int
) -> None:
    module = _trained(EXPORTED[kind])
    axes = {"x": {0: "batch"}}
    how = {"opset_version": opset, "input_names": ["x"], "dynamic_axes": axes}
    network = load(str(_exported(module, tmp_path / "net.onnx", **how)))
    pictures = torch.rand(2, 3, SIZE, SIZE)
    assert _close(network(pictures), module(pictures))


def test_a_graph_of_open_height_and_width_takes_other_sizes(tmp_path: Path) -> None:
    module = _trained(EXPORTED["grouped"])
    axes = {"x": {0: "batch", 2: "height", 3: "width"}}
    path = _exported(module, tmp_path / "net.onnx", input_names=["x"], dynamic_axes=axes)
    network = load(str(path))
    assert network.size == 224
    pictures = torch.rand(2, 3, 20, 24)
    assert _close(network(pictures), module(pictures))


def test_layers_have_the_names_of_nodes_and_the_values_of_onnx(tmp_path: Path) -> None:
    path = _exported(_trained(Residual), tmp_path / "net.onnx")
    network = load(str(path))
    names_of_nodes = {
        "/first/Conv": "first_Conv",
        "/Relu": "Relu",
        "/second/Conv": "second_Conv",
        "/Add": "Add",
        "/Relu_1": "Relu_1",
        "/ReduceMean": "ReduceMean",
        "/fc/Gemm": "fc_Gemm",
    }
    assert list(network.layers) == list(names_of_nodes.values())
    assert network.output == "fc_Gemm"
    pictures = torch.rand(2, 3, SIZE, SIZE)
    expected = _reference(path, pictures, every=True)
    found = network.activations(pictures, list(network.layers))
    for node in onnx.load(path).graph.node:
        if name := names_of_nodes.get(node.name):
            assert _close(found[name], expected[node.output[0]]), name


def test_edits_geometry_and_expanded_weights_are_those_of_the_module(tmp_path: Path) -> None:
    module = _trained(EXPORTED["pools"])
    ours = wrap(module, Preprocessing(), size=SIZE)
    network = load(str(_exported(module, tmp_path / "net.onnx")))
    pairs = {"0_Conv": "0", "1_MaxPool": "1", "2_PRelu": "2", "3_AveragePool": "3"}
    for name, other in pairs.items():
        one, two = network.layer(name), ours.layer(other)
        assert (one.shape, one.receptive_field, one.stride, one.offset, one.units) == (
            two.shape, two.receptive_field, two.stride, two.offset, two.units,
        )  # fmt: skip
    pictures = torch.rand(2, 3, SIZE, SIZE)
    changed = [
        each.activations(pictures, [last], changes=[Edit(place, torch.zeros_like)])[last]
        for each, place, last in ((network, "1_MaxPool", "7_Gemm"), (ours, "1", "7"))
    ]
    assert _close(*changed)
    module = _trained(EXPORTED["residual"])
    ours = wrap(module, Preprocessing(), size=SIZE)
    network = load(str(_exported(module, tmp_path / "other.onnx")))
    kernels = [
        expanded_weights(network, "first_Conv", "Add:2"),
        expanded_weights(ours, "first", "add:2"),
    ]
    assert _close(*(torch.as_tensor(np.asarray(each.weight)) for each in kernels))


@pytest.mark.slow
@pytest.mark.weights
@pytest.mark.parametrize("ceil_mode", [True, False])
def test_the_real_googlenet_is_bvlcs_at_every_layer(
    tmp_path: Path, checkpoints: Path, ceil_mode: bool
) -> None:
    parameters = load_file(checkpoints / "bvlc_googlenet.safetensors")
    path = write_googlenet(tmp_path / "googlenet.onnx", parameters, ceil_mode=ceil_mode)
    network, ours = load(str(path)), load("bvlc_googlenet")
    assert network.preprocessing == ours.preprocessing
    assert network.classes == ours.classes
    same = {
        "conv1_7x7_s2": "conv2d0_pre_relu",
        "pool1_3x3_s2": "maxpool0",
        "pool1_norm1": "localresponsenorm0",
        "conv2_norm2": "localresponsenorm1",
        "pool3_3x3_s2": "maxpool4",
        **{f"inception_{module}_output": f"mixed{module}" for module in MODULES},
        **{f"inception_{module}_5x5": f"mixed{module}_5x5_pre_relu" for module in MODULES},
        "loss3_classifier": "logits",
    }
    pictures = torch.rand(2, 3, 224, 224)
    found = network.activations(pictures, list(same))
    expected = ours.activations(pictures, list(same.values()))
    for name, other in same.items():
        error = (found[name] - expected[other]).abs().max() / expected[other].abs().max()
        assert error < 1e-6, name
    assert network.output == "loss3_classifier"
    assert str(network.feature("logits:espresso")) == "loss3_classifier:967"


def _conv(**options: Any) -> Any:
    return onnx.helper.make_node("Conv", ["x", "w"], ["c"], name="conv", **options)


def _node(operator: str, *inputs: str, to: str = "y", **options: Any) -> Any:
    return onnx.helper.make_node(operator, inputs, [to], **options)


W = {"w": np.random.default_rng(0).standard_normal((5, 3, 3, 3), dtype=np.float32)}
POOLED = _node("GlobalAveragePool", "c", to="p")


def _logits(path: Path, pictures: Tensor) -> Tensor:
    return load(str(path))(pictures)


def test_a_softmax_and_single_positions_at_the_end_are_left_out(tmp_path: Path) -> None:
    nodes = [_conv(), POOLED, _node("Softmax", "p", axis=1)]
    path = write(tmp_path / "net.onnx", nodes, constants=W, shape=("N", 3, 8, 8))
    network = load(str(path))
    assert list(network.layers) == ["conv", "p", "logits"]
    pictures = torch.rand(2, 3, 8, 8)
    assert _close(network(pictures).softmax(1), _reference(path, pictures)["y"][:, :, 0, 0])


@pytest.mark.parametrize("rule", ["SAME_UPPER", "SAME_LOWER", "VALID"])
@pytest.mark.parametrize("stride", [1, 2])
def test_padding_by_rule(tmp_path: Path, rule: str, stride: int) -> None:
    pooled = _node("MaxPool", "c", to="m", kernel_shape=[2, 2], strides=[2, 2], auto_pad=rule)
    last = _node("GlobalMaxPool", "m")
    convolved = _conv(auto_pad=rule, strides=[stride, stride])
    path = write(tmp_path / "net.onnx", [convolved, pooled, last], constants=W, shape=(1, 3, 9, 9))
    pictures = torch.rand(2, 3, 9, 9)
    # ONNX's reference lacks this for max pools: padded by hand, by TensorFlow's documented rule
    same = rule != "VALID"
    before = {"SAME_UPPER": (0, 1), "SAME_LOWER": (1, 0)}.get(rule, (0, 0))
    weight = torch.from_numpy(W["w"])
    maps = F.conv2d(pictures, weight, stride=stride, padding=1 if same else 0)
    odd = maps.shape[-1] % 2 and same
    maps = F.pad(maps, before * 2 if odd else (0, 0), value=-torch.inf)
    assert _close(_logits(path, pictures), F.max_pool2d(maps, 2).amax((2, 3)))


@pytest.mark.parametrize("opset", [7, 12, 19, 22])
def test_pools_and_normalization_of_any_version(tmp_path: Path, opset: int) -> None:
    nodes = [
        _conv(),
        _node("Relu", "c", to="r"),
        _node("MaxPool", "r", to="m", kernel_shape=[3, 3], strides=[2, 2], pads=[0, 0, 1, 1]),
        _node("MaxPool", "m", to="n", kernel_shape=[2, 2]),
        _node("LRN", "n", to="l", size=3, alpha=0.5, bias=2.0),
        _node("Dropout", "l", to="d"),
        _node("GlobalAveragePool", "d", to="p"),
        _node("Flatten", "p"),
    ]
    path = write(tmp_path / "net.onnx", nodes, constants=W, opset=opset)
    pictures = torch.rand(2, 3, 8, 8)
    # not ONNX's reference, which normalizes as many channels as there are pictures
    maps = F.conv2d(pictures, torch.from_numpy(W["w"])).relu()
    maps = F.max_pool2d(F.max_pool2d(maps, 3, 2, ceil_mode=True), 2, 1)
    energy = torch.stack([maps[:, max(c - 1, 0) : c + 2].square().sum(1) for c in range(5)], 1)
    assert _close(_logits(path, pictures), (maps / (2 + 0.5 / 3 * energy) ** 0.75).mean((2, 3)))


def test_reshapes_of_one_picture_are_for_any_number(tmp_path: Path) -> None:
    shapes = {
        "flat": np.array([1, -1]),
        "merged": np.array([5, 36]),
        "back": np.array([1, 5, 6, 6]),
    }
    nodes = [
        _conv(),
        _node("Reshape", "c", "merged", to="m"),
        _node("Reshape", "m", "back", to="b"),
        _node("Sum", "b", "c", to="s"),
        _node("GlobalAveragePool", "s", to="p"),
        _node("Reshape", "p", "flat"),
    ]
    path = write(tmp_path / "net.onnx", nodes, constants=W | shapes)
    pictures = torch.rand(3, 3, 8, 8)
    assert _close(_logits(path, pictures), _reference(path, pictures)["y"])


def test_a_file_of_eight_pictures_takes_any_number(tmp_path: Path) -> None:
    nodes = [_conv(), POOLED, _node("Reshape", "p", "flat")]
    constants = W | {"flat": np.array([8, 5])}
    path = write(tmp_path / "net.onnx", nodes, constants=constants, shape=(8, 3, 8, 8))
    assert _logits(path, torch.rand(3, 3, 8, 8)).shape == (3, 5)


def test_what_depends_on_no_picture_becomes_a_constant(tmp_path: Path) -> None:
    nodes = [
        _node("Mul", "w", "two", to="w2"),
        onnx.helper.make_node("Conv", ["x", "w2"], ["c"], name="conv"),
        POOLED,
        _node("Flatten", "p"),
    ]
    constants = W | {"two": np.array(2, dtype=np.float32)}
    path = write(tmp_path / "net.onnx", nodes, constants=constants)
    assert torch.equal(load(str(path)).module.conv.weight, torch.from_numpy(2 * W["w"]))


def test_preprocessing_and_classes_are_those_that_a_file_states(tmp_path: Path) -> None:
    nodes = [_conv(), POOLED]
    path = write(tmp_path / "plain.onnx", nodes, constants=W, output="p")
    plain = load(str(path))
    assert (plain.preprocessing, plain.classes, plain.size) == (Preprocessing(), None, 8)
    stated = {"input": "BGR 0..255 minus (104,117,123) over (58)", "classes": "a\nb\nc\nd\ne"}
    path = write(tmp_path / "net.onnx", nodes, constants=W, output="p", metadata=stated)
    network = load(str(path))
    assert network.preprocessing == Preprocessing(
        range=(0, 255), mean=(104, 117, 123), std=58, order="BGR"
    )
    assert str(network.feature("logits:d")) == "logits:3"


def test_a_network_of_one_channel(tmp_path: Path) -> None:
    constants = {"w": W["w"][:, :1]}
    path = write(
        tmp_path / "net.onnx",
        [_conv(), POOLED],
        constants=constants,
        output="p",
        shape=(1, 1, 8, 8),
    )
    assert load(str(path)).preprocessing == Preprocessing(channels=1)


def test_its_record_has_the_files_digest(tmp_path: Path) -> None:
    path = write(tmp_path / "net.onnx", [_conv(), POOLED], constants=W, output="p")
    record = load(str(path)).record()
    assert record["name"] == "net.onnx"
    assert record["checkpoint_sha256"]


def test_it_can_be_copied_and_pickled(tmp_path: Path) -> None:
    network = load(str(_exported(_trained(Shuffled), tmp_path / "net.onnx")))
    pictures = torch.rand(2, 3, SIZE, SIZE)
    again = pickle.load(io.BytesIO(pickle.dumps(network)))
    assert torch.equal(again(pictures), network(pictures))
    assert torch.equal(network.copied()(pictures), network(pictures))


def test_paths_are_relative_to_a_recipe(tmp_path: Path) -> None:
    assert names.absolute("nets/net.onnx", folder=tmp_path) == str(tmp_path / "nets/net.onnx")


@pytest.mark.slow
def test_workers_compute_it(tmp_path: Path) -> None:
    network = load(str(_exported(_trained(Residual), tmp_path / "net.onnx")))
    pictures = torch.rand(2, 3, SIZE, SIZE)
    expected = network.activations(pictures, ["Add"])["Add"]
    workers = engine.local(workers=2)
    for _, found in workers.map(partial(network.activations, pictures), [["Add"]] * 2):
        assert torch.equal(found["Add"], expected)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["shufflenet_v2_x0_5", "mobilenet_v3_small", "efficientnet_b0", "convnext_tiny"]
)
def test_torchvisions_networks(tmp_path: Path, name: str) -> None:
    module = torchvision.models.get_model(name, weights=None).eval()
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_var.uniform_(0.01, 0.1)  # else the logits are their biases
    network = load(str(_exported(module, tmp_path / "net.onnx", size=64)))
    pictures = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        expected = module(pictures)
    assert (network(pictures) - expected).abs().max() < 1e-4 * expected.abs().max()
