"""A small classifier, and photographs for it."""

from pathlib import Path

import pytest
import torch
from torch import nn

from visioncircuits import datasets
from visioncircuits.datasets import Photographs
from visioncircuits.networks import Network, Preprocessing, wrap


def _network() -> Network:
    torch.manual_seed(0)
    layers = (
        nn.Conv2d(3, 6, 5, stride=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 8, 3), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 3),
    )  # fmt: skip
    names = ("beer glass", "tabby", "pug")
    return wrap(nn.Sequential(*layers), Preprocessing(), name="small", size=32, classes=names)


@pytest.fixture(scope="session")
def network() -> Network:
    return _network()


@pytest.fixture(scope="session")
def photographs() -> Photographs:
    return datasets.photographs(torch.rand(12, 3, 40, 40, generator=torch.manual_seed(1)))


@pytest.fixture
def module(tmp_path: Path) -> Path:
    """A file with the same network, as a worker loads it."""
    path = tmp_path / "small_net.py"
    text = Path(__file__).read_text("utf-8")
    body = text[text.index("def _network") : text.index("@pytest.fixture(scope")]
    path.write_text(
        "import torch\nfrom torch import nn\n"
        "from visioncircuits.networks import Network, Preprocessing, wrap\n\n"
        + body.replace("_network", "build")
    )
    return path
