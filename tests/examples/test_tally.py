"""Extremes and random neurons of a layer, in whatever memory layout its maps are."""

import numpy as np
import pytest
import torch
from torch import Tensor

from visioncircuits.examples import sampling
from visioncircuits.examples.tally import Tally


def maps(seed: int) -> Tensor:
    """Return maps with ties, zeros and a unit that is constant."""
    values = torch.randn(4, 6, 5, 7, generator=torch.manual_seed(seed)).exp().sub(1).mul(4).round()
    values[:, 2] = 0.5
    return values


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_extremes_are_the_first_of_equal_neurons(layout: torch.memory_format) -> None:
    tally = Tally(6, top=3, seed=0)
    batches = [maps(seed) for seed in range(3)]
    for place, values in enumerate(batches):
        numbers = np.arange(4 * place, 4 * place + 4)
        tally.add(values.contiguous(memory_format=layout), numbers, [None] * 4)
    found = tally.examples()
    flat = torch.cat(batches).flatten(2).numpy()
    for places, extreme, first in (
        (found.tops, flat.max(2), flat.argmax(2)),
        (found.bottoms, flat.min(2), flat.argmin(2)),
    ):
        sign = 1 if places is found.tops else -1
        order = np.argsort(-sign * extreme.T, 1, kind="stable")[:, :3]
        assert np.array_equal(places.pictures, order)
        assert np.array_equal(places.values, np.take_along_axis(extreme.T, order, 1))
        rows_and_columns = np.divmod(np.take_along_axis(first.T, order, 1), 7)
        assert np.array_equal(places.positions, np.stack(rows_and_columns, -1))


def test_the_sample_does_not_depend_on_when_it_is_selected() -> None:
    values = torch.cat([maps(seed) for seed in range(80)])
    once, often = Tally(6, top=2, seed=5), Tally(6, top=2, seed=5)
    once.add(values, np.arange(len(values)), [None] * len(values))
    for start in range(0, len(values), 5):  # 64 batches
        often.add(values[start : start + 5], np.arange(start, start + 5), [None] * 5)
        if start % 100:
            often.examples()
    one, other = once.examples().sample, often.examples().sample
    assert np.array_equal(one.keys, other.keys)
    assert np.array_equal(one.numbers, other.numbers)
    assert (sampling.part(one.values) == one.keys % sampling.PARTS).all()
