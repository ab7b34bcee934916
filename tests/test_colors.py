"""Signed colors against the published tiles, and decoded."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from visioncircuits.colors import decoded, signed_colors


@given(st.floats(-1, 1), st.floats(0.01, 100))
def test_are_decoded_within_a_two_hundredth_of_the_scale(value: float, scale: float) -> None:
    pixels = signed_colors(np.array([value * scale]), scale)
    assert abs(decoded(pixels, scale)[0] - value * scale) <= 0.005 * scale


@pytest.mark.published
def test_published_tiles_are_decoded(published) -> None:
    tiles = json.loads((published / "weight_tiles.json").read_text("utf-8"))
    assert len(tiles) > 100
    for tile in tiles:
        values = np.array(tile["values"])
        scale = float(np.abs(values).max())
        found = decoded(signed_colors(values, scale), scale)
        assert np.abs(found - values).max() <= 0.005 * scale


@pytest.mark.parametrize(
    ("value", "color"),
    [
        (-1, "0571B0"),
        (-0.5, "92C5DE"),
        (0, "F7F7F7"),
        (0.5, "F4A582"),
        (1, "CA0020"),
        (7, "CA0020"),
        (-7, "0571B0"),
    ],
)
def test_are_those_of_the_color_map(value: float, color: str) -> None:
    assert bytes(signed_colors(np.array(float(value)), 1.0)).hex().upper() == color


def test_zeros_are_white() -> None:
    assert (signed_colors(np.zeros((2, 3)), 0.0) == 247).all()


def test_other_colors_are_decoded_as_the_nearest() -> None:
    assert decoded(np.array([0, 120, 180], dtype=np.uint8), 1.0) == pytest.approx(-1, abs=0.02)
