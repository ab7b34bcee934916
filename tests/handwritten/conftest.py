"""Each circuit built once, and what its units answer to a picture at its middle."""

from collections.abc import Callable
from functools import cache

import pytest
from torch import Tensor

from visioncircuits import handwritten
from visioncircuits.networks import Network


@pytest.fixture(scope="session")
def circuit() -> Callable[[str], Network]:
    """Give a circuit by name."""
    return cache(handwritten.load)


@pytest.fixture(scope="session")
def answers() -> Callable[[Network, str, Tensor], Tensor]:
    """Give `(batch, units)`: each unit's activation where its field is centred on the pictures."""

    def at_the_middle(network: Network, layer: str, pictures: Tensor) -> Tensor:
        size = pictures.shape[-1]
        described = network.layers_at(size)[layer]
        (place,) = (
            i for i in range(described.shape[0]) if described.center((i, i))[0] == (size - 1) / 2
        )
        return network.activations(pictures, [layer])[layer][:, :, place, place]

    return at_the_middle
