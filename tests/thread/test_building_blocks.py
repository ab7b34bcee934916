"""How published groups are matched: on maps that were made up."""

import numpy as np
import pytest
import torch

from visioncircuits.thread.articles import building_blocks
from visioncircuits.thread.articles.building_blocks import again, matched, pairs, shuffled, started
from visioncircuits.thread.claims import paper


def maps(groups: int = 3, seed: int = 0) -> np.ndarray:
    """Each is where no other is."""
    rng = np.random.default_rng(seed)
    found = np.zeros((groups, 36))
    for group, places in enumerate(np.array_split(rng.permutation(36), groups)):
        found[group, places] = rng.uniform(1, 2, len(places))
    return found


def test_the_order_and_the_strength_of_groups_do_not_matter() -> None:
    wanted = maps()
    places, correlations = pairs(5 * wanted[[2, 0, 1]], wanted)
    assert places.tolist() == [1, 2, 0]
    assert correlations == pytest.approx([1, 1, 1])


def test_a_group_that_is_not_there_correlates_with_none() -> None:
    assert matched(maps()[:2], maps()) == pytest.approx(2 / 3)


def test_shuffling_keeps_what_each_unit_has() -> None:
    values = torch.rand(4, 6, 6)
    mixed = shuffled(values, seed=0)
    assert not torch.equal(mixed, values)
    assert torch.equal(mixed.flatten(1).sort(1).values, values.flatten(1).sort(1).values)


def test_a_fit_that_starts_at_the_solution_stays_there_and_another_does_not() -> None:
    wanted, other = maps(), maps(seed=1)
    directions = np.random.default_rng(2).dirichlet(np.ones(8), 3)
    values = torch.tensor(wanted.T @ directions)
    stayed, explained = started(values, wanted)
    assert (stayed, explained) == pytest.approx((1, 1), abs=1e-3)
    assert started(values, other)[0] < 0.9


def test_the_least_of_the_correlations_decides() -> None:
    claim, nulls = paper("groups come out again", "r"), {"shuffled positions": [0.1, 0.2]}
    assert again(claim, {2: 1.0, 4: 0.98}, 0.97, nulls).status == "holds"
    assert again(claim, {2: 1.0, 4: 0.96}, 0.97, nulls).status == "does not hold"
    lucky = {"shuffled positions": [0.99, 0.98]}
    assert again(claim, {2: 1.0, 4: 0.98}, 0.97, lucky).status == "no evidence"


def test_every_other_photograph_has_the_same_numbers_of_groups() -> None:
    for counts, _, other in building_blocks.PUBLISHED.values():
        assert building_blocks.PUBLISHED[other][0] == counts
