import numpy as np
import pytest
import torch

from visioncircuits.errors import InputError
from visioncircuits.stimuli import (
    black_white_vs_color,
    brightness_gradient,
    color_center_surround,
    color_contrast,
    hue,
)

SIZE = 32


def test_a_color_contrast_has_its_hue_behind_the_edge_and_the_other_before_it():
    picture = color_contrast(orientation=90.0, hue=40.0, apart=100.0, size=SIZE).picture[0]
    assert torch.allclose(picture[:, 0, 0].double(), hue(40.0)[0], atol=1e-6)
    assert torch.allclose(picture[:, -1, 0].double(), hue(140.0)[0], atol=1e-6)


@pytest.mark.parametrize("draw", [color_contrast, color_center_surround])
def test_a_contrast_of_color_is_none_of_brightness(draw):
    picture = draw(hue=torch.arange(0.0, 360.0, 17.0), apart=70.0, chroma=0.8, size=SIZE).picture
    assert torch.allclose(picture.mean(1), torch.tensor(0.5), atol=1e-6)


def test_a_color_center_is_a_disc(supersampled, assert_close):
    drawn = color_center_surround(radius=9.0, x=1.0, y=-2.0, size=SIZE)
    twin = supersampled(lambda x, y: np.hypot(x, y) <= 9.0, SIZE, 1.0, -2.0)
    assert_close(drawn.mask[0, 0], twin)
    center = drawn.picture[0, :, SIZE // 2, SIZE // 2]
    assert torch.allclose(center.double(), hue(0.0)[0], atol=1e-6)
    assert torch.allclose(drawn.picture[0, :, 0, 0].double(), hue(180.0)[0], atol=1e-6)


def test_black_and_white_is_gray_and_as_far_from_it_as_the_color():
    picture = black_white_vs_color(orientation=0.0, hue=75.0, phase=33.0, size=SIZE).picture[0]
    gray, colored = picture[:, :, 0] - 0.5, picture[:, :, -1] - 0.5
    assert torch.equal(gray.amax(0), gray.amin(0))
    assert torch.allclose(gray.norm(dim=0), colored.norm(dim=0), atol=1e-6)
    assert torch.allclose(colored.mean(0), torch.zeros(SIZE), atol=1e-6)
    assert gray.abs().max() > 0.3


@pytest.mark.parametrize("orientation", [0.0, 60.0, 270.0])
def test_a_brightness_gradient_rises_evenly_towards_its_orientation(orientation):
    t = np.radians(orientation)
    places = np.arange(SIZE) - (SIZE - 1) / 2
    x, y = np.meshgrid(places, places)
    expected = np.clip(0.5 + (x * np.cos(t) + y * np.sin(t)) / 20.0, 0, 1)
    picture = brightness_gradient(orientation=orientation, extent=20.0, size=SIZE).picture
    assert np.abs(picture.numpy() - expected).max() < 1e-5


@pytest.mark.parametrize(
    ("draw", "parameters", "message"),
    [
        (color_contrast, {"chroma": 1.5}, "chroma must be from 0 to 1, got 1.5"),
        (color_center_surround, {"radius": 0.0}, "radius must be greater than 0"),
        (color_center_surround, {"radius": 300.0}, "radius must be small enough to be seen"),
        (black_white_vs_color, {"period": 1.0}, "period must be at least 2"),
        (brightness_gradient, {"extent": 0.0}, "extent must be at least 1, got 0; a sharp edge"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_a_sentence(draw, parameters, message):
    with pytest.raises(InputError, match=message):
        draw(**parameters)
