import pytest
import torch

from visioncircuits.errors import InputError
from visioncircuits.interventions.edits import constant, edited, patch, scale, zero
from visioncircuits.interventions.replacement import output_with
from visioncircuits.networks import Direction, load, untrained

LEVELS = torch.tensor([1.0, 2.0])
UNITS = ["mixed3b:3", "mixed3b:77"]


@pytest.fixture(scope="module")
def network():
    return untrained("bvlc_googlenet", seed=3)


@pytest.fixture(scope="module")
def pictures():
    return torch.rand(2, 3, 96, 96, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def original(network, pictures):
    return network.activations(pictures, ["mixed3b", "mixed4a"])


@pytest.mark.parametrize(
    ("edit", "twin"),
    [
        (zero(), lambda measured: measured * 0),
        (scale(-2.5), lambda measured: measured * -2.5),
        (constant(3.0), lambda measured: measured * 0 + 3),
        (
            constant(torch.tensor([1.0, 2.0])),
            lambda measured: measured * 0 + torch.tensor([1.0, 2.0])[:, None, None],
        ),
    ],
)
def test_what_follows_is_computed_from_the_edited_values(network, pictures, original, edit, twin):
    values = original["mixed3b"].clone()
    values[:, [3, 77]] = twin(values[:, [3, 77]])
    with edited(network, UNITS, edit):
        found = network.activations(pictures, ["mixed3b", "mixed4a"])
        logits = network(pictures)
    assert torch.equal(found["mixed3b"], values)
    assert not torch.equal(found["mixed4a"], original["mixed4a"])
    same = output_with(network, "mixed3b", values, pictures=pictures)
    assert torch.allclose(logits, same, atol=1e-4 * float(same.abs().max()))


def test_nothing_is_left_of_it_even_after_an_error(network, pictures, original):
    with pytest.raises(KeyError), edited(network, UNITS, zero()):
        raise KeyError
    again = network.activations(pictures, ["mixed4a"])["mixed4a"]
    assert torch.equal(again, original["mixed4a"])


def test_contexts_nest(network, pictures, original):
    with edited(network, UNITS[:1], zero()), edited(network, UNITS[1:], scale(2.0)):
        found = network.activations(pictures, ["mixed3b"])["mixed3b"]
    assert found[:, 3].abs().max() == 0
    assert torch.equal(found[:, 77], 2 * original["mixed3b"][:, 77])


def test_patched_features_have_their_values_on_other_pictures(network, pictures, original):
    others = original["mixed3b"][:, [3, 77]].flip(0)
    with edited(network, UNITS, patch(others)):
        found = network.activations(pictures, ["mixed3b"])["mixed3b"]
    assert torch.equal(found[:, [3, 77]], others)
    with (
        pytest.raises(InputError, match="cannot be patched"),
        edited(network, UNITS, patch(others[:1])),
    ):
        network.activations(pictures, ["mixed3b"])


def test_a_direction_is_ablated_and_all_that_is_orthogonal_to_it_kept(network, pictures, original):
    generator = torch.Generator().manual_seed(1)
    vector, square = torch.randn(2, 480, generator=generator)
    square -= vector * (square @ vector) / (vector @ vector)
    direction = Direction("mixed3b", tuple(vector.tolist()), name="probe")
    with edited(network, direction, zero()):
        found = network.activations(pictures, ["mixed3b"])["mixed3b"]
    scale = float(original["mixed3b"].abs().max()) * 480
    along, beside = (torch.einsum("u,buyx->byx", v, found) for v in (vector, square))
    assert along.abs().max() < 1e-6 * scale
    before = torch.einsum("u,buyx->byx", square, original["mixed3b"])
    assert torch.allclose(beside, before, atol=1e-6 * scale)


def test_any_network_will_do(checkpoints):
    path = checkpoints / "squeezenet1_1.safetensors"
    network = load("torchvision:squeezenet1_1", checkpoint=path)
    pictures = torch.rand(1, 3, 128, 128)
    with edited(network, "features.5:7", constant(9.0)):
        found = network.activations(pictures, ["features.5"])["features.5"]
    assert (found[:, 7] == 9).all()


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ([], "no feature is given"),
        (["mixed3a:1", "mixed3b:1"], "of mixed3a and mixed3b"),
        (["mixed3a:256"], "units 0 to 255"),
    ],
)
def test_features_that_cannot_be_changed_together_are_refused(network, features, message):
    with pytest.raises(InputError, match=message), edited(network, features, zero()):
        pass
