"""Solutions are taken apart into polytopes, and nothing else is given their names."""

import numpy as np
import pytest

from visioncircuits.errors import InputError
from visioncircuits.toy import POLYTOPES, parts, polytope

RNG = np.random.default_rng(0)


def turned(corners: np.ndarray, *, hidden: int = 6) -> np.ndarray:
    """Corners in an arbitrary subspace of more dimensions, in another order."""
    axes = np.linalg.qr(RNG.normal(size=(hidden, hidden)))[0][:, : len(corners)]
    return axes @ RNG.permutation(corners, axis=1)


@pytest.mark.parametrize("name", POLYTOPES)
def test_an_exact_polytope_has_its_name_turned_and_shortened_and_with_noise(name: str) -> None:
    corners = polytope(name)
    noisy = 0.9 * turned(corners) + RNG.normal(scale=0.01, size=(6, corners.shape[1]))
    (found,) = parts(noisy)
    assert (found.name, len(found.features)) == (name, corners.shape[1])
    assert found.dimensions == len(corners)
    assert found.dimensionality == pytest.approx(len(corners) / corners.shape[1], abs=0.01)


def test_orthogonal_polytopes_are_separate_parts_and_short_directions_are_in_none() -> None:
    whole = np.zeros((6, 12))
    whole[:2, [0, 3, 5, 7, 9]] = polytope("pentagon")
    whole[2:4, [1, 2, 4]] = polytope("triangle")
    whole[4:5, [6, 8]] = polytope("digon")
    whole[5, 10] = 1
    whole[:, 11] = 0.02
    found = parts(np.linalg.qr(RNG.normal(size=(6, 6)))[0] @ whole)
    assert [part.name for part in found] == ["pentagon", "triangle", "digon", "dedicated dimension"]
    assert (found[0].features, found[0].dimensions) == ((0, 3, 5, 7, 9), 2)
    assert found[0].dimensionality == pytest.approx(0.4, abs=1e-3)


def test_five_directions_in_a_plane_that_are_no_pentagon_have_no_name() -> None:
    angles = np.radians([0, 40, 110, 200, 270])
    assert [part.name for part in parts(np.stack([np.cos(angles), np.sin(angles)]))] == ["other"]


def test_random_directions_have_no_name() -> None:
    named = [p.name for _ in range(50) for p in parts(turned(RNG.normal(size=(3, 8)), hidden=3))]
    assert {*named} <= {"other", "dedicated dimension"}


def test_nothing_represented_has_no_parts() -> None:
    assert parts(np.zeros((2, 5))) == []


def test_bad_input_is_refused_in_one_sentence() -> None:
    with pytest.raises(InputError, match="parts are of one model"):
        parts(np.zeros((1, 2, 5)))
    with pytest.raises(InputError, match="unknown polytope 'hexagon'"):
        polytope("hexagon")
    with pytest.raises(InputError, match="tolerance must be"):
        parts(np.eye(2), tolerance=0)
