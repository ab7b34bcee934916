"""Moments are the same to the byte in whatever groups many pictures are joined."""

from functools import reduce

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from visioncircuits.examples.moments import Moments, of_each


def test_sums_of_as_many_pictures_as_imagenet_has_are_exact() -> None:
    generator = torch.Generator().manual_seed(0)
    values = [torch.rand(3, 4, 50, generator=generator) for _ in range(9)]
    values[0] *= 2**40  # what many such pictures and positions add up to
    parts = [Moments.of([of_each(each)], 4) for each in values]
    ahead = reduce(Moments.joined, parts)
    paired = reduce(Moments.joined, [reduce(Moments.joined, parts[at::3]) for at in range(3)])
    assert ahead.sums.tobytes() == paired.sums.tobytes()
    assert ahead.squares.tobytes() == paired.squares.tobytes()


@given(st.lists(st.floats(-1, 1, width=32) | st.sampled_from([0.0, -0.0, 1e-12, -1e-12])))
def test_values_above_zero_are_counted_exactly(values: list[float]) -> None:
    both = torch.tensor([[1.0, *values], [0.0, *values]]).T[None]
    assert (
        Moments.of([of_each(both)], both.shape[1]).positive.tolist()
        == (both > 0).sum((0, 1)).tolist()
    )


def test_moments_are_of_each_unit() -> None:
    values = torch.randn(3, 20, 5, generator=torch.manual_seed(0)) + 7
    found = Moments.of([of_each(values[:1]), of_each(values[1:])], 20)
    flat = values.flatten(0, 1).double().numpy()
    np.testing.assert_allclose(found.mean, flat.mean(0), rtol=1e-6)
    np.testing.assert_allclose(found.deviation, flat.std(0), rtol=1e-6)
