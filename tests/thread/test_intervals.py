"""Intervals contain the true value as often as they should."""

import numpy as np

from visioncircuits.thread.intervals import interval, share_interval


def test_the_interval_of_a_mean_is_as_wide_as_its_formula() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=400)
    low, high = interval(values, rng, statistic=lambda drawn: float(drawn.mean()))
    expected = 2 * 1.96 * values.std() / 20
    assert abs((high - low) / expected - 1) < 0.1
    assert low < values.mean() < high


def test_the_interval_of_a_share_contains_it_in_95_percent_of_binomial_draws() -> None:
    drawn = np.random.default_rng(0).binomial(64, 0.14, 2000)
    inside = [low < 0.14 < high for low, high in (share_interval(int(n), 64) for n in drawn)]
    assert 0.92 < np.mean(inside) < 0.98
    assert share_interval(0, 64)[0] < 1e-9


def test_units_without_a_preference_are_left_out_and_fewer_than_three_have_no_interval() -> None:
    values = np.array([1.0, np.nan, 2.0, 3.0, np.nan])
    own = interval(values, np.random.default_rng(0))
    assert own == interval(values[[0, 2, 3]], np.random.default_rng(0))
    assert np.isnan(interval(values[:3], np.random.default_rng(0))).all()
