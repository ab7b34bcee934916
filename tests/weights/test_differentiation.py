"""Expanded weights by autograd equal those by composition, and exist for more operations."""

import pytest
import torch
from torch import nn

from visioncircuits.errors import InputError
from visioncircuits.networks import Network, Preprocessing, untrained, wrap
from visioncircuits.weights import (
    LOCAL,
    Linearization,
    expanded_weights,
    expanded_weights_by_autograd,
)


@pytest.fixture(scope="module")
def network() -> Network:
    return untrained("bvlc_googlenet", seed=1)


@pytest.mark.parametrize("position", [None, (0, 0), (27, 3)])
@pytest.mark.parametrize(
    "linearization",
    [
        Linearization(),
        Linearization(max_pool="repeat"),
        Linearization(rectifier="gate"),
        Linearization(max_pool="route", rectifier="gate"),
    ],
    ids=lambda choice: f"{choice.max_pool}-{choice.rectifier}",
)
def test_equal_composed_weights(
    on_map, network: Network, linearization: Linearization, position: tuple[int, int] | None
) -> None:
    rows = ["mixed3b:5", "mixed3b:200", "mixed3b:350", "mixed3b:470"]
    options = {"linearization": linearization, "pictures": torch.rand(1, 3, 224, 224)}
    slow = expanded_weights_by_autograd(network, "conv2d0", rows, position=position, **options)
    at = tuple(slow.record["position"])
    assert at == (position or (14, 14))
    fast = expanded_weights(network, "conv2d0", rows, position=at, **options)
    shape = (112, 112)
    error = (on_map(fast, (0, 0), shape) - on_map(slow, (0, 0), shape)).abs().max()
    assert error < 1e-5 * slow.weight.abs().max()


def test_differ_if_a_normalization_mixes_units(on_map, network: Network) -> None:
    """A gain is not the whole derivative of a normalization, and is not meant to be."""
    options = {"linearization": LOCAL, "pictures": torch.rand(1, 3, 224, 224)}
    slow = expanded_weights_by_autograd(network, "maxpool0", "conv2d1_pre_relu:3", **options)
    at = tuple(slow.record["position"])
    fast = expanded_weights(network, "maxpool0", "conv2d1_pre_relu:3", position=at, **options)
    shape = (56, 56)
    difference = (
        on_map(fast, (0, 0), shape) - on_map(slow, (0, 0), shape)
    ).abs().max() / slow.weight.abs().max()
    assert difference > 1e-3


def test_differentiate_operations_without_a_replacement() -> None:
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Softplus(), nn.Conv2d(4, 5, 3))
    network = wrap(module, Preprocessing(), size=16)
    picture = torch.rand(1, 3, 16, 16)
    weights = expanded_weights_by_autograd(network, "0", "2:1", pictures=picture, position=(2, 3))
    slope = torch.sigmoid(network.activations(picture, ["0"])["0"])[0, :, 2:5, 3:6]
    expected = module[2].weight[1].detach() * slope
    assert torch.allclose(weights.weight[0], expected, atol=1e-6)
    assert weights.offset == (2, 3)


def test_leave_neither_hooks_nor_gradients(network: Network) -> None:
    picture = torch.rand(1, 3, 224, 224)
    before = network.activations(picture, ["mixed3b"])["mixed3b"]
    expanded_weights_by_autograd(network, "conv2d2", "mixed3b:1")
    assert torch.equal(network.activations(picture, ["mixed3b"])["mixed3b"], before)
    assert all(parameter.grad is None for parameter in network.module.parameters())
    assert not any(module._forward_hooks for module in network.module.modules())


def test_the_source_can_be_the_picture(network: Network) -> None:
    slow = expanded_weights_by_autograd(network, "input", "conv2d0:7", position=(50, 50))
    fast = expanded_weights(network, "input", "conv2d0:7")
    assert torch.allclose(slow.weight, fast.weight, rtol=1e-4)
    assert slow.offset == (97, 97)


@pytest.mark.parametrize(
    ("source", "target", "pictures", "message"),
    [
        ("mixed3b", "mixed3a:1", None, "mixed3a does not depend on mixed3b"),
        ("mixed3b_1x1", "mixed3b_3x3:1", None, "mixed3b_3x3 does not depend on mixed3b_1x1"),
        ("mixed3a", "mixed3b:1", torch.zeros(2, 3, 224, 224), "at one picture, not at 2"),
    ],
)
def test_invalid_layers_and_pictures_raise(network, source, target, pictures, message: str) -> None:
    with pytest.raises(InputError, match=message):
        expanded_weights_by_autograd(network, source, target, pictures=pictures)
