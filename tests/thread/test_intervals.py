"""Intervals hold what they should as often as they should."""

import numpy as np

from visioncircuits.thread import interval


def test_an_interval_of_a_mean_is_as_wide_as_the_formula_says() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=400)
    low, high = interval(values, rng, statistic=lambda drawn: float(drawn.mean()))
    expected = 2 * 1.96 * values.std() / 20
    assert abs((high - low) / expected - 1) < 0.1
    assert low < values.mean() < high
