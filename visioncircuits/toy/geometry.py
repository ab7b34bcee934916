"""Which polytopes a solution's features form: parts of it that are orthogonal to each other.

Features that interfere are connected; each connected part is named by how many features it has in
how many dimensions, if its angles are those of that polytope.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.sparse.csgraph import connected_components

from visioncircuits import numbers
from visioncircuits.errors import InputError, unknown
from visioncircuits.toy.measures import REPRESENTED, Weights, dimensionality, represented

ALONE, OTHER = "dedicated dimension", "other"
"""Names of one feature in a dimension of its own, and of what has no name."""

CONNECTED = 0.2
"""Cosine between two features from which they are connected."""

TOLERANCE = 0.15
"""How far each cosine may be from the polytope's."""


def _regular(corners: int) -> Float[np.ndarray, "2 corners"]:
    angles = 2 * np.pi * np.arange(corners) / corners
    return np.stack([np.cos(angles), np.sin(angles)])


def _antiprism() -> Float[np.ndarray, "3 8"]:
    """Two squares, one turned by 45°, as far apart that WWᵀ = 8/3 I: heights ± 1/√3."""
    angles = np.pi / 4 * np.array([0, 2, 4, 6, 1, 3, 5, 7])
    height = 1 / np.sqrt(3) * np.array([1, 1, 1, 1, -1, -1, -1, -1])
    return np.stack([*(np.sqrt(2 / 3) * np.array([np.cos(angles), np.sin(angles)])), height])


_POLYTOPES = {
    ALONE: np.ones((1, 1)),
    "digon": np.array([[1.0, -1.0]]),
    "triangle": _regular(3),
    "tetrahedron": np.array([[1, 1, -1, -1], [1, -1, 1, -1], [1, -1, -1, 1]]) / np.sqrt(3),
    "pentagon": _regular(5),
    "square antiprism": _antiprism(),
}

POLYTOPES = tuple(_POLYTOPES)
"""Names of those that are known, as `polytope` and `parts` use them."""


def polytope(name: str) -> Float[np.ndarray, "hidden features"]:
    """Return the exact directions of a polytope's corners, of length 1, as columns.

    Parameters
    ----------
    name
        One of `POLYTOPES`.

    Raises
    ------
    InputError
        For another name.

    Notes
    -----
    The dimensionality of each corner is dimensions / corners, as all are tight frames, WWᵀ ∝ I: 1
    of a dedicated dimension, 1/2 of a digon, 2/3 of a triangle, 3/4 of a tetrahedron, 2/5 of a
    pentagon, 3/8 of a square antiprism. Antiprisms differ in height, and 3/8 is that of the one
    that is a tight frame, which is returned; that with edges of one length has less than 3/8.

    Examples
    --------
    >>> from visioncircuits.toy import dimensionality
    >>> dimensionality(polytope("square antiprism")).round(3).tolist()
    [0.375, 0.375, 0.375, 0.375, 0.375, 0.375, 0.375, 0.375]
    """
    if name not in _POLYTOPES:
        raise unknown("polytope", name, _POLYTOPES)
    return np.array(_POLYTOPES[name])


@dataclass(frozen=True)
class Part:
    """Features of a solution that interfere with each other, and with no others.

    Attributes
    ----------
    name
        One of `POLYTOPES`, or "other".
    features
        Their numbers.
    dimensions
        How many they span.
    dimensionality
        Mean of theirs, in the whole solution.

    Examples
    --------
    >>> found = parts(np.array([[1.0, -1.0, 0.0], [0.0, 0.0, 1.0]]))
    >>> [(part.name, part.features) for part in found]
    [('digon', (0, 1)), ('dedicated dimension', (2,))]
    """

    name: str
    features: tuple[int, ...]
    dimensions: int
    dimensionality: float


def parts(
    weights: Weights,
    *,
    connected: float = CONNECTED,
    tolerance: float = TOLERANCE,
    least: float = REPRESENTED,
) -> list[Part]:
    """Take a solution apart into orthogonal polytopes, and name each.

    Features that are represented are connected where their cosine, positive or negative, is above
    a limit: the connected components of the Gram matrix' graph are the parts. A part has a
    polytope's name if it has as many features in as many dimensions, and if its cosines, in order
    of size, are the polytope's.

    Parameters
    ----------
    weights
        Directions as columns, of one model.
    connected
        The limit, of the absolute cosine.
    tolerance
        How far each cosine may be from the polytope's.
    least
        Length of a direction from which a feature is represented.

    Returns
    -------
    list of Part
        In order of their first features; features that are not represented are in none.

    Raises
    ------
    InputError
        If the weights are not of one model, or a limit is not in (0, 1).

    Notes
    -----
    Orthogonal parts are the "tegum products" of Elhage et al. (2022): an octahedron is three
    digons, a square two, a triangular bipyramid a triangle and a digon.

    Examples
    --------
    >>> [part.name for part in parts(polytope("pentagon"))]
    ['pentagon']
    >>> [part.name for part in parts(np.array([[1.0, 0.0, -1.0, 0.0], [0.0, 1.0, 0.0, -1.0]]))]
    ['digon', 'digon']
    """
    numbers.real("connected", connected, least=0, most=1, open=True)
    numbers.real("tolerance", tolerance, least=0, most=1, open=True)
    directions = np.asarray(weights, dtype=np.float64)
    if directions.ndim != 2:
        raise InputError(
            f"parts are of one model: hidden dimensions by features, not {directions.shape}"
        )
    chosen = np.flatnonzero(represented(directions, least=least))
    shares = dimensionality(directions)
    units = directions[:, chosen] / np.linalg.norm(directions[:, chosen], axis=0)
    cosines = units.T @ units
    count, labels = connected_components(np.abs(cosines) > connected, directed=False)
    found = []
    for label in range(count):
        inside = np.flatnonzero(labels == label)
        dimensions = _rank(units[:, inside])
        name = _named(cosines[np.ix_(inside, inside)], dimensions, tolerance)
        features = tuple(int(feature) for feature in chosen[inside])
        found.append(Part(name, features, dimensions, float(shares[list(features)].mean())))
    return sorted(found, key=lambda part: part.features)


def _rank(units: Float[np.ndarray, "hidden some"]) -> int:
    """Count dimensions, but those that hold less than a hundredth of the mean square."""
    squares = np.linalg.svd(units, compute_uv=False) ** 2
    return int((squares > 0.01 * squares.mean()).sum())


def _named(cosines: Float[np.ndarray, "some some"], dimensions: int, tolerance: float) -> str:
    for name, exact in _POLYTOPES.items():
        if exact.shape == (dimensions, len(cosines)):
            away = np.abs(_ordered(cosines) - _ordered(exact.T @ exact))
            if away.max(initial=0) <= tolerance:
                return name
    return OTHER


def _ordered(cosines: Float[np.ndarray, "some some"]) -> Float[np.ndarray, " pairs"]:
    return np.sort(cosines[np.triu_indices(len(cosines), 1)])
