import math

import numpy as np
import pytest
import torch

from visioncircuits.errors import InputError
from visioncircuits.stimuli import curve, double_curve

SIZE = 36


def _disc(center, radius):
    return lambda x, y: np.hypot(x - center[0], y - center[1]) <= radius


@pytest.mark.parametrize("orientation", [33.0, 90.0, 200.5])
@pytest.mark.parametrize("radius", [7.0, 25.7, 290.0])
@pytest.mark.parametrize("width", [0.7, 1.67, 6.0])
def test_a_curve_is_the_circle_through_its_origin(
    orientation, radius, width, supersampled, assert_close, towards
):
    center = -radius * towards(orientation)

    def ring(x, y):
        distance = np.hypot(x - center[0], y - center[1])
        return (distance <= radius + width / 2) & (distance >= radius - width / 2)

    drawn = curve(orientation=orientation, radius=radius, width=width, x=1.3, y=-0.4, size=SIZE)
    assert_close(drawn.mask[0, 0], supersampled(ring, SIZE, 1.3, -0.4))


@pytest.mark.parametrize("orientation", [10.0, 45.0, 270.0])
@pytest.mark.parametrize("radius", [9.0, 60.0])
def test_a_filled_curve_is_the_disc_through_its_origin(
    orientation, radius, supersampled, assert_close, towards
):
    drawn = curve(orientation=orientation, radius=radius, fill=1.0, width=0.0, size=SIZE)
    twin = supersampled(_disc(-radius * towards(orientation), radius), SIZE)
    assert_close(drawn.mask[0, 0], twin)


def test_a_half_filled_curve_has_a_stroke_over_a_half_opaque_inside(
    supersampled, assert_close, towards
):
    center = -12.0 * towards(70.0)
    drawn = curve(orientation=70.0, radius=12.0, fill=0.5, width=3.0, size=SIZE)

    def shape(x, y):
        distance = np.hypot(x - center[0], y - center[1])
        return np.where(distance <= 10.5, 0.5, distance <= 13.5)

    assert_close(drawn.mask[0, 0], supersampled(shape, SIZE))


@pytest.mark.parametrize("length", [6.0, 25.0, 55.0, 70.0])
def test_a_curve_of_finite_length_is_cut_along_radii(length, supersampled, assert_close, towards):
    radius, width, orientation = 12.0, 3.0, 20.0
    direction = towards(orientation)
    center = -radius * direction

    def cut(x, y):
        u = (x - center[0]) * direction[0] + (y - center[1]) * direction[1]
        v = -(x - center[0]) * direction[1] + (y - center[1]) * direction[0]
        ring = np.abs(np.hypot(u, v) - radius) <= width / 2
        return ring & (np.abs(np.arctan2(v, u)) <= length / 2 / radius)

    drawn = curve(orientation=orientation, radius=radius, width=width, length=length, size=SIZE)
    assert_close(drawn.mask[0, 0], supersampled(cut, SIZE), worst=0.1)


def test_a_curve_longer_than_its_circle_is_the_whole_circle():
    whole = curve(radius=10.0, size=SIZE)
    assert torch.equal(curve(radius=10.0, length=63.0, size=SIZE).mask, whole.mask)
    mixed = curve(radius=10.0, length=torch.tensor([20.0, 63.0]), size=SIZE)
    assert torch.equal(mixed.mask[1], whole.mask[0])


def test_a_straight_curve_of_finite_length_is_a_bar(supersampled, assert_close):
    drawn = curve(orientation=90.0, radius=math.inf, width=4.5, length=20.5, size=SIZE)
    twin = supersampled(lambda x, y: (np.abs(y) <= 2.25) & (np.abs(x) <= 10.25), SIZE)
    assert_close(drawn.mask[0, 0], twin)


def test_curves_of_growing_radius_become_the_straight_line():
    straight = curve(orientation=25.0, radius=math.inf, size=SIZE).mask
    errors = [
        (curve(orientation=25.0, radius=radius, size=SIZE).mask - straight).abs().max().item()
        for radius in (1e3, 1e4, 1e5, 1e6, 1e8)
    ]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 1e-5


def test_an_upright_stroke_has_the_published_profile():
    """.34, 1, .34: a stroke of 1.67 px whose middle lies on a pixel's."""
    profile = curve(orientation=0.0, radius=math.inf, width=1.67, size=61).mask[0, 0, 30, 28:33]
    assert profile.tolist() == pytest.approx([0.0, 0.335, 1.0, 0.335, 0.0], abs=1e-6)


@pytest.mark.parametrize(("between", "separation"), [(180.0, 20.0), (180.0, -14.0), (75.0, 9.0)])
def test_a_double_curve_is_a_curve_and_its_turned_copy(
    between, separation, supersampled, assert_close, towards
):
    radius, width = 18.0, 2.0
    centers = [(separation / 2 - radius) * towards(degrees) for degrees in (30.0, 30.0 + between)]

    def either(x, y):
        return np.any(
            [np.abs(np.hypot(x - c[0], y - c[1]) - radius) <= width / 2 for c in centers], axis=0
        )

    drawn = double_curve(
        orientation=30.0,
        between=between,
        separation=separation,
        radius=radius,
        width=width,
        size=SIZE,
    )
    assert_close(drawn.mask[0, 0], supersampled(either, SIZE), worst=0.35)


def test_orientation_270_is_an_arch():
    arch = curve(orientation=270.0, radius=20.0, size=41).mask[0, 0]
    assert arch[20, 20] == 1
    assert arch[30:].sum() > 10
    assert arch[:19].sum() == 0


@pytest.mark.parametrize(
    ("draw", "parameters", "message"),
    [
        (curve, {"radius": 0.0}, "radius must be greater than 0, got 0; a straight line has"),
        (curve, {"radius": -3.0}, "radius must be greater than 0, got -3"),
        (curve, {"radius": math.nan}, "radius must be a finite number, got nan"),
        (curve, {"orientation": math.inf}, "orientation must be a finite number, got inf"),
        (curve, {"length": 0.0}, "length must be greater than 0"),
        (curve, {"width": 0.0}, "width must be greater than 0 where fill is 0"),
        (curve, {"width": 224.0}, "width must be less than the picture's 224 pixels"),
        (curve, {"width": -1.0, "fill": 1.0}, "width must be at least 0"),
        (curve, {"fill": 1.5}, "fill must be from 0 to 1, got 1.5"),
        (curve, {"x": 200.0}, "x must be from -112 to 112, got 200"),
        (curve, {"size": 0}, "at least 1 pixel, got 0 x 0"),
        (curve, {"ink": "blackish"}, "unknown color 'blackish'"),
        (curve, {"ink": (0, 0, 255)}, "a color is red, green and blue in"),
        (curve, {"radios": 3.0}, "unknown parameter 'radios'; the nearest are 'radius'"),
        (double_curve, {"separation": -400.0}, "separation must be small enough to be seen"),
    ],
)
def test_invalid_parameters_are_refused_in_one_sentence(draw, parameters, message):
    with pytest.raises(InputError, match=message):
        draw(**parameters)


def test_lengths_that_do_not_agree_are_refused():
    with pytest.raises(InputError, match="radius has 2 values in a batch of 3"):
        curve(orientation=torch.arange(3.0), radius=torch.tensor([10.0, 20.0]))
