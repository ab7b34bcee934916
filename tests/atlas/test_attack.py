"""Patches that are pasted on photographs, and features that are shown on an atlas."""

import numpy as np
import pytest
import torch
from torch import nn

from visioncircuits import datasets
from visioncircuits.atlas import along, atlas, attack, cell_patches, paste, suggested
from visioncircuits.datasets import Photographs
from visioncircuits.errors import InputError
from visioncircuits.networks import Direction, Network, Preprocessing, wrap


@pytest.fixture(scope="module")
def colors() -> Network:
    """Classifies pictures by the channel that is brightest on average."""
    layer = nn.Conv2d(3, 3, 1, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.eye(3)[:, :, None, None])
    layers = (layer, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    names = ("red", "green", "blue")
    return wrap(nn.Sequential(*layers), Preprocessing(), name="colors", size=20, classes=names)


def _even(*channels: float) -> torch.Tensor:
    return torch.tensor(channels, dtype=torch.float32)[:, None, None].expand(3, 20, 20)


def test_a_patch_that_is_bright_enough_makes_every_photograph_its_class(colors: Network) -> None:
    given = datasets.photographs(torch.stack([_even(0.3, 0.2, 0.1), _even(0.3, 0.1, 0.2)]))
    blue, gray = _even(0, 0, 1)[None], _even(0.5, 0.5, 0.5)[None]
    found = attack(colors, given, blue, gray, target="blue", share=0.6)
    assert found.became.all()
    assert found.changed.all()
    assert not found.control_changed.any()
    table = found.table()
    assert table.loc["difference", "became"] == 1
    assert table.loc["suggested", "became rank"] == 0


def test_a_photograph_that_is_of_the_class_already_is_left_out(colors: Network) -> None:
    given = datasets.photographs(torch.stack([_even(0, 0, 1), _even(0.3, 0.1, 0.2)]))
    found = attack(colors, given, _even(0, 0, 1)[None], _even(1, 0, 0)[None], target="blue")
    assert found.photographs == given.names[1:]
    with pytest.raises(InputError, match="without a patch"):
        attack(colors, given.part([0]), _even(0, 0, 1)[None], _even(1, 0, 0)[None], target=2)


def test_a_pasted_patch_covers_its_share_of_the_lower_left_corner_alone() -> None:
    pictures = torch.rand(2, 3, 30, 40)
    pasted = paste(pictures, torch.ones(3, 7, 7), share=1 / 3)
    assert torch.allclose(pasted[:, :, 20:, :10], torch.ones(()))
    assert torch.equal(pasted[:, :, :20], pictures[:, :, :20])
    assert torch.equal(pasted[:, :, :, 10:], pictures[:, :, :, 10:])


def test_the_cells_that_support_a_class_most_are_suggested_and_cut_from_photographs(
    network: Network, photographs: Photographs
) -> None:
    made = atlas(
        network, "4", photographs, per_photograph=4, edge=0, layout="pca", sides=[3], least=1,
        classes=["pug", "tabby"],
    )  # fmt: skip
    cells = suggested(made, "tabby", top=2)
    led = made.grids[0].attribution[:, 1]
    assert set(led[cells]) == set(np.sort(led)[-2:])
    patches = cell_patches(network, made, photographs, cells, pixels=9)
    assert patches.shape == (2, 3, 9, 9)
    pictures = photographs.pictures(network.size)
    for patch in patches:  # it is somewhere in one of the photographs
        windows = pictures.unfold(2, 9, 1).unfold(3, 9, 1).permute(0, 2, 3, 1, 4, 5)
        apart = (windows - patch).abs().flatten(3).amax(3)
        assert apart.min() < 1 / 500  # they are held as bytes
    with pytest.raises(InputError, match="not attributed"):
        suggested(made, "beer glass")


def test_a_feature_on_an_atlas_is_the_dot_product_with_each_cells_average(
    network: Network, photographs: Photographs
) -> None:
    made = atlas(
        network, "4", photographs, per_photograph=4, layout="pca", sides=[2, 3], edge=0, least=1,
        classes=(),
    )  # fmt: skip
    weights = np.random.default_rng(0).normal(size=8).astype(np.float32)
    for grid, shown in zip(made.grids, along(made, Direction("4", weights)), strict=True):
        expected = [sum(m * w for m, w in zip(mean, weights, strict=True)) for mean in grid.means]
        np.testing.assert_allclose(shown, expected, rtol=1e-4, atol=1e-6)
    assert (along(made, "4:3")[1] == made.grids[1].means[:, 3]).all()
    with pytest.raises(InputError, match="the atlas of 4"):
        along(made, "1:3")
    with pytest.raises(InputError, match="units 0 to 7"):
        along(made, "4:8")
