import io

import pytest
import torch
from PIL import Image
from torch import nn

from visioncircuits.attribution import (
    ExactPaths,
    Explanation,
    Gradient,
    IntegratedGradient,
    explain,
    explanation_panel,
)
from visioncircuits.errors import InputError
from visioncircuits.networks import Network, Preprocessing, untrained, wrap
from visioncircuits.networks.edits import Replacement

PHOTOGRAPH = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def classifier() -> Network:
    """All that follows its first rectifier is linear, without a bias."""
    torch.manual_seed(1)
    layers = (
        nn.Conv2d(3, 6, 5, stride=2), nn.ReLU(), nn.Conv2d(6, 8, 3, bias=False),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 4, bias=False),
    )  # fmt: skip
    names = ("beer glass", "tabby", "pug", "pig")
    return wrap(nn.Sequential(*layers), Preprocessing(), size=32, classes=names)


@pytest.fixture(scope="module")
def network() -> Network:
    return classifier()


@pytest.fixture(scope="module")
def found(network: Network) -> Explanation:
    return explain(network, PHOTOGRAPH, ["2", "1"], classes=["pug", 0], top=1, groups=3)


def test_positions_units_groups_and_the_rest_add_up_to_the_logits(found: Explanation):
    """Exactly, as all that follows is linear and has no bias."""
    for layer in found.layers:
        for parts in (layer.spatial().sum((1, 2)), layer.channels().sum(1)):
            assert torch.allclose(parts, found.logits, atol=1e-4)
        groups = layer.by_group()
        assert torch.allclose(groups.sum(1) + layer.remainder(), found.logits, atol=1e-4)
        assert torch.allclose(layer.group_maps().sum((2, 3)), groups, atol=1e-5)


def test_a_group_led_to_what_its_removal_takes_away(network: Network, found: Explanation):
    layer = found.layers[0]
    total = layer.groups.total()
    for group in range(len(layer.groups)):
        vector, where = layer.groups.vectors()[group], layer.groups.maps[group]
        without = (layer.activations - vector[:, None, None] * where)[None]
        with torch.no_grad():
            changed = network.activations(
                PHOTOGRAPH, [network.output], changes=[Replacement("1", without)]
            )[network.output][0]
        lost = found.logits - changed[found.record["classes"]]
        assert torch.allclose(lost, layer.by_group()[:, group], atol=1e-4)
    assert total.shape == layer.activations.shape


def test_groups_of_neighboring_layers_are_tied_by_attribution(found: Explanation):
    (ties,) = found.ties
    assert (ties.earlier, ties.later, tuple(ties.values.shape)) == ("1", "2", (3, 3))
    assert torch.allclose(ties.values.sum(0) + ties.remainder, ties.activation, atol=1e-4)
    later = found.layers[1]
    along = torch.einsum("gu,uhw->ghw", later.groups.vectors(), later.activations)
    weights = later.groups.maps / later.groups.maps.sum((1, 2), keepdim=True)
    assert torch.allclose((along * weights).sum((1, 2)), ties.activation, atol=1e-5)


def test_classes_are_those_asked_for_and_the_most_likely(network: Network, found: Explanation):
    with torch.no_grad():
        logits = network(PHOTOGRAPH)[0]
    best = int(logits.argmax())
    assert found.record["classes"] == list(dict.fromkeys((2, 0, best)))
    assert found.classes[:2] == ("pug", "beer glass")
    assert torch.allclose(found.probabilities, logits.softmax(0)[found.record["classes"]])
    assert repr(found) == f"Explanation(1, 2; {len(found.classes)} classes)"


def test_the_strongest_units_of_a_position_are_those_with_most_activation(found: Explanation):
    layer = found.layers[0]
    (first, value), *_ = layer.strongest(4, 7, top=2)
    assert value == float(layer.activations[:, 4, 7].max())
    assert layer.activations[first.index, 4, 7] == value


def test_with_integrated_gradients_what_a_layer_led_to_is_complete():
    network, photograph = untrained("bvlc_googlenet", seed=2), torch.rand(1, 3, 224, 224)
    found = explain(network, photograph, "mixed5a", top=2, groups=2, slope=IntegratedGradient(24))
    layer = found.layers[0]
    nothing = Replacement("mixed5a", torch.zeros_like(layer.activations)[None])
    with torch.no_grad():
        empty = network.activations(photograph, ["logits"], changes=[nothing])["logits"][0]
    change = found.logits - empty[found.record["classes"]]
    assert torch.allclose(layer.channels().sum(1), change, rtol=0.03, atol=1e-5)
    assert found.record["slope"] == "integrated gradient, 24 steps"


def test_what_no_activation_led_to_is_what_biases_carry_by_exact_paths():
    torch.manual_seed(1)
    layers = (
        nn.Conv2d(3, 6, 5), nn.ReLU(), nn.Conv2d(6, 8, 3), nn.SiLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 4),
    )  # fmt: skip
    network = wrap(nn.Sequential(*layers), Preprocessing(), size=32)
    found = explain(network, PHOTOGRAPH, ["1", "3"], top=4, groups=2, slope=ExactPaths())
    last, first = network.module[6], network.module[2]
    with torch.no_grad():
        gates = torch.sigmoid(network.activations(PHOTOGRAPH, ["2"])["2"][0]).mean((1, 2))
        late = last.bias
        early = late + last.weight @ (gates * first.bias)
    expected = torch.stack([early, late])[:, found.record["classes"]]
    assert torch.allclose(found.unattributed(), expected, atol=1e-5)
    (ties,) = found.ties
    assert ties.values.shape == (2, 2)


def test_slopes_differ_only_where_there_are_max_pools(network: Network, found: Explanation):
    plain = explain(network, PHOTOGRAPH, "1", classes=["pug", 0], top=1, groups=3, slope=Gradient())
    assert torch.allclose(plain.layers[0].slopes, found.layers[0].slopes)


def test_the_panel_has_a_row_a_layer_and_pictures_where_there_are_some(found: Explanation):
    plain = explanation_panel(found)
    assert len(plain.axes) == 2 * (1 + 3 * 2 + 1) + 1
    name = str(found.layers[0].groups.directions[0])
    pictured = explanation_panel(found, {name: Image.new("RGB", (9, 9), "red")})
    assert len(pictured.axes) == 2 * (1 + 3 * 3 + 1) + 1
    with Image.open(io.BytesIO(found._repr_png_())) as shown:
        assert shown.size[0] > 300


@pytest.mark.parametrize(
    ("layers", "options", "message"),
    [
        ([], {}, "no layer is given"),
        ("1", {"top": 0}, "no class is given"),
        ("1", {"classes": ["cat"]}, "unknown class 'cat'"),
        ("1", {"classes": [4]}, "units 0 to 3"),
        ("1", {"top": 5}, "top must be a whole number from 0 to 4"),
        ("4", {}, "4 has no positions"),
        ("1", {"groups": 7}, "groups must be a whole number from 1 to 6"),
    ],
)
def test_mistakes_are_one_sentence(network: Network, layers, options, message: str):
    with pytest.raises(InputError, match=message):
        explain(network, PHOTOGRAPH, layers, **{"groups": 2} | options)


def test_layers_have_to_follow_one_another():
    with pytest.raises(InputError, match="does not depend on"):
        explain(
            untrained("bvlc_googlenet"), torch.rand(1, 3, 224, 224), ["mixed3a_1x1", "mixed3a_3x3"]
        )


def test_a_network_without_classes_is_refused():
    network = wrap(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()), Preprocessing(), size=32)
    with pytest.raises(InputError, match="is not a classifier"):
        explain(network, PHOTOGRAPH, "0")
