"""Caricature and accentuation raise a layer's likeness to a picture."""

import pytest
import torch
from torch import Tensor

from visioncircuits.errors import InputError
from visioncircuits.featurevis import STILL, Settings, accentuate, caricature
from visioncircuits.networks import Network, untrained

SETTINGS = Settings(size=64, steps=24, robustness=STILL, redirected=0)


@pytest.fixture(scope="module")
def network() -> Network:
    return untrained("bvlc_googlenet")


@pytest.fixture(scope="module")
def picture() -> Tensor:
    return torch.rand(3, 64, 64, generator=torch.Generator().manual_seed(0))


def cosine(network: Network, one: Tensor, other: Tensor) -> float:
    with torch.no_grad():
        found = network.activations(torch.stack([one, other]), ["mixed3a"])["mixed3a"].flatten(1)
    return torch.cosine_similarity(found[0], found[1], dim=0).item()


def test_a_caricature_looks_to_the_layer_like_the_picture(
    network: Network, picture: Tensor
) -> None:
    found = caricature(network, picture, "mixed3a", settings=SETTINGS)
    grey = torch.full_like(picture, 0.5)
    assert found.history[-1] > found.history[0]
    assert cosine(network, found.picture, picture) > cosine(network, grey, picture)


def test_an_accentuation_begins_at_the_picture_and_raises_the_same(
    network: Network, picture: Tensor
) -> None:
    short = Settings(size=64, steps=3, rate=0.01, robustness=STILL, redirected=0)
    found = accentuate(network, picture, "mixed3a", settings=short)
    drawn = caricature(network, picture, "mixed3a", settings=short)
    assert (found.picture - picture).abs().mean() < (drawn.picture - picture).abs().mean() / 2
    assert found.history[-1] > found.history[0]


@pytest.mark.parametrize("shape", [(3, 64, 48), (1, 64, 64)])
def test_a_picture_of_another_shape_is_refused(
    network: Network, shape: tuple[int, int, int]
) -> None:
    with pytest.raises(InputError, match="square picture of 3 channels"):
        caricature(network, torch.zeros(shape), "mixed3a", settings=SETTINGS)


def test_an_unknown_layer_is_refused(network: Network, picture: Tensor) -> None:
    with pytest.raises(InputError, match="unknown layer"):
        accentuate(network, picture, "mixed3x", settings=SETTINGS)
