"""Pairs that face left and right."""

import numpy as np

from visioncircuits.thread.articles.zoom_in.dogs import facing


def test_units_that_trade_places_under_mirroring_are_a_pair() -> None:
    rng = np.random.default_rng(0)
    values = rng.random((40, 4))
    mirrored = values[:, [1, 0, 2, 3]]
    assert facing(values, mirrored, np.arange(4)) == [(0, 1)]


def test_no_dog_units_make_no_pairs() -> None:
    values = np.random.default_rng(0).random((40, 4))
    assert facing(values, values, np.array([], dtype=int)) == []
