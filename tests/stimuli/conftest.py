"""The slow twin: a predicate, asked at many points of every pixel."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy.spatial import cKDTree
from torch import Tensor

Predicate = Callable[[np.ndarray, np.ndarray], np.ndarray]

# Points of the plastic number's sequence: even along every direction, the diagonals too.
SAMPLES = 1024
PLASTIC = 1.32471795724474602596


@pytest.fixture(scope="session")
def supersampled() -> Callable[..., np.ndarray]:
    """Mean of a function of x and y, in px about the origin, over many points of every pixel."""
    steps = np.arange(SAMPLES)[:, None] * np.array([1 / PLASTIC, 1 / PLASTIC**2])
    across, down = ((steps + 0.5) % 1 - 0.5).T

    def sample(value: Predicate, size: int, x: float = 0.0, y: float = 0.0) -> np.ndarray:
        centers = np.arange(size) - (size - 1) / 2
        columns = np.broadcast_to(centers - x + across[:, None, None], (len(across), size, size))
        rows = np.broadcast_to(
            centers[:, None] - y + down[:, None, None], (len(across), size, size)
        )
        return value(columns, rows).astype(np.float64).mean(0)

    return sample


@pytest.fixture(scope="session")
def assert_close() -> Callable[..., None]:
    """A mask is its twin: within .01 on average over the pixels an edge runs through."""

    def check(
        mask: Tensor, twin: np.ndarray, *, worst: float = 0.04, typical: float = 0.01
    ) -> None:
        mine = mask.numpy()
        assert mine.shape == twin.shape
        partial = ((twin > 0) & (twin < 1)) | ((mine > 0) & (mine < 1))
        assert partial.any()
        error = np.abs(mine - twin)
        assert error[partial].mean() <= typical
        assert error.max() <= worst

    return check


@pytest.fixture(scope="session")
def towards() -> Callable[[float], np.ndarray]:
    """The unit vector x, y of a direction in degrees."""

    def vector(degrees: float) -> np.ndarray:
        radians = math.radians(degrees)
        return np.array([math.cos(radians), math.sin(radians)])

    return vector


@pytest.fixture(scope="session")
def frame_of() -> Callable[[float], Callable[..., tuple[np.ndarray, np.ndarray]]]:
    """Coordinates along and across an orientation in degrees, of x and y."""

    def coordinates(orientation: float) -> Callable[..., tuple[np.ndarray, np.ndarray]]:
        cos, sin = math.cos(math.radians(orientation)), math.sin(math.radians(orientation))
        return lambda x, y: (x * cos + y * sin, y * cos - x * sin)

    return coordinates


@pytest.fixture(scope="session")
def stroked() -> Callable[[np.ndarray, float], Predicate]:
    """Whether a point is within half a width of a path of points closer than .05 px together."""

    def stroke(points: np.ndarray, width: float) -> Predicate:
        tree = cKDTree(points)

        def near(x: np.ndarray, y: np.ndarray) -> np.ndarray:
            queried = np.stack([x.ravel(), y.ravel()], 1)
            distance, _ = tree.query(queried, distance_upper_bound=width)
            return (distance <= width / 2).reshape(x.shape)

        return near

    return stroke
