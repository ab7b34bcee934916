"""An explained photograph of a small classifier."""

import pytest
import torch
from torch import nn

from visioncircuits.attribution import Explanation, explain
from visioncircuits.networks import Network, Preprocessing, wrap


@pytest.fixture(scope="session")
def classifier() -> Network:
    """Layers `1` and `3` have 6 and 8 units, at 14 × 14 and 12 × 12 positions."""
    torch.manual_seed(1)
    layers = (
        nn.Conv2d(3, 6, 5, stride=2), nn.ReLU(), nn.Conv2d(6, 8, 3), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 4),
    )  # fmt: skip
    names = ("beer glass", "<tabby>", "pug", "pig & hog")
    module = nn.Sequential(*layers)
    return wrap(module, Preprocessing(), name="small", size=32, classes=names)


@pytest.fixture(scope="session")
def explained(classifier: Network) -> Explanation:
    """Two layers, three groups each, three classes."""
    photograph = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    return explain(classifier, photograph, ["1", "3"], classes=[0, 1, 3], top=0, groups=3)
