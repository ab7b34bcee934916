"""Expanded weights through each kind of operation, against its definition."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from visioncircuits.errors import InputError
from visioncircuits.networks import Concat, LayerGraph, Network, Preprocessing, Step, wrap
from visioncircuits.weights import (
    LOCAL,
    Linearization,
    expanded_weights,
    expanded_weights_by_autograd,
)


def test_local_map_times_its_input_is_the_activation(on_map) -> None:
    """A bias-free piecewise linear network is its local linear map times its input."""
    torch.manual_seed(1)
    graph = LayerGraph(
        {
            "a": Step(nn.Conv2d(3, 6, 5, 2, padding=2, bias=False), ("input",)),
            "b": Step(nn.ReLU(inplace=True), ("a",)),
            "pool": Step(nn.MaxPool2d(3, 2, ceil_mode=True), ("b",)),
            "one": Step(nn.Conv2d(6, 4, 1, bias=False), ("pool",)),
            "three": Step(nn.Conv2d(6, 5, 3, padding=1, bias=False), ("pool",)),
            "join": Step(Concat(), ("one", "three")),
            "c": Step(nn.LeakyReLU(0.2), ("join",)),
            "d": Step(nn.Conv2d(9, 7, 3, padding=1, bias=False), ("c",)),
        },
        output="d",
    )
    network = wrap(graph, Preprocessing(), size=32)
    picture = torch.rand(1, 3, 32, 32)
    found = network.activations(picture, ["b", "d"])
    for position in ((4, 4), (0, 7)):
        weights = expanded_weights(
            network, "b", "d", linearization=LOCAL, pictures=picture, position=position
        )
        flowed = on_map(weights, position, (16, 16)) * found["b"]
        expected = found["d"][0, :, *position]
        assert torch.allclose(flowed.sum((1, 2, 3)), expected, atol=1e-5)


def test_averaged_gates_are_the_frequency_of_activation() -> None:
    torch.manual_seed(2)
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 2, 3), nn.Conv2d(2, 5, 1))
    network = wrap(module, Preprocessing(), size=16)
    pictures = torch.rand(6, 3, 16, 16)
    weights = expanded_weights(
        network, "0", "2", linearization=Linearization(rectifier="gate"), pictures=pictures
    )
    frequency = (network.activations(pictures, ["1"])["1"] > 0).float().mean((0, 2, 3))
    assert 0 < frequency.min() < frequency.max() < 1
    assert torch.allclose(weights.weight, module[2].weight * frequency[:, None, None])


def test_gain_of_a_normalization_is_averaged_over_pictures(network: Network) -> None:
    pictures = torch.rand(2, 3, 224, 224)
    weights = expanded_weights(
        network,
        "conv2d2",
        "localresponsenorm1",
        linearization=Linearization(normalization="gain"),
        pictures=pictures,
    )
    squares = network.activations(pictures, ["conv2d2"])["conv2d2"].double() ** 2
    for unit in (0, 1, 100, 191):
        energy = squares[:, max(unit - 2, 0) : unit + 3].sum(1)
        gain = ((1 + 1e-4 / 5 * energy) ** -0.75).mean()
        assert float(weights.weight[unit, unit]) == pytest.approx(float(gain), rel=1e-5)
    assert weights.weight.count_nonzero() == 192


def test_reach_the_logits_through_global_pooling(network: Network) -> None:
    weights = expanded_weights(network, "mixed5b", "logits:7")
    own = network.module.operation("logits").weight
    assert torch.allclose(weights.weight[0], (own[7] / 49)[:, None, None].expand(-1, 7, 7))


def test_follow_flattened_layers() -> None:
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 5))
    network = wrap(module, Preprocessing(), size=8)
    weights = expanded_weights(network, "0", "3")
    assert torch.equal(weights.weight, module[3].weight.reshape(5, 4, 6, 6))
    assert (weights.stride, weights.offset) == ((0, 0), (0, 0))


class Summed(nn.Module):
    """Adds up its values along rows."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 5, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        return self.second(x.cumsum(3))


POOLS = {
    "padded": {"kernel_size": 3, "stride": 2, "padding": 1},
    "padding excluded": {
        "kernel_size": 3,
        "stride": 2,
        "padding": 1,
        "count_include_pad": False,
    },
    "beyond the border": {"kernel_size": 3, "stride": 2, "ceil_mode": True},
    "both": {"kernel_size": 4, "stride": 3, "padding": 1, "ceil_mode": True},
    "divisor": {"kernel_size": 3, "stride": 2, "ceil_mode": True, "divisor_override": 5},
}


@pytest.mark.parametrize("size", [15, 16])
@pytest.mark.parametrize("pool", POOLS.values(), ids=POOLS)
def test_at_borders_divide_as_average_pools_do(pool: dict[str, Any], size: int) -> None:
    layers = (nn.Conv2d(3, 4, 3), nn.AvgPool2d(**pool), nn.Conv2d(4, 5, 3, padding=1))
    module = nn.Sequential(*layers, nn.Flatten(), nn.LazyLinear(3))
    module(torch.zeros(1, 3, size, size))
    network = wrap(module, Preprocessing(), size=size)
    last = network.layer("2").shape[0] - 1
    for target, position in (("2", (0, 0)), ("2", (last, 1)), ("2", (last, last)), ("4", None)):
        weights = expanded_weights(network, "0", target, position=position)
        derivative = expanded_weights_by_autograd(network, "0", target, position=position)
        assert weights.offset == derivative.offset
        torch.testing.assert_close(weights.weight, derivative.weight)


def test_error_names_the_operation_without_a_replacement() -> None:
    network = wrap(Summed(), Preprocessing(), size=16)
    with pytest.raises(InputError, match=r"'cumsum'.*expanded_weights_by_autograd"):
        expanded_weights(network, "first", "second")
    assert expanded_weights(network, "input", "first").weight.shape == (4, 3, 3, 3)
