import numpy as np
import pytest
import torch

from visioncircuits.dictionaries import only, render_parents, replaced, split, split_panel
from visioncircuits.errors import InputError
from visioncircuits.interventions import edited, path_patched, scale, zero
from visioncircuits.networks import untrained

LAYERS = ["mixed3b_pre_relu", "mixed3b", "mixed4a"]


@pytest.fixture(scope="module")
def network():
    return untrained("bvlc_googlenet")


@pytest.fixture(scope="module")
def found(network):
    """A unit of two parts: half of the pictures are red noise, half are blue gratings."""
    draw = torch.Generator().manual_seed(0)
    noise = torch.rand(12, 3, 224, 224, generator=draw) * torch.tensor([1.0, 0, 0])[:, None, None]
    stripes = (torch.arange(224) // 9 % 2).float().expand(12, 3, 224, 224)
    blue = (stripes + 0.2 * torch.rand(12, 3, 224, 224, generator=draw)).clamp(0, 1)
    blue = blue * torch.tensor([0, 0.2, 1.0])[:, None, None]
    return split(network, "mixed3b:200", torch.cat([noise, blue]), draws=39)


@pytest.fixture(scope="module")
def pictures():
    return torch.rand(2, 3, 224, 224, generator=torch.Generator().manual_seed(3))


def test_two_kinds_of_pictures_are_two_parts(found) -> None:
    assert found.clusters.sizes == (12, 12)
    first = {int(found.drivers.names[at]) < 12 for at in (found.clusters.labels == 0).nonzero()}
    assert len(first) == 1  # a part's examples are of one kind
    assert found.table()["own"].min() > 0.8
    assert found.table()["other"].max() < 0.2


def test_parts_add_up_to_the_pre_activation_and_their_rectified_values_to_the_activation(
    network, found, pictures
) -> None:
    parts = found.values(pictures)
    values = network.activations(pictures, LAYERS)
    whole = values["mixed3b_pre_relu"][:, 200]
    tolerance = 1e-5 * float(whole.abs().max())
    assert torch.allclose(parts.sum(1), whole, atol=tolerance)
    assert torch.allclose(parts.clamp_min(0).sum(1), whole.clamp_min(0), atol=tolerance)
    assert (whole < 0).any()
    assert (whole > 0).any()


def test_a_unit_replaced_by_its_unchanged_parts_is_itself(network, found, pictures) -> None:
    before = network.activations(pictures, LAYERS)
    with replaced(found):
        after = network.activations(pictures, LAYERS)
    for layer in LAYERS:
        assert torch.allclose(before[layer], after[layer], atol=1e-5), layer
    assert torch.equal(network.activations(pictures, LAYERS)["mixed4a"], before["mixed4a"])


def test_without_its_parts_it_is_ablated(network, found, pictures) -> None:
    with edited(network, "mixed3b:200", zero()):
        expected = network.activations(pictures, ["mixed4a"])["mixed4a"]
    with replaced(found, scale(0.0)):
        ablated = network.activations(pictures, ["mixed4a"])["mixed4a"]
    assert torch.allclose(ablated, expected, atol=1e-5)


def test_a_part_alone_has_the_values_of_the_part_at_any_size(network, found) -> None:
    smaller = torch.rand(2, 3, 160, 128)
    for part in range(2):
        with replaced(found, only(part)):
            alone = network.activations(smaller, ["mixed3b"])["mixed3b"]
        expected = found.values(smaller)[:, part].clamp_min(0)
        assert torch.allclose(alone[:, 200], expected, atol=1e-5)


def test_parts_follow_other_changes_of_the_network(network, found, pictures) -> None:
    with replaced(found, only(0)):
        before = network.activations(pictures, LAYERS)
        with path_patched(network, "mixed3a", "mixed3b:200", scale(0.5)):
            after = network.activations(pictures, LAYERS)
    assert not torch.allclose(before["mixed3b"][:, 200], after["mixed3b"][:, 200], atol=1e-4)
    others = [unit for unit in range(480) if unit != 200]
    assert torch.equal(before["mixed3b"][:, others], after["mixed3b"][:, others])


def test_each_part_is_rendered_and_drawn(found) -> None:
    pictures = render_parents(found, steps=2)
    assert not np.array_equal(pictures[0].picture, pictures[1].picture)
    panel = split_panel(found, pictures, examples=3)
    assert len(panel.axes) == 2 * (1 + 3)
    with pytest.raises(InputError, match="has 2 parts and there are 1 pictures"):
        split_panel(found, pictures[:1])


def test_a_part_that_is_not_there_is_refused(network, found, pictures) -> None:
    with (
        replaced(found, only(2)),
        pytest.raises(InputError, match="there are parts 0 to 1, and none is 2"),
    ):
        network.activations(pictures, ["mixed3b"])


def test_a_unit_that_no_photograph_activates_is_refused(network) -> None:
    biased = network.copied()
    with torch.no_grad():
        biased.module.mixed3b_3x3_pre_relu.bias[72] = -1e6
    with pytest.raises(InputError, match="no photograph activates mixed3b:200"):
        split(biased, "mixed3b:200", torch.rand(2, 3, 224, 224))
