import copy

import pytest
import torch

from visioncircuits.errors import InputError
from visioncircuits.interventions import (
    constant,
    edited,
    patch,
    path_patched,
    reweighted,
    scale,
    zero,
)
from visioncircuits.interventions.replacement import output_with
from visioncircuits.networks import Direction, Preprocessing, load, untrained, wrap


@pytest.fixture(scope="module")
def network():
    return untrained("bvlc_googlenet", seed=3)


@pytest.fixture(scope="module")
def pictures():
    return torch.rand(2, 3, 96, 96, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def original(network, pictures):
    return network.activations(pictures, ["mixed3a", "mixed3b", "logits"])


def reweighted_by_hand(network, parameter, place, factor):
    """A copy of the network whose weights were changed by hand."""
    twin = copy.copy(network)
    twin.module = copy.deepcopy(network.module)
    with torch.no_grad():
        twin.module.get_parameter(parameter)[place] *= factor
    return twin


@pytest.mark.parametrize("factor", [0.0, 0.25, -3.0])
def test_a_connection_between_adjacent_layers_is_its_kernel(network, pictures, original, factor):
    twin = reweighted_by_hand(network, "mixed3b_1x1_pre_relu.weight", (9, 7), factor)
    expected = twin.activations(pictures, ["mixed3b", "logits"])
    assert not torch.equal(expected["mixed3b"], original["mixed3b"])
    with path_patched(network, "mixed3a:7", "mixed3b:9", scale(factor)):
        found = network.activations(pictures, ["mixed3b", "logits"])
        logits = network(pictures)
    for name, values in expected.items():
        assert torch.allclose(found[name], values, atol=1e-5 * float(values.abs().max()))
    assert torch.equal(logits, found["logits"])


@pytest.mark.parametrize(
    ("unit", "parameter", "place"),
    [
        (200, "mixed3b_3x3_bottleneck_pre_relu.weight", (slice(None), 7)),
        (350, "mixed3b_5x5_bottleneck_pre_relu.weight", (slice(None), 7)),
        (470, "mixed3b_pool_reduce_pre_relu.weight", (470 - 416, 7)),
    ],
)
def test_a_connection_through_a_branch_leaves_the_branch_s_other_units_alone(
    network, pictures, original, unit, parameter, place
):
    twin = reweighted_by_hand(network, parameter, place, 0.0)
    expected = original["mixed3b"].clone()
    expected[:, unit] = twin.activations(pictures, ["mixed3b"])["mixed3b"][:, unit]
    with path_patched(network, "mixed3a:7", f"mixed3b:{unit}", zero()):
        found = network.activations(pictures, ["mixed3a", "mixed3b"])
        logits = network(pictures)
    assert torch.equal(found["mixed3a"], original["mixed3a"])
    assert not torch.equal(found["mixed3b"], original["mixed3b"])
    assert torch.allclose(found["mixed3b"], expected, atol=1e-5 * float(expected.abs().max()))
    after = output_with(network, "mixed3b", expected, pictures=pictures)
    assert torch.allclose(logits, after, atol=1e-4 * float(after.abs().max()))


def test_several_sources_to_several_targets_are_each_kernel_between_them(network, pictures):
    twin = reweighted_by_hand(
        network, "mixed3b_1x1_pre_relu.weight", ([[9], [60]], [7, 30, 31]), 0.0
    )
    expected = twin.activations(pictures, ["mixed3b"])["mixed3b"]
    sources = ["mixed3a:7", "mixed3a:30", "mixed3a:31"]
    with path_patched(network, sources, ["mixed3b:9", "mixed3b:60"], zero()):
        found = network.activations(pictures, ["mixed3b"])["mixed3b"]
    assert torch.allclose(found, expected, atol=1e-5 * float(expected.abs().max()))


def test_contexts_nest_in_one_layer_and_along_a_chain(network, pictures):
    twin = reweighted_by_hand(network, "mixed3b_1x1_pre_relu.weight", (9, 7), 0.0)
    twin = reweighted_by_hand(twin, "mixed3b_1x1_pre_relu.weight", (9, 30), 0.0)
    twin = reweighted_by_hand(twin, "mixed4a_1x1_pre_relu.weight", (5, 9), 2.0)
    twin = reweighted_by_hand(twin, "mixed3b_1x1_pre_relu.weight", (60, 30), 0.0)
    expected = twin.activations(pictures, ["mixed3b", "mixed4a"])
    with (
        path_patched(network, "mixed3b:9", "mixed4a:5", scale(2.0)),
        path_patched(network, "mixed3a:7", "mixed3b:9", zero()),
        path_patched(network, "mixed3a:30", ["mixed3b:9", "mixed3b:60"], zero()),
    ):
        found = network.activations(pictures, ["mixed3b", "mixed4a"])
    for name, values in expected.items():
        assert torch.allclose(found[name], values, atol=1e-5 * float(values.abs().max()))


def test_all_connections_of_a_source_are_the_source(network, pictures):
    every = [f"mixed3b:{unit}" for unit in range(480)]
    with path_patched(network, "mixed3a:7", every, constant(2.0)):
        found = network.activations(pictures, ["mixed4a"])["mixed4a"]
    with edited(network, "mixed3a:7", constant(2.0)):
        expected = network.activations(pictures, ["mixed4a"])["mixed4a"]
    assert torch.allclose(found, expected, atol=1e-5 * float(expected.abs().max()))


def test_a_direction_receives_what_the_source_s_weights_make_of_it(network, pictures, original):
    vector = torch.randn(480, generator=torch.Generator().manual_seed(1))
    direction = Direction("mixed3b_pre_relu", tuple(vector.tolist()), name="probe")
    with path_patched(network, "mixed3a:7", direction, zero()):
        found = network.activations(pictures, ["mixed3b_pre_relu"])["mixed3b_pre_relu"]
    with edited(network, "mixed3a:7", zero()):
        without = network.activations(pictures, ["mixed3b_pre_relu"])["mixed3b_pre_relu"]
    before = network.activations(pictures, ["mixed3b_pre_relu"])["mixed3b_pre_relu"]
    along, expected = (torch.einsum("u,buyx->byx", vector, v) for v in (found, without))
    assert torch.allclose(along, expected, atol=1e-4 * float(expected.abs().max()))
    moved = torch.linalg.matrix_rank((found - before).transpose(0, 1).flatten(1), rtol=1e-3)
    assert int(moved) == 1


def test_gradients_flow_through_a_connection(network, pictures):
    leaf = pictures.clone().requires_grad_()
    twin = reweighted_by_hand(network, "mixed3b_1x1_pre_relu.weight", (9, 7), 0.5)
    with path_patched(network, "mixed3a:7", "mixed3b:9", scale(0.5)):
        measured = network.activations(leaf, ["mixed3b"])["mixed3b"][:, 9].sum()
    (found,) = torch.autograd.grad(measured, leaf)
    (expected,) = torch.autograd.grad(
        twin.activations(leaf, ["mixed3b"])["mixed3b"][:, 9].sum(), leaf
    )
    assert torch.allclose(found, expected, atol=1e-5 * float(expected.abs().max()))


def test_nothing_is_left_of_it_even_after_an_error(network, pictures, original):
    with pytest.raises(KeyError), path_patched(network, "mixed3a:7", "mixed3b:9", zero()):
        raise KeyError
    wrong = patch(torch.zeros(1, 1, 2, 2))
    with (
        pytest.raises(InputError, match="cannot be patched"),
        path_patched(network, "mixed3a:7", "mixed3b:9", wrong),
    ):
        network(pictures)
    again = network.activations(pictures, ["mixed3b"])["mixed3b"]
    assert torch.equal(again, original["mixed3b"])


def test_any_module_will_do(checkpoints):
    path = checkpoints / "squeezenet1_1.safetensors"
    network = load("torchvision:squeezenet1_1", checkpoint=path)
    twin = reweighted_by_hand(network, "features.6.squeeze.weight", (3, 40), 0.0)
    pictures = torch.rand(1, 3, 96, 96)
    with path_patched(network, "features.5:40", "features.6.squeeze:3", zero()):
        found = network.activations(pictures, ["features.7"])["features.7"]
        logits = network(pictures)
    expected = twin.activations(pictures, ["features.7"])["features.7"]
    assert torch.allclose(found, expected, atol=1e-5 * float(expected.abs().max()))
    assert torch.allclose(logits, twin(pictures), atol=1e-4)


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        ("mixed3b:1", "mixed3a:1", "mixed3a does not depend on mixed3b"),
        ("mixed3a:1", "mixed3a:2", "mixed3a does not depend on mixed3a"),
        ("mixed3b_3x3:1", "mixed3b_5x5:2", "does not depend on mixed3b_3x3"),
        ("mixed3a:256", "mixed3b:1", "units 0 to 255"),
    ],
)
def test_what_is_not_connected_is_refused(network, source, target, message):
    with pytest.raises(InputError, match=message), path_patched(network, source, target, zero()):
        pass


def test_what_is_not_connected_in_another_module_is_refused_in_use():
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU())
    network = wrap(module, Preprocessing(), size=32)
    with (
        pytest.raises(InputError, match="0 does not depend on 1"),
        path_patched(network, "1:0", "0:1", zero()),
    ):
        network(torch.rand(1, 3, 32, 32))


def test_a_changed_weight_is_the_weight_changed_by_hand(network, pictures):
    name, place = "mixed3b_5x5_pre_relu.weight", (13, 7, 2, 4)
    twin = reweighted_by_hand(network, name, place, -2.0)
    with reweighted(network, name, place, scale(-2.0)):
        found = network(pictures)
    assert torch.equal(found, twin(pictures))
    assert not torch.equal(found, network(pictures))


def test_weights_are_restored_to_the_bit_even_after_an_error(network):
    name = "mixed3b_5x5_pre_relu.weight"
    weight = network.module.get_parameter(name)
    before = weight.clone()
    with reweighted(network, name, (13, slice(2, 9)), constant(1 / 3)):
        assert (weight[13, 2:9] == torch.tensor(1 / 3)).all()
    with pytest.raises(KeyError), reweighted(network, name, (13, slice(2, 9)), constant(1 / 3)):
        raise KeyError
    assert torch.equal(weight, before)
    assert not weight.requires_grad


@pytest.mark.parametrize(
    ("parameter", "place", "message"),
    [
        ("mixed3b_5x5_pre_relu.wieght", (0,), "nearest are 'mixed3b_5x5_pre_relu.weight'"),
        ("mixed3b_5x5_pre_relu.weight", (96, 0, 0, 0), "96 × 32 × 5 × 5"),
        ("mixed3b_5x5_pre_relu.bias", (0, 0), "is 96, and has no weight"),
    ],
)
def test_weights_that_are_not_there_are_refused(network, parameter, place, message):
    with pytest.raises(InputError, match=message), reweighted(network, parameter, place, zero()):
        pass
