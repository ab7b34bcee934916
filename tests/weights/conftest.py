"""What several tests share."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from visioncircuits.networks import Network, untrained
from visioncircuits.weights import ExpandedWeights


@pytest.fixture(scope="session")
def network() -> Network:
    """A network of inception modules with random parameters, not to be changed."""
    return untrained("bvlc_googlenet", seed=4)


@pytest.fixture(scope="session")
def on_map() -> Callable[[ExpandedWeights, tuple[int, int], tuple[int, ...]], Tensor]:
    """Place kernels on a map of the source's shape, for a neuron of the target."""

    def place(
        weights: ExpandedWeights, position: tuple[int, int], shape: tuple[int, ...]
    ) -> Tensor:
        laid = torch.zeros(*weights.weight.shape[:2], *shape)
        top, left = (
            stride * at + offset
            for stride, at, offset in zip(weights.stride, position, weights.offset, strict=True)
        )
        height, width = weights.weight.shape[2:]
        laid[..., top : top + height, left : left + width] = weights.weight
        return laid

    return place
