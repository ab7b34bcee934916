"""Moments are the same to the byte in whatever groups many pictures are joined."""

from functools import reduce

import numpy as np
import torch

from visioncircuits.examples.moments import Moments


def test_sums_of_as_many_pictures_as_imagenet_has_are_exact() -> None:
    generator = torch.Generator().manual_seed(0)
    values = [torch.rand(50, 3, 4, generator=generator) for _ in range(9)]
    values[0] *= 2**40  # what many such pictures and positions add up to
    parts = [Moments.of(each, np.zeros(50, np.int64)) for each in values]
    ahead = reduce(Moments.joined, parts)
    paired = reduce(Moments.joined, [reduce(Moments.joined, parts[at::3]) for at in range(3)])
    assert ahead.sums.tobytes() == paired.sums.tobytes()
    assert ahead.squares.tobytes() == paired.squares.tobytes()
