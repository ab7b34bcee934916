"""A cell's mean is that of its samples, as counted one by one."""

import numpy as np
import pytest

from visioncircuits.atlas import Grid, SampledActivations, dependence, grids
from visioncircuits.errors import InputError


def planted(samples: int = 500) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    points = random.random((samples, 2)).astype(np.float32)
    points[0], points[1] = 0, 1
    return points, random.normal(size=(samples, 7)).astype(np.float32)


@pytest.mark.parametrize("least", [1, 6])
def test_means_are_those_of_a_brute_force_group_by(least: int) -> None:
    points, values = planted()
    found = grids(points, values, sides=[9, 3], least=least)
    assert [grid.side for grid in found] == [3, 9]
    for grid in found:
        groups: dict[tuple[int, int], list[int]] = {}
        for sample, (x, y) in enumerate(points):
            row, column = (min(int(each * grid.side), grid.side - 1) for each in (y, x))
            groups.setdefault((row, column), []).append(sample)
        kept = {cell: own for cell, own in sorted(groups.items()) if len(own) >= least}
        assert [tuple(cell) for cell in grid.cells.tolist()] == list(kept)
        assert grid.counts.tolist() == [len(own) for own in kept.values()]
        for place, own in enumerate(kept.values()):
            assert grid.samples(place).tolist() == own
            assert np.allclose(grid.means[place], values[own].mean(0), atol=1e-6)
        assert np.count_nonzero(grid.member >= 0) == sum(grid.counts)


def test_a_grid_whose_cells_have_too_few_samples_is_refused() -> None:
    with pytest.raises(InputError, match="no cell of 9 by 9 has 100 samples"):
        grids(*planted(), sides=[9], least=100)
    with pytest.raises(InputError, match="no grid is given"):
        grids(*planted(), sides=[])


def test_the_effective_number_of_photographs_is_kishs() -> None:
    """8, 1 and 1 samples of three photographs: 100 / 66; 2 and 2 of two: 2."""
    photographs = np.array([0] * 8 + [1, 2] + [0, 0, 1, 1] + [2])
    member = np.array([0] * 10 + [1] * 4 + [-1])
    count = len(member)
    drawn = SampledActivations(
        "toy", "conv", np.zeros((count, 2), np.float32), photographs,
        np.zeros((count, 2), np.int64), (3, 3), ("a", "b", "c"),
    )  # fmt: skip
    none = np.zeros((2, 0), np.float32)
    grid = Grid(2, np.array([[0, 0], [1, 1]]), np.array([10, 4]), none, none, member)
    assert np.allclose(grid.photographs(drawn), [100 / 66, 2])
    assert dependence(grid, drawn)["of one photograph"] == 0.5
