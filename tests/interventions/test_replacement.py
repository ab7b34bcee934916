import pytest
import torch
from torch import nn

from visioncircuits.errors import InputError
from visioncircuits.interventions import output_with
from visioncircuits.networks import Network, Preprocessing, untrained, wrap


@pytest.fixture(scope="module")
def network() -> Network:
    return untrained("bvlc_googlenet")


@pytest.mark.parametrize("layer", ["mixed3b", "mixed3b_5x5", "conv2d2", "logits"])
def test_a_layers_own_values_change_nothing(network: Network, layer: str) -> None:
    picture = torch.rand(1, 3, 224, 224)
    measured = network.activations(picture, [layer, "logits"])
    found = output_with(network, layer, measured[layer], pictures=picture)
    torch.testing.assert_close(found, measured["logits"], rtol=1e-4, atol=1e-5)


def test_the_rest_sees_the_other_values(network: Network) -> None:
    pictures = torch.rand(2, 3, 224, 224)
    measured = network.activations(pictures, ["mixed4a", "logits"])
    swapped = output_with(network, "mixed4a", measured["mixed4a"].flip(0), pictures=pictures)
    torch.testing.assert_close(swapped, measured["logits"].flip(0), rtol=1e-4, atol=1e-5)


def test_what_goes_past_the_layer_still_comes_from_the_picture(network: Network) -> None:
    one, other = torch.rand(2, 1, 3, 224, 224)
    branch = network.activations(one, ["mixed3b_5x5"])["mixed3b_5x5"]
    mixed = output_with(network, "mixed3b_5x5", branch, pictures=other)
    for whole in (network(one), network(other)):
        assert (mixed - whole).abs().max() > 1e-6 * whole.abs().max()
    silent = output_with(network, "mixed3b_5x5", torch.zeros_like(branch), pictures=other)
    assert not torch.equal(silent, mixed)


def test_any_module_will_do_and_is_left_as_it_was() -> None:
    module = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(4 * 36, 5)
    )
    network, pictures = wrap(module, Preprocessing(), size=8), torch.rand(2, 3, 8, 8)
    before = network(pictures)
    values = torch.ones(2, 4, 6, 6)
    found = output_with(network, "0", values, pictures=pictures)
    assert torch.equal(found, module[3](values.flatten(1)))
    assert torch.equal(values, torch.ones(2, 4, 6, 6))
    assert torch.equal(network(pictures), before)


def test_values_of_another_shape_and_unknown_layers_are_refused(network: Network) -> None:
    picture = torch.rand(1, 3, 224, 224)
    with pytest.raises(InputError, match=r"mixed3b has values of \(1, 28, 28\)"):
        output_with(network, "mixed3b", torch.zeros(1, 480, 14, 14), pictures=picture)
    with pytest.raises(InputError, match="unknown layer 'mixed3c'"):
        output_with(network, "mixed3c", torch.zeros(1, 480, 28, 28), pictures=picture)
