"""The rules by which the article judges a layer of curves are right on what is known."""

import numpy as np
import torch
import xarray as xr

from visioncircuits import toy
from visioncircuits.thread.articles.toy_models.curves import ORIENTATIONS, _recovered, _ring


def test_a_circle_is_a_ring_and_the_same_directions_in_another_order_are_none() -> None:
    rng = np.random.default_rng(0)
    angles = np.radians(np.arange(ORIENTATIONS) * 360 / ORIENTATIONS)
    circle = np.stack([np.cos(angles), np.sin(angles)])[None]
    found, _, holds = _ring(circle, rng)
    # neighbors: cos 22.5°; all others: what is left of a sum of zero over the 15
    beside = np.cos(np.radians(22.5))
    assert np.isclose(found, beside - (-1 - 2 * beside) / 13)
    assert holds
    assert not _ring(circle[:, :, rng.permutation(ORIENTATIONS)], rng)[2]


def test_directions_are_recovered_where_an_atom_is_near_at_any_length() -> None:
    directions = torch.eye(6)[None].repeat(2, 1, 1)
    found = toy.Solutions({"weights": (("instance", "hidden", "feature"), directions.numpy())})
    assert isinstance(found, xr.Dataset)
    half = 3 * torch.eye(6)[:3]
    (mean, count), (all_mean, every) = _recovered(found, [half, torch.eye(6)])
    assert (mean, count, all_mean, every) == (0.5, 3, 1.0, 6)
