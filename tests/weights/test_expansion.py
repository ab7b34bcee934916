"""Expanded weights against a slow reference: the derivative of a linear copy of the network."""

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from visioncircuits.errors import InputError
from visioncircuits.networks import (
    Concat,
    Direction,
    LayerGraph,
    Network,
    Preprocessing,
    Step,
    Unit,
    load,
    untrained,
    wrap,
)
from visioncircuits.networks.normalization import LocalResponseNorm
from visioncircuits.networks.padding import SameMaxPool2d, same_padding
from visioncircuits.weights import (
    Linearization,
    expanded_weights,
    expanded_weights_by_autograd,
)
from visioncircuits.weights.linearization import LOCAL


class SameAverage(nn.Module):
    """An average pool with TensorFlow's SAME padding, taken literally."""

    def forward(self, x: Tensor) -> Tensor:
        (top, bottom), (left, right) = (same_padding(n, kernel=3, stride=2) for n in x.shape[2:])
        return F.avg_pool2d(F.pad(x, (left, right, top, bottom)), 3, 2)


def linear_copy(module: nn.Module, *, repeat: bool = False) -> nn.Module:
    """Replace every nonlinearity of a copy: the published convention, module by module."""
    module = copy.deepcopy(module)
    for name, child in list(module.named_modules()):
        if isinstance(child, nn.ReLU | nn.LocalResponseNorm | LocalResponseNorm):
            module.set_submodule(name, nn.Identity())
        elif isinstance(child, SameMaxPool2d):
            module.set_submodule(name, SameAverage())
        elif isinstance(child, nn.MaxPool2d):
            average = nn.AvgPool2d(
                child.kernel_size,
                child.stride,
                child.padding,
                ceil_mode=child.ceil_mode,
                divisor_override=1 if repeat else child.kernel_size**2,
            )
            module.set_submodule(name, average)
    return module


def by_hand(module: nn.Module, inputs: Tensor, layer: str, hooks: dict[str, Any]) -> Tensor:
    """Run a module with hooks and return the first output of a layer."""
    kept: list[Tensor] = []
    handles = [module.get_submodule(n).register_forward_hook(hook) for n, hook in hooks.items()]
    handles.append(
        module.get_submodule(layer).register_forward_hook(lambda _m, _i, out: kept.append(out * 1))
    )
    module(inputs)
    for handle in handles:
        handle.remove()
    return kept[0]


def differentiated(
    network: Network, module: nn.Module, source: str, target: str, units: list[int]
) -> tuple[Tensor, tuple[int, int]]:
    """Differentiate `module`'s neurons in the middle: `(units, in, height, width)`, position."""
    kept: list[Tensor] = []

    def keep(_module: nn.Module, _inputs: tuple[Tensor], output: Tensor) -> Tensor:
        kept.append(output.detach().requires_grad_())
        return kept[-1] * 1

    picture = torch.rand(1, 3, network.size, network.size)
    with torch.enable_grad():
        output = by_hand(module, network.preprocessing(picture), target, {source: keep})
    row, column = output.shape[2] // 2, output.shape[3] // 2
    rows = [
        torch.autograd.grad(output[0, unit, row, column], kept[-1], retain_graph=True)[0][0]
        for unit in units
    ]
    return torch.stack(rows), (row, column)


def normalized(network: Network) -> Network:
    """Give batch normalizations statistics that change their values."""
    for module in network.module.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_var.uniform_(0.5, 2)
            module.weight.data.uniform_(-1, 2)
    return network


CASES = [
    ("bvlc_googlenet", "mixed3a", "mixed3b"),
    ("bvlc_googlenet", "conv2d0", "mixed3b"),
    ("bvlc_googlenet", "conv2d2", "mixed4a"),
    ("bvlc_googlenet", "mixed3a_5x5_bottleneck", "mixed3b_pool_reduce"),
    ("inceptionv1", "mixed3a", "mixed3b"),
    ("inceptionv1", "conv2d0", "mixed3a"),
    ("inceptionv1", "maxpool1", "mixed4a"),
    ("torchvision:squeezenet1_1", "features.3", "features.7"),
    ("torchvision:squeezenet1_1", "features.0", "features.4"),
    ("torchvision:resnet18", "maxpool", "layer2.1"),
    ("torchvision:resnet18", "layer1.1", "layer3.0"),
    ("torchvision:resnet18", "relu", "layer1.0.conv2"),
]
SLOW = (*CASES[1:3], *CASES[5:7])


@pytest.fixture(scope="module")
def networks() -> dict[str, Network]:
    torch.manual_seed(0)
    return {name: normalized(untrained(name)) for name in dict.fromkeys(n for n, _, _ in CASES)}


@pytest.mark.parametrize(
    ("name", "source", "target"),
    [pytest.param(*c, marks=pytest.mark.slow if c in SLOW else ()) for c in CASES],
)
def test_equal_the_derivative_of_the_linearized_network(
    on_map, networks: dict[str, Network], name: str, source: str, target: str
) -> None:
    network = networks[name]
    count = network.layer(target).units
    branches = network.branches(target).values() or [range(count)]
    units = [unit for branch in branches for unit in (branch[0], branch[-1])]
    expected, position = differentiated(network, linear_copy(network.module), source, target, units)
    weights = expanded_weights(network, source, target)
    assert weights.weight.shape[:2] == (count, network.layer(source).units)
    found = on_map(weights, position, expected.shape[2:])[units]
    assert (found - expected).abs().max() < 1e-5 * expected.abs().max()
    nonzero = expected.abs().amax((0, 1)) > 0
    assert nonzero.any(1).sum() == weights.weight.shape[2], "the window is no larger than necessary"


@pytest.mark.weights
@pytest.mark.parametrize(
    ("name", "source", "target"),
    [
        ("bvlc_googlenet", "mixed3a", "mixed3b"),
        ("bvlc_googlenet", "conv2d0", "mixed3b"),
        ("torchvision:squeezenet1_1", "features.0", "features.7"),
    ],
)
def test_equal_the_derivative_on_trained_weights(
    on_map, checkpoints, name: str, source: str, target: str
) -> None:
    file = f"{name.removeprefix('torchvision:')}.safetensors"
    network = load(name, checkpoint=checkpoints / file)
    units = [3, 100, 200, network.layer(target).units - 1]
    expected, position = differentiated(network, linear_copy(network.module), source, target, units)
    weights = expanded_weights(network, source, [f"{target}:{unit}" for unit in units])
    found = on_map(weights, position, expected.shape[2:])
    assert (found - expected).abs().max() < 1e-5 * expected.abs().max()


def test_repeat_weights_over_the_region_of_a_max_pool(on_map, networks: dict[str, Network]) -> None:
    network = networks["bvlc_googlenet"]
    repeat = Linearization(max_pool="repeat")
    weights = expanded_weights(network, "mixed3a", "mixed3b_pool_reduce", linearization=repeat)
    own = network.module.operation("mixed3b_pool_reduce_pre_relu").weight
    assert torch.equal(weights.weight, own.expand(-1, -1, 3, 3))
    twin = linear_copy(network.module, repeat=True)
    expected, position = differentiated(network, twin, "conv2d2", "mixed3b", [450])
    found = expanded_weights(network, "conv2d2", "mixed3b:450", linearization=repeat)
    laid = on_map(found, position, expected.shape[2:])
    assert (laid - expected).abs().max() < 1e-5 * expected.abs().max()


def test_of_a_plain_convolution_are_its_kernels(networks: dict[str, Network]) -> None:
    network = networks["bvlc_googlenet"]
    weights = expanded_weights(network, "conv2d1", "conv2d2")
    assert torch.equal(weights.weight, network.module.operation("conv2d2_pre_relu").weight)
    assert (weights.stride, weights.offset) == ((1, 1), (-1, -1))


def test_from_the_picture_are_in_rgb_of_0_to_1(networks: dict[str, Network]) -> None:
    network = networks["bvlc_googlenet"]
    weights = expanded_weights(network, "input", "conv2d0")
    own = network.module.operation("conv2d0_pre_relu").weight
    assert torch.allclose(weights.weight, 255 * own.flip(1))
    assert (weights.stride, weights.offset) == ((2, 2), (-3, -3))


@pytest.mark.parametrize(
    ("source", "target"),
    [("conv2d2", "mixed3b"), ("mixed3b", "mixed4a"), ("conv2d0", "mixed3a"), ("input", "conv2d2")],
)
def test_do_not_depend_on_the_direction_of_composition(
    networks: dict[str, Network], source: str, target: str
) -> None:
    network = networks["inceptionv1"]
    whole = expanded_weights(network, source, target)
    one = expanded_weights(network, Unit(source, 2) if source != "input" else source, target)
    column = whole.weight if source == "input" else whole.weight[:, 2:3]
    assert (one.stride, one.offset) == (whole.stride, whole.offset)
    assert (one.weight - column).abs().max() < 1e-5 * column.abs().max()


@pytest.mark.slow
def test_of_features_are_combinations_of_those_of_units(networks: dict[str, Network]) -> None:
    network = networks["bvlc_googlenet"]
    whole = expanded_weights(network, "conv2d2", "mixed3b")
    into = torch.randn(480)
    out_of = torch.randn(192)
    weights = expanded_weights(
        network,
        [Direction("conv2d2", tuple(out_of.tolist())), "conv2d2:7"],
        [Direction("mixed3b", tuple(into.tolist())), "mixed3b:470"],
    )
    expected = torch.einsum("o,oiyx,i->yx", into, whole.weight, out_of)
    assert torch.allclose(weights.weight[0, 0], expected, atol=1e-5 * expected.abs().max())
    assert [str(f) for f in weights.outputs] == ["mixed3b:direction", "mixed3b:470"]
    forwards = expanded_weights(network, Direction("conv2d2", tuple(out_of.tolist())), "mixed3b")
    expected = torch.einsum("oiyx,i->oyx", whole.weight, out_of)
    assert torch.allclose(forwards.weight[:, 0], expected, atol=1e-5 * float(expected.abs().max()))


def test_of_a_branch_are_no_larger_than_its_receptive_field(networks: dict[str, Network]) -> None:
    network = networks["bvlc_googlenet"]
    sizes = {
        unit: tuple(expanded_weights(network, "mixed3a", f"mixed3b:{unit}").weight.shape[2:])
        for unit in (0, 128, 320, 416)
    }
    assert sizes == {0: (1, 1), 128: (3, 3), 320: (5, 5), 416: (3, 3)}


def test_from_three_layers_before_are_as_large_as_counted_by_hand(
    networks: dict[str, Network],
) -> None:
    """5 × 5 of mixed3a, 9 × 9 of the pool, 19 × 19 of conv2d2, 21 × 21 of conv2d1."""
    for name in ("bvlc_googlenet", "inceptionv1"):
        weights = expanded_weights(networks[name], "conv2d1", "mixed3b:330")
        assert tuple(weights.weight.shape[2:]) == (21, 21)


def test_through_a_bottleneck_are_of_its_rank(networks: dict[str, Network]) -> None:
    network = networks["bvlc_googlenet"]
    width = network.layer("mixed3b_5x5_bottleneck").units
    weights = expanded_weights(network, "mixed3a", "mixed3b_5x5").weight.double()
    of_inputs = weights.transpose(0, 1).flatten(1)
    assert of_inputs.shape == (256, 96 * 25)
    assert width == 32
    assert torch.linalg.matrix_rank(of_inputs, rtol=1e-5) == width


def test_through_a_max_pool_and_a_convolution_of_one_position_are_alike_over_its_region(
    networks: dict[str, Network],
) -> None:
    network = networks["bvlc_googlenet"]
    weights = expanded_weights(network, "mixed3a", "mixed3b_pool_reduce").weight
    own = network.module.operation("mixed3b_pool_reduce_pre_relu").weight
    assert weights.shape == (64, 256, 3, 3)
    assert torch.allclose(weights, (own / 9).expand(-1, -1, 3, 3), atol=1e-7)


@pytest.mark.parametrize("position", [(0, 0), (27, 0), (13, 14)])
def test_to_one_neuron_omit_positions_beyond_the_border(
    on_map, networks: dict[str, Network], position: tuple[int, int]
) -> None:
    network = networks["bvlc_googlenet"]
    weights = expanded_weights(network, "conv2d2", "mixed3b:330", position=position)
    assert weights.stride == (0, 0)
    values = torch.randn(1, 192, 56, 56)
    module = linear_copy(network.module)
    module.set_submodule("localresponsenorm1", nn.Identity())
    for part in module.modules():
        if isinstance(part, nn.Conv2d) and part.bias is not None:
            part.bias.data.zero_()
    inputs, given = torch.zeros(1, 3, 224, 224), {"conv2d2": lambda *_: values}
    expected = by_hand(module, inputs, "mixed3b", given)
    found = (on_map(weights, position, (56, 56))[0] * values[0]).sum()
    assert float(found) == pytest.approx(float(expected[0, 330, *position]), rel=1e-4)


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        ("mixed3b", "mixed3a", "mixed3b comes after mixed3a"),
        ("mixed3b_1x1", "mixed3b_3x3", "no path leads from mixed3b_1x1 to mixed3b_3x3"),
        ("mixed3a", "mixed3a", "nothing lies between them"),
        ("mixed3a:256", "mixed3b", "units 0 to 255"),
        ("mixed3a", "mixed3c", "unknown layer 'mixed3c'"),
        (["mixed3a:1", "mixed3b:1"], "mixed4a", "of mixed3a and mixed3b"),
        ([], "mixed4a", "no feature is given"),
        ("conv2d0", "input", "conv2d0 comes after input"),
        (
            "conv2d0",
            "mixed5b",
            r"355 × 355 each, take 30\.8 GiB, .* at most 66 features of mixed5b",
        ),
    ],
)
def test_invalid_layers_raise(networks, source, target, message: str) -> None:
    with pytest.raises(InputError, match=message):
        expanded_weights(networks["bvlc_googlenet"], source, target)


def test_error_reports_the_size_of_a_result_that_does_not_fit(networks) -> None:
    with pytest.raises(InputError, match=r"take 6\.7 GiB.*; request fewer features of mixed3a"):
        expanded_weights(networks["bvlc_googlenet"], "mixed3a", "mixed5b", memory=1000)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"linearization": Linearization(rectifier="gate")}, "depends on pictures"),
        (
            {"linearization": LOCAL, "pictures": torch.zeros(1, 3, 224, 224)},
            "differs between neurons",
        ),
        (
            {"pictures": torch.zeros(2, 3, 224, 224), "position": (0, 0)},
            "computed on one picture, not on 2",
        ),
        ({"position": (28, 0)}, "no neuron at .28, 0.; it has 28 rows"),
    ],
)
def test_contradictory_options_raise(networks, options, message: str) -> None:
    with pytest.raises(InputError, match=message):
        expanded_weights(networks["bvlc_googlenet"], "mixed3a", "mixed3b", **options)


def test_to_a_neuron_with_only_padding_in_its_field_raise() -> None:
    module = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 5, 1, padding=2))
    network = wrap(module, Preprocessing(), size=16)
    for weigh in (expanded_weights, expanded_weights_by_autograd):
        for source in ("0", "input"):
            with pytest.raises(InputError, match=rf"depends on nothing of {source} but padding"):
                weigh(network, source, "1", position=(0, 0))


def test_of_a_branch_with_only_padding_in_its_field_are_zero(on_map) -> None:
    nodes = {
        "first": Step(nn.Conv2d(3, 4, 3, padding=1), ("input",)),
        "near": Step(nn.Conv2d(4, 2, 5, padding=4), ("first",)),
        "wide": Step(nn.Conv2d(4, 2, 1, padding=2), ("first",)),
        "both": Step(Concat(), ("near", "wide")),
    }
    network = Network(LayerGraph(nodes, output="both"), Preprocessing(), size=16)
    weights = expanded_weights(network, "first", "both", position=(1, 2))
    derivative = expanded_weights_by_autograd(network, "first", "both", position=(1, 2))
    assert weights.weight[:2].any()
    assert not weights.weight[2:].any()
    torch.testing.assert_close(
        on_map(weights, (0, 0), (16, 16)), on_map(derivative, (0, 0), (16, 16))
    )
