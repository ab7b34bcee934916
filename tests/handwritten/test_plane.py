import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from visioncircuits.handwritten.plane import Positions, cosd, difference, sind

ANGLES = st.integers(-5000, 5000).map(lambda step: step * 0.25)


@given(ANGLES)
def test_cosine_and_sine_equal_numpys(angle: float) -> None:
    assert cosd(angle) == pytest.approx(np.cos(np.radians(angle)), abs=1e-12)
    assert sind(angle) == pytest.approx(np.sin(np.radians(angle)), abs=1e-12)


@given(ANGLES)
def test_a_quarter_turn_is_exact(angle: float) -> None:
    assert cosd(angle + 90) == -sind(angle)
    assert sind(angle + 90) == cosd(angle)
    assert cosd(-angle) == cosd(angle)


@given(ANGLES, ANGLES, st.sampled_from([180.0, 360.0]))
def test_a_difference_is_the_smallest_angle(one: float, other: float, period: float) -> None:
    found = difference(one - other, period)
    assert -period / 2 <= found < period / 2
    assert (one - other - found) % period == 0


@given(ANGLES, st.sampled_from([1, 3, 5, 7]))
def test_frames_rotate_exactly_with_the_orientation(angle: float, size: int) -> None:
    positions = Positions.grid(size, 4.0)
    for upright, rotated in zip(positions.frame(angle), positions.frame(angle + 90), strict=True):
        np.testing.assert_array_equal(np.rot90(upright, -1), rotated)  # -1 is clockwise


def test_positions_are_centered_with_the_given_spacing() -> None:
    positions = Positions.grid(5, 8.0)
    assert positions.x[2].tolist() == [-16, -8, 0, 8, 16]
    assert (positions.y == positions.x.T).all()
