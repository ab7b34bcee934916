"""Counterparts of InceptionV1's layers: by receptive field, in its order, or as named."""

import pytest

from visioncircuits.errors import InputError
from visioncircuits.networks import Network, untrained
from visioncircuits.thread import layers
from visioncircuits.thread.layers import Counterpart
from visioncircuits.weights import main_layers


@pytest.fixture(scope="module")
def network() -> Network:
    return untrained("torchvision:squeezenet1_1")


def test_layers_of_half_to_double_the_receptive_field_are_near(network: Network) -> None:
    found = layers.near(network, "mixed3b", main_layers(network), {})
    fields = [max(network.layer(layer).receptive_field) for layer in found]
    assert all(91 / 2 <= field <= 91 * 2 for field in fields)
    assert list(found) == sorted(found, key=lambda layer: found[layer])
    others = set(main_layers(network)) - set(found)
    assert not any(
        91 / 2 <= max(network.layer(layer).receptive_field) <= 91 * 2 for layer in others
    )


def test_a_layer_lies_between_those_that_have_their_places(network: Network) -> None:
    placed = {"mixed3b": "features.7", "conv2d2": "features.4"}
    found = layers.near(network, "mixed3a", main_layers(network), placed)
    assert set(found) == {"features.6.squeeze_activation", "features.6",
                          "features.7.squeeze_activation"}  # fmt: skip


def test_choices_of_layers_keep_their_order(network: Network) -> None:
    found = layers.increasing(network, [["features.7", "features.6"], ["features.7", "features.9"]])
    assert set(found) == {
        ("features.7", "features.9"), ("features.6", "features.7"), ("features.6", "features.9"),
    }  # fmt: skip


@pytest.mark.parametrize("key", ["curves", "curve", "mixed3b"])
def test_a_layer_is_named_by_family_or_by_inceptionv1s_name(network: Network, key: str) -> None:
    found = layers.named(network, {key: "features.7"})
    assert found == {"mixed3b": Counterpart("mixed3b", "features.7", named=True)}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"curvs": "features.7"}, "'curvs'; the nearest are 'curves'"),
        ({"curves": "features.77"}, "'features.77'; the nearest are 'features.7'"),
        ({"curves": "features.7", "mixed3b": "features.9"}, "both mixed3b"),
    ],
)
def test_a_mistake_names_the_nearest(network: Network, given: dict[str, str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        layers.named(network, given)


def test_choosing_among_layers_may_bring_the_false_ones_of_all() -> None:
    found = {"a": 10, "b": 6, "c": 4}
    chosen = Counterpart("mixed3b", "a", family="curve", found=found)
    assert chosen.false_if_named == pytest.approx(0.05 * 10)
    assert chosen.false_at_most == pytest.approx(0.05 * 20)
    assert "a 10, b 6, c 4" in chosen.why


def test_no_more_are_false_than_were_found() -> None:
    found = {"a": 1} | {f"b{place}": 1 for place in range(30)}
    assert Counterpart("mixed3b", "a", family="curve", found=found).false_at_most == 1
