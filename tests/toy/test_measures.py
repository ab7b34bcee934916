"""Dimensionality, interference and what is represented, on directions known exactly."""

import numpy as np
import pytest

from visioncircuits.errors import InputError
from visioncircuits.toy import POLYTOPES, dimensionality, interference, polytope, represented

EXACT = {
    "dedicated dimension": 1,
    "digon": 1 / 2,
    "triangle": 2 / 3,
    "tetrahedron": 3 / 4,
    "pentagon": 2 / 5,
    "square antiprism": 3 / 8,
}


def rotation(size: int) -> np.ndarray:
    return np.linalg.qr(np.random.default_rng(1).normal(size=(size, size)))[0]


@pytest.mark.parametrize("name", POLYTOPES)
def test_corners_of_exact_polytopes_have_their_dimensionality_however_they_are_turned(
    name: str,
) -> None:
    corners = polytope(name)
    assert np.allclose(np.linalg.norm(corners, axis=0), 1)
    assert np.allclose(dimensionality(corners), EXACT[name])
    assert np.allclose(dimensionality(1.2 * rotation(len(corners)) @ corners), EXACT[name])
    assert np.allclose(interference(corners), 1 / EXACT[name] - 1)


def equal_edges() -> np.ndarray:
    """The square antiprism all of whose edges are of one length."""
    corners = polytope("square antiprism")
    corners[:2] *= 1 / np.hypot(*corners[:2, 0])
    # between the squares: height² + 2 − 2 cos 45°, which is to be an edge's square, 2
    corners[2] = np.sign(corners[2]) * np.sqrt(np.sqrt(2)) / 2
    edges = corners[:, 0] - corners[:, 4], corners[:, 0] - corners[:, 1]
    assert np.isclose(*(np.linalg.norm(edge) for edge in edges))
    return corners / np.linalg.norm(corners, axis=0)


def test_three_eighths_is_the_antiprism_that_is_a_tight_frame() -> None:
    tight = polytope("square antiprism")
    assert np.allclose(tight @ tight.T, 8 / 3 * np.eye(3))
    assert np.allclose(dimensionality(equal_edges()), 0.3664, atol=1e-4)


def test_dimensionality_is_the_formula_term_by_term() -> None:
    weights = np.random.default_rng(0).normal(size=(3, 7))
    for i, found in enumerate(dimensionality(weights)):
        unit = weights[:, i] / np.linalg.norm(weights[:, i])
        shared = sum((unit @ weights[:, j]) ** 2 for j in range(7))
        assert found == pytest.approx(weights[:, i] @ weights[:, i] / shared)


def test_many_models_are_measured_as_each_alone_and_no_direction_has_no_dimension() -> None:
    many = np.random.default_rng(0).normal(size=(2, 4, 3, 6))
    many[1, 2, :, 5] = 0
    assert np.allclose(dimensionality(many)[1, 2], dimensionality(many[1, 2]))
    assert dimensionality(many)[1, 2, 5] == interference(many)[1, 2, 5] == 0
    assert not represented(many)[1, 2, 5]


def test_a_length_from_which_a_feature_is_represented_must_be_positive() -> None:
    with pytest.raises(InputError, match="least must be a finite number above 0"):
        represented(np.eye(2), least=0)
