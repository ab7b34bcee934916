"""A network that several tests share, because building it is slow."""

import pytest

from visioncircuits.networks import Network, untrained


@pytest.fixture(scope="session")
def network() -> Network:
    """A network of inception modules with random parameters, not to be changed."""
    return untrained("bvlc_googlenet", seed=4)
