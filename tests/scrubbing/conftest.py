"""A network of two units whose values are chosen, picture by picture, and pictures with these."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

from visioncircuits.networks import Network, Preprocessing, wrap
from visioncircuits.scrubbing import Shown

NAMES = "left", "right", "rest"


def weighted(*weights: float, rectified: bool = False) -> Network:
    """Three units, each a channel of the picture, and their weighted sum at every position."""
    first, second = nn.Conv2d(3, 3, 1, bias=False), nn.Conv2d(3, 1, 1, bias=False)
    with torch.no_grad():
        first.weight.copy_(torch.eye(3)[:, :, None, None])
        second.weight.copy_(torch.tensor(weights).reshape(1, 3, 1, 1))
    layers = [first, second, nn.ReLU()] if rectified else [first, second]
    return wrap(nn.Sequential(*layers), Preprocessing(), size=3)


@pytest.fixture
def network() -> Callable[..., Network]:
    """Make a network: layer "0" has the three units, "1" their sum with the given weights."""
    return weighted


@pytest.fixture
def shown() -> Callable[..., Shown]:
    """Make uniform pictures of the given values, known as left, right and rest."""

    def pictures(values: np.ndarray) -> Shown:
        tensor = torch.from_numpy(values).float()[:, :, None, None].expand(-1, -1, 3, 3)
        return Shown(tensor.contiguous(), dict(zip(NAMES, values.T, strict=True)))

    return pictures


@pytest.fixture
def values() -> np.ndarray:
    """Three numbers for each of 60 pictures; the first takes four values, the others any."""
    rng = np.random.default_rng(0)
    found = rng.random((60, 3))
    found[:, 0] = rng.integers(4, size=60) / 4
    return found
