import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from visioncircuits.tuning import circular

ANGLES = np.arange(0, 360, 10.0)


def von_mises(at: float, kappa: float = 3.0, angles: np.ndarray = ANGLES) -> np.ndarray:
    return np.exp(kappa * (np.cos(np.radians(angles - at)) - 1))


@given(st.floats(0, 359.9), st.floats(1, 8))
def test_the_peak_is_found_between_the_steps(at, kappa):
    where, height = circular.peak(von_mises(at, kappa))
    assert circular.angular_distance(where, np.array(at)) < 0.5
    assert height == pytest.approx(1, abs=0.01)


@given(st.floats(0, 179.9))
def test_the_period_of_lines_is_half_a_turn(at):
    angles = np.arange(0, 180, 10.0)
    curve = np.exp(3 * (np.cos(np.radians(2 * (angles - at))) - 1))
    where, _ = circular.peak(curve, period=180)
    assert circular.angular_distance(where, np.array(at), period=180) < 0.5
    mean = circular.mean_angle(curve, period=180)
    assert circular.angular_distance(mean, np.array(at), period=180) < 0.5


@given(st.floats(0, 359.9), st.floats(1, 8))
def test_the_width_is_where_the_curve_has_half_its_height(at, kappa):
    # 1 + log(1/2) / kappa is the cosine of half the width of a von Mises curve.
    cosine = 1 + np.log(0.5) / kappa
    fine = np.arange(0, 360, 1.0)
    expected = 2 * np.degrees(np.arccos(cosine))
    assert circular.width(von_mises(at, kappa, fine)) == pytest.approx(expected, abs=1.5)


def test_a_curve_that_never_falls_to_half_is_as_wide_as_the_circle():
    assert circular.width(np.array([4.0, 3.0, 3.0, 3.0])) == 360


def test_rotating_a_curve_changes_only_its_peak():
    curve = von_mises(33.0) + 0.3 * von_mises(200.0)
    turned = np.roll(curve, 7)
    assert circular.peak(turned)[0] == pytest.approx(circular.peak(curve)[0] + 70)
    for number in (circular.width, circular.echo, circular.concentration):
        assert number(turned) == pytest.approx(number(curve))


def test_the_echo_is_measured_opposite_the_peak_and_not_beside_it():
    opposite, beside = np.zeros(36), np.zeros(36)
    opposite[[5, 5 + 18]] = 1, 0.25
    beside[[5, 5 + 9]] = 1, 0.25
    assert circular.echo(opposite) == 0.25
    assert circular.echo(beside) == 0
    assert circular.off_peak(beside, beyond=60.0) == 0.25


def test_curves_without_a_positive_value_give_nan():
    for curve in (np.zeros(8), np.full(8, -3.0)):
        assert np.isnan(circular.peak(curve)).all()
        assert np.isnan(circular.width(curve))
        assert np.isnan(circular.echo(curve))
        assert np.isnan(circular.concentration(curve))
        assert np.isnan(circular.mean_angle(curve))


def test_curves_are_independent_of_one_another():
    curves = np.random.default_rng(0).random((3, 4, 24))
    for number in (circular.width, circular.echo, circular.concentration, circular.mean_angle):
        together = number(curves)
        for i, j in np.ndindex(3, 4):
            assert together[i, j] == pytest.approx(number(curves[i, j]))


@given(st.floats(0, 360), st.floats(0, 360), st.sampled_from([180.0, 360.0]))
def test_turning_by_the_difference_leads_from_the_second_angle_to_the_first(first, second, period):
    turn = float(circular.angular_difference(first, second, period=period))
    assert -period / 2 <= turn < period / 2
    assert np.exp(2j * np.pi * (second + turn) / period) == pytest.approx(
        np.exp(2j * np.pi * first / period), abs=1e-9
    )
    assert abs(turn) == pytest.approx(circular.angular_distance(first, second, period=period))
