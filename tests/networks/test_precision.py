"""Half precision changes the digits of activations and nothing else."""

import pytest
import torch
from torch import Tensor, nn

from visioncircuits.errors import InputError
from visioncircuits.networks import CAFFE, Network, load, untrained, wrap
from visioncircuits.networks.fixed_parameters import parameters_fixed

LAYERS = ["conv2d1", "conv2d2_pre_relu"]


@pytest.fixture(scope="module")
def network() -> Network:
    return untrained("bvlc_googlenet", seed=3)


@pytest.mark.parametrize(("precision", "digits"), [("bfloat16", 8), ("float16", 11)])
def test_activations_are_accurate_to_the_precision(
    network: Network, precision: str, digits: int
) -> None:
    pictures = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    exact = network.activations(pictures, LAYERS)
    rough = network.computing_in(precision).activations(pictures, LAYERS)
    for layer in LAYERS:
        assert rough[layer].dtype == torch.float32
        off = (rough[layer] - exact[layer]).norm() / exact[layer].norm()
        assert 0 < off < 4 * 2.0**-digits
    units = {"conv2d1": torch.tensor([5, 2])}
    some = network.computing_in(precision).unit_activations(pictures, units)["conv2d1"]
    assert torch.allclose(some, rough["conv2d1"][:, [5, 2]], rtol=2.0 ** (2 - digits), atol=1e-2)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
@pytest.mark.parametrize("name", ["bvlc_googlenet", "torchvision:resnet18"])
def test_passes_with_fixed_parameters_are_as_accurate(name: str, precision: str) -> None:
    exact = untrained(name, seed=3)
    rough, layer = exact.computing_in(precision), [*exact.layers][3]
    pictures = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))

    def passed(network: Network) -> tuple[Tensor, Tensor]:
        shown = pictures.clone().requires_grad_()
        values = network.activations(shown, [layer])[layer]
        return values.detach(), torch.autograd.grad(values.square().sum(), shown)[0]

    apart, plain = passed(exact), passed(rough)
    with parameters_fixed():
        found = passed(rough)
    for value, one, other in zip(found, plain, apart, strict=True):
        assert value.dtype == torch.float32
        assert 0 < (value - other).norm() < 2 * (one - other).norm() + 1e-4 * other.norm()


def test_normalization_does_not_overflow_where_squares_would(network: Network) -> None:
    normalize = network.module.localresponsenorm0
    x = torch.full((1, 64, 2, 2), 3000.0)  # as activations of the trained network are
    with torch.autocast("cpu", dtype=torch.float16):
        rough = normalize(x.half())
    assert torch.allclose(rough, normalize(x), rtol=1e-3)


def test_a_copy_shares_its_parameters_and_leaves_the_network_as_it_was(network: Network) -> None:
    rough = network.computing_in("float16")
    assert rough.module is network.module
    assert network.precision == "float32"
    assert rough.computing_in("float32").record() == network.record()


def test_a_record_names_the_precision_unless_it_is_float32(network: Network) -> None:
    assert network.computing_in("bfloat16").record() == {
        **network.record(),
        "precision": "bfloat16",
    }
    assert "precision" not in network.record()


def test_any_network_can_compute_in_half_precision() -> None:
    network = wrap(nn.Sequential(nn.Conv2d(3, 8, 5), nn.ReLU()), CAFFE, size=32)
    found = network.computing_in("bfloat16")(torch.rand(2, 3, 32, 32))
    assert found.dtype == torch.float32
    assert found.shape == (2, 8, 28, 28)


def test_networks_are_loaded_in_a_precision() -> None:
    assert load("handwritten:color-contrast", precision="float16").precision == "float16"
    with pytest.raises(InputError, match=r"unknown precision 'half'; known are 'float32', "):
        load("handwritten:color-contrast", precision="half")
