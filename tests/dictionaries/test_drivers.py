import pytest
import torch
from torch import nn

from visioncircuits.attribution import gradient_times_activation
from visioncircuits.dictionaries import drivers
from visioncircuits.errors import InputError
from visioncircuits.examples import collect
from visioncircuits.networks import Direction, Preprocessing, untrained, wrap

UNITS = ["mixed3b:200", "mixed3b:20", "mixed3b:470"]  # of three branches


@pytest.fixture(scope="module")
def network():
    return untrained("bvlc_googlenet")


@pytest.fixture(scope="module")
def pictures():
    return torch.rand(5, 3, 224, 224, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def found(network, pictures):
    return drivers(network, UNITS, pictures, batch=3)


def test_contributions_are_gradient_times_activation(network, pictures, found) -> None:
    for each in found:
        feature = f"mixed3b_pre_relu:{each.unit.index}"
        expected = gradient_times_activation(network, feature, pictures, to="mixed3a")
        order = torch.tensor([int(name) for name in each.names], dtype=torch.int64)
        assert torch.allclose(each.contributions, expected.values.sum((2, 3))[order], atol=1e-4)
        assert torch.allclose(each.values, expected.activation[order], atol=1e-4)


def test_examples_are_those_of_collect(network, pictures, found) -> None:
    tops = collect(network, "mixed3b", pictures, top=5).layers["mixed3b"].tops
    for each in found:
        kept = len(each.names)
        assert [int(name) for name in each.names] == tops.pictures[each.unit.index][:kept].tolist()
        assert each.positions.tolist() == tops.positions[each.unit.index][:kept].tolist()


def test_the_layer_below_can_be_named(network, pictures) -> None:
    (each,) = drivers(network, "mixed3b:200", pictures, below="mixed3b_3x3_bottleneck", top=2)
    assert each.contributions.shape == (2, 128)
    bias = network.module.mixed3b_3x3_pre_relu.bias[200 - 128]
    assert torch.allclose(each.contributions.sum(1) + bias, each.values, atol=1e-3)


@pytest.mark.parametrize(
    ("feature", "options", "message"),
    [
        ("mixed3b:999", {}, "has units 0 to 479"),
        (Direction("mixed3b", [1.0] * 480), {}, "is a direction"),
        ("logits:5", {}, "has no positions"),
        ("conv2d0:5", {}, "no layer below but the pixels"),
        ("mixed3b:5", {"below": "mixed4a"}, "does not depend on mixed4a"),
        ("mixed3b:5", {"top": 0}, "top must be a whole number"),
    ],
)
def test_mistakes_are_one_sentence(network, pictures, feature, options, message) -> None:
    with pytest.raises(InputError, match=message):
        drivers(network, feature, pictures, **options)


def test_a_unit_that_nothing_activates_has_no_examples() -> None:
    module = nn.Sequential(nn.Conv2d(3, 2, 1), nn.ReLU(), nn.Conv2d(2, 2, 1), nn.ReLU())
    with torch.no_grad():
        module[2].bias.fill_(-100.0)
    (each,) = drivers(wrap(module, Preprocessing(), size=8), "3:1", torch.rand(2, 3, 8, 8))
    assert each.names == ()
