import math

import numpy as np
import pytest
import torch

from visioncircuits.errors import InputError
from visioncircuits.stimuli import frequency_pattern, high_low


@pytest.mark.parametrize("orientation", [0.0, 37.0, 90.0, 221.0])
@pytest.mark.parametrize("ratio", [1.0, 2.5, 10.0])
def test_a_high_low_boundary_is_the_published_formula(orientation, ratio):
    """CLAIMS 1.5, with its own coordinates: x, y in [-.5, .5), pixel n/2 at 0."""
    n, t = 60, math.radians(orientation)
    y, x = (np.mgrid[:n, :n] - n / 2) / n
    u, v = x * math.cos(t) + y * math.sin(t), -x * math.sin(t) + y * math.cos(t)
    low, high = (
        np.cos(2 * np.pi * k * u) * np.cos(2 * np.pi * k * v)
        for k in (4 * ratio ** (-2 / 3), 4 * ratio ** (2 / 3))
    )
    weight = np.clip(0.5 + u / 0.1, 0, 1)
    published = 0.375 * (1 + (1 - weight) * low + weight * high)

    drawn = high_low(orientation=orientation, ratio=ratio, tile=60.0, size=n, x=0.5, y=0.5)
    assert np.abs(drawn.picture.numpy() - published).max() < 1e-5
    assert np.abs(drawn.mask[0, 0].numpy() - weight).max() < 1e-5


def test_a_high_low_boundary_scales_with_its_tile():
    small = high_low(orientation=30.0, ratio=4.0, tile=60.0, size=60).picture
    large = high_low(orientation=30.0, ratio=4.0, tile=180.0, size=180).picture
    # the middle of every three pixels lies where one pixel of a third of the size does
    assert torch.allclose(large[:, :, 1::3, 1::3], small, atol=1e-5)


@pytest.mark.parametrize("orientation", [0.0, 22.9, 45.0])
@pytest.mark.parametrize("frequency", [1.0, 5.5, 10.0])
def test_a_frequency_pattern_is_the_published_formula(orientation, frequency, frame_of):
    places = np.arange(40) - 19.5
    u, v = frame_of(orientation)(*np.meshgrid(places, places))
    waves = np.cos(2 * np.pi * frequency * u / 40) + np.cos(2 * np.pi * frequency * v / 40)
    drawn = frequency_pattern(orientation=orientation, frequency=frequency, tile=40.0, size=40)
    assert np.abs(drawn.picture.numpy() - np.clip(0.5 + 0.3 * waves, 0, 1)).max() < 1e-5


@pytest.mark.parametrize(
    ("draw", "parameters", "message"),
    [
        (high_low, {"ratio": 0.5}, "ratio must be at least 1, got 0.5"),
        (
            high_low,
            {"tile": 40.0},
            "at least 2√2 pixels a cycle .*, got 40; make it 52.51",
        ),
        (high_low, {"tile": 0.0}, "tile must be greater than 0"),
        (frequency_pattern, {"frequency": 30.0}, "tile must be at least 2 pixels a cycle"),
        (frequency_pattern, {"frequency": 0.0}, "frequency must be greater than 0"),
    ],
)
def test_invalid_parameters_are_refused_in_one_sentence(draw, parameters, message):
    with pytest.raises(InputError, match=message):
        draw(**parameters)
