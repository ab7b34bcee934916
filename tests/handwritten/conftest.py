"""Each circuit built once, and its responses at the center of a picture."""

from collections.abc import Callable
from functools import cache

import pytest
from torch import Tensor

from visioncircuits import handwritten
from visioncircuits.networks import Network


@pytest.fixture(scope="session")
def circuit() -> Callable[[str], Network]:
    """Return a circuit by name."""
    return cache(handwritten.load)


@pytest.fixture(scope="session")
def responses() -> Callable[[Network, str, Tensor], Tensor]:
    """Return `(batch, units)`: each unit's activation where its field is centered in pictures."""

    def at_the_center(network: Network, layer: str, pictures: Tensor) -> Tensor:
        size = pictures.shape[-1]
        described = network.layers_at(size)[layer]
        (index,) = (
            i for i in range(described.shape[0]) if described.center((i, i))[0] == (size - 1) / 2
        )
        return network.activations(pictures, [layer])[layer][:, :, index, index]

    return at_the_center
