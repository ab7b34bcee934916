import math

import numpy as np
import pytest
import torch

from visioncircuits.errors import InputError
from visioncircuits.stimuli import chirp, gabor, sinusoidal_grating, square_grating

SIZE = 40


def _frame(orientation, size, *, x=0.0, y=0.0):
    places = np.arange(size) - (size - 1) / 2
    x, y = np.meshgrid(places - x, places - y)
    t = math.radians(orientation)
    return x * math.cos(t) + y * math.sin(t), y * math.cos(t) - x * math.sin(t)


def test_a_sinusoidal_grating_is_a_cosine_across_its_stripes():
    _, v = _frame(28.0, SIZE, x=1.5, y=-2.0)
    wave = np.cos(2 * np.pi * v / 7.3 + math.radians(50.0))
    drawn = sinusoidal_grating(
        orientation=28.0, period=7.3, phase=50.0, contrast=0.6, x=1.5, y=-2.0, size=SIZE
    )
    assert np.abs(drawn.picture.numpy() - (0.5 + 0.3 * wave)).max() < 1e-5


@pytest.mark.parametrize("orientation", [0.0, 31.0, 90.0])
@pytest.mark.parametrize(("period", "duty", "phase"), [(3.0, 0.5, 40.0), (9.0, 0.3, 0.0)])
def test_a_square_grating_is_ink_where_a_wave_is_high(
    orientation, period, duty, phase, supersampled, assert_close
):
    t = math.radians(orientation)

    def ink(x, y):
        across = (y * math.cos(t) - x * math.sin(t)) / period + phase / 360
        return np.abs(across - np.round(across)) <= duty / 2

    drawn = square_grating(
        orientation=orientation, period=period, duty=duty, phase=phase, size=SIZE
    )
    assert_close(drawn.mask[0, 0], supersampled(ink, SIZE))


def test_a_square_grating_of_phase_0_is_where_the_sinusoid_is_above_its_mean():
    square = square_grating(orientation=20.0, period=8.0, phase=70.0, size=SIZE).mask
    wave = sinusoidal_grating(orientation=20.0, period=8.0, phase=70.0, size=SIZE).mask
    far = (wave - 0.5).abs() > 0.35
    assert torch.equal(square[far] > 0.5, wave[far] > 0.5)


def test_a_gabor_patch_is_a_grating_in_a_gaussian():
    u, v = _frame(75.0, SIZE, x=-3.0)
    window = np.exp(-(u**2 + v**2) / (2 * 5.5**2))
    expected = 0.5 + 0.5 * window * np.cos(2 * np.pi * v / 9.0 + math.radians(90.0))
    drawn = gabor(orientation=75.0, period=9.0, phase=90.0, sigma=5.5, x=-3.0, size=SIZE)
    assert np.abs(drawn.picture.numpy() - expected).max() < 1e-5
    assert np.abs(drawn.mask[0, 0].numpy() - window).max() < 1e-5


def test_the_phase_of_a_chirp_is_the_integral_of_its_frequency():
    u = np.arange(160) - 79.5
    fine = np.linspace(-80, 80, 160_001)
    frequency = np.interp(fine, [-30.0, 30.0], [1 / 20, 1 / 5])
    cycles = np.concatenate([[0], np.cumsum((frequency[1:] + frequency[:-1]) / 2 * 1e-3)])
    cycles -= np.interp(0.0, fine, cycles)
    expected = 0.5 + 0.5 * np.cos(2 * np.pi * np.interp(u, fine, cycles) + math.radians(30))
    drawn = chirp(longest=20.0, shortest=5.0, length=60.0, phase=30.0, size=(1, 160))
    assert np.abs(drawn.mask[0, 0, 0].numpy() - expected).max() < 1e-4


def test_gratings_go_between_any_two_colors():
    drawn = sinusoidal_grating(period=4.0, ink="red", ground=(0.0, 0.5, 1.0), size=(5, 1))
    assert drawn.picture[0, :, 2, 0].tolist() == [1.0, 0.0, 0.0]
    assert drawn.picture[0, :, 0, 0].tolist() == pytest.approx([0.0, 0.5, 1.0], abs=1e-6)


@pytest.mark.parametrize(
    ("draw", "parameters", "message"),
    [
        (sinusoidal_grating, {"period": 1.5}, "period must be at least 2, got 1.5; shorter"),
        (sinusoidal_grating, {"contrast": 1.2}, "contrast must be from 0 to 1"),
        (square_grating, {"period": 2.0}, "period must be such that both its stripes are 1.42"),
        (square_grating, {"period": 0.0}, "period must be greater than 0"),
        (gabor, {"sigma": 0.0}, "sigma must be greater than 0"),
        (chirp, {"shortest": 1.0}, "shortest must be at least 2"),
        (chirp, {"longest": 3.0}, "longest must be at least the shortest period, got 3"),
    ],
)
def test_invalid_parameters_are_refused_in_one_sentence(draw, parameters, message):
    with pytest.raises(InputError, match=message):
        draw(**parameters)
