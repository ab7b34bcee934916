"""Contributions sum to the activation and equal gradient times activation."""

from pathlib import Path

import pytest
import torch
from torch import nn

from visioncircuits.errors import InputError
from visioncircuits.networks import Direction, Network, Preprocessing, load, untrained, wrap
from visioncircuits.weights import (
    ExpandedWeights,
    Flow,
    contextual_weights,
    expanded_weights,
    strongest_inputs,
)


@pytest.fixture(scope="module")
def network() -> Network:
    found = untrained("torchvision:resnet18", seed=2)
    for name, values in found.module.named_parameters():
        if ".bn" in name and name.endswith("bias"):  # untrained, they would shift nothing
            torch.nn.init.uniform_(values, -0.1, 0.1, generator=torch.Generator().manual_seed(3))
    return found


def test_contributions_and_constant_add_up_to_the_activation(network: Network) -> None:
    pictures = torch.rand(2, 3, 96, 96)
    for picture, flow in zip(
        pictures, contextual_weights(network, "layer1", "layer3:5", pictures), strict=True
    ):
        values = network.activations(picture[None], ["layer3"])["layer3"][0, 5]
        assert flow.activation == float(values.max())
        assert flow.activation == pytest.approx(float(values[flow.position]))
        total = float(flow.contributions.sum()) + flow.constant
        assert total == pytest.approx(flow.activation)
        assert abs(flow.constant) > 0.01 * flow.activation, "batch normalizations shift"


def test_constant_is_zero_without_biases() -> None:
    module = nn.Sequential(
        nn.Conv2d(3, 6, 5, bias=False),
        nn.ReLU(),
        nn.LocalResponseNorm(3),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 4, 3, bias=False),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(4 * 36, 5, bias=False),
    )
    network = wrap(module, Preprocessing(), size=20)
    picture = torch.rand(1, 3, 20, 20)
    (flow,) = contextual_weights(network, "input", "7:3", picture)
    assert flow.activation == float(network(picture)[0, 3])
    assert flow.constant == pytest.approx(0, abs=1e-5)
    assert repr(flow).startswith("Flow(input → 7:3, neuron")
    assert len(repr(flow)) < 200


def test_equal_gradient_times_activation(network: Network) -> None:
    picture = torch.rand(1, 3, 96, 96)
    (flow,) = contextual_weights(network, "maxpool", "layer2:9", picture, position=(3, 10))
    with torch.enable_grad():
        found = network.activations(picture, ["maxpool"])["maxpool"].requires_grad_()
        later = network.module.layer2(network.module.layer1(found))
        (gradient,) = torch.autograd.grad(later[0, 9, 3, 10], found)
    expected = (gradient * found)[0].detach()
    laid = torch.zeros_like(expected)
    (top, left), (height, width) = flow.weights.offset, flow.weights.weight.shape[2:]
    laid[:, top : top + height, left : left + width] = flow.weights.weight[0]
    assert torch.allclose(laid, expected, atol=1e-5 * float(expected.abs().max()))


def test_contributions_to_a_direction_combine_those_to_its_units(network: Network) -> None:
    picture = torch.rand(1, 3, 96, 96)
    vector = torch.randn(128)
    (flow,) = contextual_weights(
        network, "layer1", Direction("layer2", tuple(vector.tolist())), picture, position=(5, 5)
    )
    parts = [
        contextual_weights(network, "layer1", f"layer2:{unit}", picture, position=(5, 5))[0]
        for unit in (0, 50)
    ]
    two = Direction("layer2", tuple((i == 0) + 2.0 * (i == 50) for i in range(128)))
    (sum_,) = contextual_weights(network, "layer1", two, picture, position=(5, 5))
    expected = parts[0].contributions + 2 * parts[1].contributions
    assert torch.allclose(sum_.contributions, expected, atol=1e-5)
    values = network.activations(picture, ["layer2"])["layer2"][0, :, 5, 5]
    assert flow.activation == pytest.approx(float(vector @ values), rel=1e-4)


@pytest.mark.weights
def test_add_up_through_normalizations_of_a_trained_network(checkpoints) -> None:
    network = load("bvlc_googlenet", checkpoint=checkpoints / "bvlc_googlenet.safetensors")
    picture = torch.rand(1, 3, 96, 96)
    (flow,) = contextual_weights(network, "conv2d1", "mixed3a_pre_relu:106", picture)
    connections = strongest_inputs(flow.weights, top=64)
    assert sum(connection.share for connection in connections) == pytest.approx(1)
    values = network.activations(picture, ["mixed3a_pre_relu"])["mixed3a_pre_relu"][0, 106]
    assert flow.activation == float(values.max())


def test_unknown_feature_and_wrong_order_raise(network: Network) -> None:
    with pytest.raises(InputError, match="units 0 to 255"):
        contextual_weights(network, "layer1", "layer3:300", torch.rand(1, 3, 96, 96))
    with pytest.raises(InputError, match="comes after"):
        contextual_weights(network, "layer3", "layer1:3", torch.rand(1, 3, 96, 96))


@pytest.mark.parametrize("suffix", [".npz", ".nc"])
def test_a_flow_shows_itself_and_is_read_back(tmp_path: Path, suffix: str) -> None:
    small, picture = untrained("bvlc_googlenet"), torch.rand(1, 3, 64, 64)
    (flow,) = contextual_weights(small, "conv2d2", "mixed3a:7", picture)
    again = Flow.load(flow.save(tmp_path / f"flow{suffix}"))
    assert torch.equal(again.weights.weight, flow.weights.weight)
    assert (again.position, again.activation) == (flow.position, flow.activation)
    assert again.weights.record.keys() == flow.weights.record.keys()
    assert again._repr_png_() == flow._repr_png_()
    with pytest.raises(InputError, match="not contributions"):
        Flow.load(expanded_weights(small, "conv2d2", "mixed3a:7").save(tmp_path / f"w{suffix}"))
    assert ExpandedWeights.load(tmp_path / f"flow{suffix}").offset == flow.weights.offset
