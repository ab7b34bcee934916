"""A network of three convolutions whose circuits can be computed by hand."""

import pytest
import torch
from torch import nn

from visioncircuits.circuits import Measured, candidates, measured
from visioncircuits.networks import Network, Preprocessing, wrap


@pytest.fixture(scope="session")
def layers() -> list[nn.Module]:
    torch.manual_seed(0)
    return [nn.Conv2d(3, 6, 3), nn.ReLU(), nn.Conv2d(6, 5, 3), nn.ReLU(), nn.Conv2d(5, 2, 3)]


@pytest.fixture(scope="session")
def network(layers: list[nn.Module]) -> Network:
    return wrap(nn.Sequential(*layers), Preprocessing(), size=16)


@pytest.fixture(scope="session")
def pictures() -> torch.Tensor:
    return torch.rand(6, 3, 16, 16, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="session")
def study(network: Network, pictures: torch.Tensor) -> Measured:
    return measured(candidates(network, "4:0", ["1", "3"]), pictures)
