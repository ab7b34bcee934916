"""A source gives the same activations for the same step, and all of them once before any again."""

import pytest
import torch

from visioncircuits.dictionaries import Held, Source


@pytest.mark.parametrize("size", [3, 5, 8])
def test_every_activation_comes_once_before_any_comes_again(size: int) -> None:
    source = Held(torch.arange(10.0)[:, None])
    drawn = torch.cat([source.batch(step, size=size, seed=1) for step in range(10)]).flatten()
    whole = drawn[: len(drawn) // 10 * 10].reshape(-1, 10)
    assert all(row.sort().values.tolist() == list(range(10)) for row in whole)
    assert len({tuple(row.tolist()) for row in whole}) > 1


def test_a_batch_may_be_larger_than_what_is_held() -> None:
    drawn = Held(torch.arange(4.0)[:, None]).batch(1, size=10, seed=0)
    assert drawn.unique().tolist() == [0, 1, 2, 3]


def test_a_step_is_the_same_again_and_another_with_another_seed() -> None:
    source = Held(torch.randn(50, 2))
    assert isinstance(source, Source)
    first, again, other = (source.batch(7, size=20, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
