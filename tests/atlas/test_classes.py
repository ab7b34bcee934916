"""What supports a class, and what one of two more than the other."""

import numpy as np
import pytest
import torch

from visioncircuits import atlas
from visioncircuits.datasets import Photographs
from visioncircuits.errors import InputError
from visioncircuits.networks import Network, wrap


@pytest.fixture(scope="module")
def made(network: Network, photographs: Photographs) -> atlas.Atlas:
    return atlas.atlas(
        network, "1", photographs, per_photograph=50, layout="pca", sides=[2], classes=()
    )


def test_a_class_atlas_has_the_samples_that_support_it_most(
    network: Network, photographs: Photographs, made: atlas.Atlas
) -> None:
    found = atlas.class_atlas(
        network, made, photographs, "pug", top=80, layout="pca", sides=[2], least=1
    )
    led = atlas.of_samples(network, made.samples, photographs, ["pug"])[:, 0]
    kept = np.sort(np.argsort(-led)[:80])
    kept = kept[led[kept] > 0]
    assert np.array_equal(found.samples.values, made.samples.values[kept])
    assert found.classes == ("pug",)
    (grid,) = found.grids
    for cell in range(len(grid)):
        assert grid.attribution[cell, 0] == pytest.approx(led[kept][grid.samples(cell)].mean())


def test_two_classes_are_compared_along_x(
    network: Network, photographs: Photographs, made: atlas.Atlas
) -> None:
    found = atlas.compare(
        network, made, photographs, "pug", 0, top=100, layout="pca", sides=[4], least=1
    )
    assert found.classes == ("pug", "beer glass")
    (grid,) = found.grids
    difference = grid.attribution[:, 1] - grid.attribution[:, 0]
    by_column = [difference[grid.cells[:, 1] == column].mean() for column in range(4)]
    assert by_column == sorted(by_column)


def test_mistakes_are_met_before_anything_is_attributed(
    network: Network, photographs: Photographs, made: atlas.Atlas, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("visioncircuits.atlas.classes.of_samples", None)
    with pytest.raises(InputError, match="pug and 2 are one class"):
        atlas.compare(network, made, photographs, "pug", 2)
    with pytest.raises(InputError, match="top must be"):
        atlas.class_atlas(network, made, photographs, "pug", layout="pca", top=0)
    with pytest.raises(InputError, match="sides must be"):
        atlas.class_atlas(network, made, photographs, "pug", layout="pca", sides=[0])
    other = wrap(network.module, network.preprocessing, name="other", size=32)
    with pytest.raises(InputError, match="the atlas is of small, not of other"):
        atlas.class_atlas(other, made, photographs, "pug", layout="pca")


def test_a_record_has_what_tells_two_apart(
    network: Network, photographs: Photographs, made: atlas.Atlas
) -> None:
    found = atlas.class_atlas(network, made, photographs, "pug", layout="pca", sides=[2], least=1)
    record = found.record
    assert (record["of classes"], record["sides"], record["least"]) == ([2], [2], 1)
    assert record["slope"] == "gradient with relaxed max pools"


def test_only_the_atlas_own_photographs_will_do(
    network: Network, photographs: Photographs, made: atlas.Atlas
) -> None:
    of_the_same_names = torch.rand(len(photographs), 3, 40, 40)
    for others in (torch.rand(3, 3, 40, 40), of_the_same_names):
        with pytest.raises(InputError, match="the atlas is of other photographs"):
            atlas.class_atlas(network, made, others, "pug")
