"""Aligned atlases hold the same samples at the same places."""

import numpy as np
import pytest
import torch
from torch import nn

from visioncircuits.atlas import aligned, atlas
from visioncircuits.atlas.aligned import neighbors
from visioncircuits.atlas.sampling import centers
from visioncircuits.datasets import Photographs
from visioncircuits.errors import InputError
from visioncircuits.networks import Network, Preprocessing, wrap


def test_a_cell_has_the_same_samples_in_every_layer(
    network: Network, photographs: Photographs
) -> None:
    first, second = aligned(
        [(network, "1"), (network, "4")], photographs, per_photograph=4, edge=0, layout="pca",
        sides=[3], least=1, classes=["pug"], seed=3,
    )  # fmt: skip
    assert (first.points == second.points).all()
    assert (first.grids[0].member == second.grids[0].member).all()
    assert (first.samples.photographs == second.samples.photographs).all()
    assert first.grids[0].means.shape[1:] == (6,)
    assert second.grids[0].means.shape[1:] == (8,)
    assert first.classes == second.classes == ("pug",)


def test_samples_of_both_layers_are_centered_at_the_same_place_of_the_photograph(
    network: Network, photographs: Photographs
) -> None:
    found = aligned(
        [(network, "1"), (network, "4")], photographs, per_photograph=3, edge=1, layout="pca",
        sides=[1], classes=(),
    )  # fmt: skip
    centers = [
        np.array([network.layer(each.samples.layer).center(tuple(place)) for place in positions])
        for each, positions in ((each, each.samples.positions.tolist()) for each in found)
    ]
    assert np.abs(centers[0] - centers[1]).max() <= max(network.layer("1").stride) / 2


def test_values_are_those_of_the_layer_at_the_positions(
    network: Network, photographs: Photographs
) -> None:
    _, late = aligned(
        [(network, "1"), (network, "4")], photographs, per_photograph=2, layout="pca", sides=[1],
        edge=0, classes=(),
    )  # fmt: skip
    pictures = photographs.pictures(network.size)
    maps = network.activations(pictures, ["4"])["4"].numpy()
    row, column = late.samples.positions.T
    expected = maps[late.samples.photographs, :, row, column]
    np.testing.assert_allclose(late.samples.values, expected, atol=1e-6)


def test_neighbors_are_counted_in_this_layout_in_the_layers_own_and_by_chance() -> None:
    generator = np.random.default_rng(0)
    angles = generator.permutation(np.linspace(0, 1.5, 200))
    values = np.stack([np.cos(angles), np.sin(angles)], 1).astype(np.float32)
    shuffled = generator.permutation(values)
    found = neighbors(values, shuffled, values)
    assert found["alone"] > 0.95
    assert found["together"] < 3 * found["chance"]


def test_one_layer_alone_is_refused(network: Network, photographs: Photographs) -> None:
    with pytest.raises(InputError, match="two layers"):
        aligned([(network, "1")], photographs)
    with pytest.raises(InputError, match="each once"):
        aligned([(network, "1"), (network, "1")], photographs)


def test_the_layer_with_the_fewest_positions_has_those_of_an_atlas_of_its_own(
    network: Network, photographs: Photographs
) -> None:
    options = {"per_photograph": 4, "edge": 0, "layout": "pca", "sides": [2], "least": 1}
    _, late = aligned([(network, "1"), (network, "4")], photographs, classes=(), **options)
    alone = atlas(network, "4", photographs, classes=(), **options)
    assert (late.samples.positions == alone.samples.positions).all()
    assert (late.samples.values == alone.samples.values).all()


def test_networks_of_other_sizes_and_devices_are_told_apart_by_their_records(
    network: Network, photographs: Photographs
) -> None:
    larger = wrap(network.module, network.preprocessing, name="larger", size=48)
    pair = aligned(
        [(network, "4"), (larger, "4")], photographs, edge=0, layout="pca", sides=[1], classes=()
    )
    assert [each.record["size"] for each in pair] == [32, 48]
    assert [each["size"] for each in pair[0].record["aligned"]] == [32, 48]
    assert {each.record["device"] for each in pair} == {"cpu"}
    centers = [
        np.array([size.layer("4").center(place) for place in each.samples.positions.tolist()])
        for size, each in zip((network, larger), pair, strict=True)
    ]
    apart = np.abs((centers[0] + 0.5) / 32 - (centers[1] + 0.5) / 48)
    assert apart.max() <= network.layer("4").stride[0] / 48


class _Attending(nn.Module):
    """Patches, each of which attends to all, in rows and columns again."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 8, 8, stride=8)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.map = nn.Identity()

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        tokens = self.patches(pictures).flatten(2).transpose(1, 2)
        attended, _ = self.attention(tokens, tokens, tokens)
        return self.map(attended.transpose(1, 2).unflatten(2, (4, 4)))


def test_positions_whose_receptive_fields_are_not_known_divide_the_picture_evenly() -> None:
    network = wrap(_Attending(), Preprocessing(), name="attending", size=32)
    known, attended = (centers(network, layer) for layer in ("patches", "map"))
    assert 0 in network.layer("map").stride
    np.testing.assert_allclose(attended, known)
    np.testing.assert_allclose(known[0], [0.125, 0.375, 0.625, 0.875])
