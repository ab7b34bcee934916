import re
import struct
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torchvision
from safetensors.torch import load_file, save_file
from torch import Tensor

from visioncircuits.errors import InputError
from visioncircuits.networks.conversion import LUCENT, OURS, read_parameters
from visioncircuits.networks.inceptionv1 import VARIANTS, inceptionv1

Parameters = dict[str, Tensor]


def _like(variant: str) -> Parameters:
    with torch.device("meta"):
        return inceptionv1(VARIANTS[variant]).state_dict()


@pytest.fixture(scope="module")
def google() -> Parameters:
    return _random("inceptionv1")


@pytest.fixture(scope="module")
def bvlc() -> Parameters:
    return _random("bvlc_googlenet")


def _random(variant: str) -> Parameters:
    generator = torch.Generator().manual_seed(5)
    return {n: torch.randn(t.shape, generator=generator) for n, t in _like(variant).items()}


def _assert_same(found: Parameters, expected: Parameters) -> None:
    assert list(found) == list(expected)
    for name, tensor in expected.items():
        assert found[name].dtype == torch.float32
        assert torch.equal(found[name], tensor), name


def _translate(name: str, words: dict[str, str]) -> str:
    """Replace whole words of one of our names, longest first."""
    longest = sorted(words, key=len, reverse=True)
    return re.sub("|".join(map(re.escape, longest)), lambda match: words[match[0]], name)


# Each library's names, derived from ours by substitution, unlike in the code.
IN_LUCENT = {"_pre_relu": "_pre_relu_conv", "logits": "softmax2_pre_activation_matmul"}
IN_CAPTUM = {
    "conv2d0_pre_relu": "conv1",
    "conv2d1_pre_relu": "conv2",
    "conv2d2_pre_relu": "conv3",
    "_1x1_pre_relu": ".conv_1x1",
    "_3x3_bottleneck_pre_relu": ".conv_3x3_reduce",
    "_3x3_pre_relu": ".conv_3x3",
    "_5x5_bottleneck_pre_relu": ".conv_5x5_reduce",
    "_5x5_pre_relu": ".conv_5x5",
    "_pool_reduce_pre_relu": ".pool_proj",
    "logits": "fc",
}
IN_CAFFE = {
    "conv2d0_pre_relu": "conv1/7x7_s2",
    "conv2d1_pre_relu": "conv2/3x3_reduce",
    "conv2d2_pre_relu": "conv2/3x3",
    "mixed": "inception_",
    "_1x1_pre_relu": "/1x1",
    "_3x3_bottleneck_pre_relu": "/3x3_reduce",
    "_3x3_pre_relu": "/3x3",
    "_5x5_bottleneck_pre_relu": "/5x5_reduce",
    "_5x5_pre_relu": "/5x5",
    "_pool_reduce_pre_relu": "/pool_proj",
    "logits": "loss3/classifier",
}
IN_ONNX = IN_CAFFE | {".weight": "_w_0", ".bias": "_b_0"}


def _named(parameters: Parameters, words: dict[str, str], *extra: str) -> Parameters:
    named = {_translate(name, words): tensor for name, tensor in parameters.items()}
    return named | {name: torch.zeros(3) for name in extra}


def _write_onnx(parameters: Parameters, path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    tensors = [onnx.numpy_helper.from_array(t.numpy(), name) for name, t in parameters.items()]
    graph = onnx.helper.make_graph([], "googlenet", [], [], tensors)
    path.write_bytes(onnx.helper.make_model(graph).SerializeToString())


def _sevens(value: int) -> bytes:
    """An integer in protobuf: seven bits a byte, lowest first, the top bit set but on the last."""
    low, rest = value & 127, value >> 7
    return bytes([low | 128]) + _sevens(rest) if rest else bytes([low])


def _delimited(number: int, content: bytes) -> bytes:
    """A protobuf field of bytes: number and kind 2, the length, the bytes."""
    return _sevens(number << 3 | 2) + _sevens(len(content)) + content


def _write_caffemodel(parameters: Parameters, path: Path) -> None:
    """Write every layer as Caffe did in 2014: 4-d blobs, the weight before the bias."""
    layers: dict[str, list[bytes]] = {}
    for name, tensor in sorted(parameters.items(), key=lambda item: item[0].endswith("bias")):
        shape = (1,) * (4 - tensor.dim()) + tuple(tensor.shape)
        dims = b"".join(
            _sevens(number << 3) + _sevens(size) for number, size in enumerate(shape, start=1)
        )
        numbers = struct.pack(f"<{tensor.numel()}f", *tensor.flatten().tolist())
        layer = layers.setdefault(name.rpartition(".")[0], [])
        layer.append(_delimited(6, dims + _delimited(5, numbers)))
    with path.open("wb") as file:
        file.write(_delimited(1, b"GoogleNet"))
        for layer_name, blobs in layers.items():
            file.write(_delimited(2, _delimited(4, layer_name.encode()) + b"".join(blobs)))


def test_our_names_are_those_of_the_network() -> None:
    for variant in VARIANTS:
        assert sorted(OURS.parameters()) == sorted(_like(variant))


def test_lucents_names_and_shapes_are_those_of_its_class(google: Parameters) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of kornia, about torch.jit
        module = pytest.importorskip("lucent.modelzoo.inceptionv1.InceptionV1")
    theirs = module.InceptionV1(pretrained=False).state_dict()
    assert sorted(theirs) == sorted(LUCENT.parameters())
    for name, tensor in _named(google, IN_LUCENT).items():
        assert theirs[name].shape == tensor.shape


def test_lucents_file_is_converted(tmp_path: Path, google: Parameters) -> None:
    heads = [
        f"{layer}.{kind}"
        for head in "01"
        for layer in (
            f"head{head}_bottleneck_pre_relu_conv",
            f"nn{head}_pre_relu_matmul",
            f"softmax{head}_pre_activation_matmul",
        )
        for kind in ("weight", "bias")
    ]
    path = tmp_path / "inception5h.pth"
    torch.save(_named(google, IN_LUCENT, *heads), path)
    _assert_same(read_parameters(path, _like("inceptionv1")), google)


def test_captums_file_is_converted(tmp_path: Path, google: Parameters) -> None:
    path = tmp_path / "inception5h.pth"
    torch.save(_named(google, IN_CAPTUM, "aux1.conv.weight", "aux2.fc2.bias"), path)
    _assert_same(read_parameters(path, _like("inceptionv1")), google)


def test_an_onnx_file_is_converted(tmp_path: Path, bvlc: Parameters) -> None:
    path = tmp_path / "googlenet-12.onnx"
    shape = {"OC2_DUMMY_1": torch.tensor([1, 1024])}
    _write_onnx(_named(bvlc, IN_ONNX) | shape, path)
    _assert_same(read_parameters(path, _like("bvlc_googlenet")), bvlc)


def test_a_caffemodel_is_converted(tmp_path: Path, bvlc: Parameters) -> None:
    path = tmp_path / "bvlc_googlenet.caffemodel"
    heads = ("loss1/conv.weight", "loss1/conv.bias", "loss2/classifier.weight")
    _write_caffemodel(_named(bvlc, IN_CAFFE, *heads), path)
    _assert_same(read_parameters(path, _like("bvlc_googlenet")), bvlc)


def test_our_own_file_is_read_as_it_is(tmp_path: Path, google: Parameters) -> None:
    save_file(google, tmp_path / "inceptionv1.safetensors")
    _assert_same(
        read_parameters(tmp_path / "inceptionv1.safetensors", _like("inceptionv1")), google
    )


@pytest.mark.weights
def test_the_real_googlenet_is_read_in_place(checkpoints: Path) -> None:
    path = checkpoints / "bvlc_googlenet.safetensors"
    raw, found = load_file(path), read_parameters(path, _like("bvlc_googlenet"))
    assert sum(tensor.numel() for tensor in found.values()) == 6_998_552
    assert _named(found, IN_CAFFE).keys() == raw.keys()
    for name, tensor in _named(found, IN_CAFFE).items():
        assert torch.equal(tensor, raw[name]), name


def _without_a_bias(parameters: Parameters) -> Parameters:
    return {n: t for n, t in parameters.items() if n != "inception_3b/5x5.bias"}


def _with_another_layer(parameters: Parameters) -> Parameters:
    return parameters | {"loss4/classifier.weight": torch.zeros(3)}


def _with_a_transposed_kernel(parameters: Parameters) -> Parameters:
    name = "inception_3b/5x5.weight"
    return parameters | {name: parameters[name].transpose(0, 1).contiguous()}


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (_without_a_bias, "lacks 'inception_3b/5x5.bias'"),
        (_with_another_layer, "no 'loss4/classifier.weight'"),
        (_with_a_transposed_kernel, "'mixed3b_5x5_pre_relu.weight' has the shape (32, 96, 5, 5)"),
    ],
)
def test_a_corrupted_checkpoint_raises_with_the_tensors_name(
    tmp_path: Path,
    bvlc: Parameters,
    spoil: Callable[[Parameters], Parameters],
    complaint: str,
) -> None:
    path = tmp_path / "bvlc_googlenet.safetensors"
    save_file(spoil(_named(bvlc, IN_CAFFE)), path)
    with pytest.raises(InputError, match=re.escape(complaint)) as error:
        read_parameters(path, _like("bvlc_googlenet"))
    assert str(path) in str(error.value)


def test_a_file_of_one_variant_raises_for_the_other(tmp_path: Path, bvlc: Parameters) -> None:
    save_file(bvlc, tmp_path / "net.safetensors")
    with pytest.raises(InputError, match=r"for another network: 'mixed4a_3x3_pre_relu\.weight'"):
        read_parameters(tmp_path / "net.safetensors", _like("inceptionv1"))


def test_a_file_of_other_tensors_raises(tmp_path: Path) -> None:
    save_file({"layer.weight": torch.zeros(3)}, tmp_path / "net.safetensors")
    with pytest.raises(
        InputError,
        match=r"lacks 'conv2d0_pre_relu\.weight' and 115 other parameters, and this network has no "
        "'layer.weight'$",
    ):
        read_parameters(tmp_path / "net.safetensors", _like("bvlc_googlenet"))


def test_half_precision_is_converted_to_the_modules_dtype(
    tmp_path: Path, google: Parameters
) -> None:
    halved = {name: tensor.half() for name, tensor in google.items()}
    save_file(halved, tmp_path / "net.safetensors")
    found = read_parameters(tmp_path / "net.safetensors", _like("inceptionv1"))
    _assert_same(found, {name: tensor.float() for name, tensor in halved.items()})


def test_another_network_keeps_its_names_and_needs_no_counters(tmp_path: Path) -> None:
    """ResNet-18 shares a few names with Captum's InceptionV1, and its file has no counters."""
    module = torchvision.models.resnet18()
    state = module.state_dict()
    trained = {n: t for n, t in state.items() if not n.endswith("num_batches_tracked")}
    torch.save(trained, tmp_path / "resnet18.pth")
    found = read_parameters(tmp_path / "resnet18.pth", state)
    assert list(found) == list(state)
    assert all(torch.equal(found[name], state[name]) for name in state)
    module.load_state_dict(found)


@pytest.mark.parametrize("wrapper", ["module.", "model.", "_orig_mod.module."])
def test_what_a_wrapper_puts_before_every_name_is_removed(tmp_path: Path, wrapper: str) -> None:
    like = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3)).state_dict()
    save_file(
        {f"{wrapper}{name}": value for name, value in like.items()}, tmp_path / "a.safetensors"
    )
    _assert_same(read_parameters(tmp_path / "a.safetensors", like), dict(like))
    own = {f"{wrapper}{name}": value for name, value in like.items()}
    _assert_same(read_parameters(tmp_path / "a.safetensors", own), own)


def test_names_are_kept_where_only_some_begin_like_a_wrappers(tmp_path: Path) -> None:
    like = {"0.weight": torch.ones(1)}
    save_file({"module.0.weight": torch.ones(1), "loss": torch.ones(1)}, tmp_path / "a.safetensors")
    with pytest.raises(InputError, match=r"lacks '0.weight', and .* no 'loss' and 1 other param"):
        read_parameters(tmp_path / "a.safetensors", like)


@pytest.mark.weights
def test_the_real_squeezenet_fits_torchvisions_module(checkpoints: Path) -> None:
    module = torchvision.models.squeezenet1_1()
    found = read_parameters(checkpoints / "squeezenet1_1.safetensors", module.state_dict())
    module.load_state_dict(found)
