import math

import numpy as np
import pytest
import torch
from matplotlib.path import Path
from scipy.spatial import cKDTree

from visioncircuits.errors import InputError
from visioncircuits.stimuli import angle, circle, curve, double_curve, evolute, spiral

SIZE = 36


def _towards(degrees):
    radians = math.radians(degrees)
    return np.array([math.cos(radians), math.sin(radians)])


def _disc(centre, radius):
    return lambda x, y: np.hypot(x - centre[0], y - centre[1]) <= radius


def _stroked(points, width):
    """Within half a width of a path of points closer together than a twentieth of a pixel."""
    tree = cKDTree(points)

    def near(x, y):
        asked = np.stack([x.ravel(), y.ravel()], 1)
        distance, _ = tree.query(asked, distance_upper_bound=width)
        return (distance <= width / 2).reshape(x.shape)

    return near


def _within(points):
    """Inside a polygon."""
    outline = Path(points)
    return lambda x, y: outline.contains_points(np.stack([x.ravel(), y.ravel()], 1)).reshape(
        x.shape
    )


@pytest.mark.parametrize("orientation", [33.0, 90.0, 200.5])
@pytest.mark.parametrize("radius", [7.0, 25.7, 290.0])
@pytest.mark.parametrize("width", [0.7, 1.67, 6.0])
def test_a_curve_is_the_circle_through_its_origin(
    orientation, radius, width, supersampled, assert_close
):
    centre = -radius * _towards(orientation)

    def ring(x, y):
        distance = np.hypot(x - centre[0], y - centre[1])
        return (distance <= radius + width / 2) & (distance >= radius - width / 2)

    drawn = curve(orientation=orientation, radius=radius, width=width, x=1.3, y=-0.4, size=SIZE)
    assert_close(drawn.mask[0, 0], supersampled(ring, SIZE, 1.3, -0.4))


@pytest.mark.parametrize("orientation", [10.0, 45.0, 270.0])
@pytest.mark.parametrize("radius", [9.0, 60.0])
def test_a_filled_curve_is_the_disc_through_its_origin(
    orientation, radius, supersampled, assert_close
):
    drawn = curve(orientation=orientation, radius=radius, fill=1.0, width=0.0, size=SIZE)
    twin = supersampled(_disc(-radius * _towards(orientation), radius), SIZE)
    assert_close(drawn.mask[0, 0], twin)


def test_a_half_filled_curve_has_a_stroke_over_a_half_opaque_inside(supersampled, assert_close):
    centre = -12.0 * _towards(70.0)
    drawn = curve(orientation=70.0, radius=12.0, fill=0.5, width=3.0, size=SIZE)

    def shape(x, y):
        distance = np.hypot(x - centre[0], y - centre[1])
        return np.where(distance <= 10.5, 0.5, distance <= 13.5)

    assert_close(drawn.mask[0, 0], supersampled(shape, SIZE))


@pytest.mark.parametrize("length", [6.0, 25.0, 55.0, 70.0])
def test_a_curve_of_finite_length_is_cut_along_radii(length, supersampled, assert_close):
    radius, width, orientation = 12.0, 3.0, 20.0
    direction = _towards(orientation)
    centre = -radius * direction

    def cut(x, y):
        u = (x - centre[0]) * direction[0] + (y - centre[1]) * direction[1]
        v = -(x - centre[0]) * direction[1] + (y - centre[1]) * direction[0]
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


@pytest.mark.slow
@pytest.mark.parametrize("orientation", [40.0])
@pytest.mark.parametrize("roundness", [0.0, 1 / 3, 1.0])
@pytest.mark.parametrize("radius", [25.7, 290.0])
def test_an_angle_is_two_legs_joined_by_an_arc(
    orientation, roundness, radius, supersampled, assert_close
):
    span, size = 60.0, 28
    turn, bent = span / radius, roundness * radius
    # towards the apex, and across
    bends = np.linspace(-turn / 2, turn / 2, 1500)
    arc = bent * np.stack([np.cos(bends) - 1, np.sin(bends)], 1)
    leg = np.arange(0.0, 60.0, 0.04)[:, None] * np.array([-math.sin(turn / 2), math.cos(turn / 2)])
    path = np.concatenate([(arc[0] + leg * (1, -1))[::-1], arc, arc[-1] + leg])
    points = path[:, :1] * _towards(orientation) + path[:, 1:] * _towards(orientation + 90)
    parameters = {
        "orientation": orientation,
        "radius": radius,
        "roundness": roundness,
        "span": span,
        "size": size,
    }

    drawn = angle(**parameters, width=3.0)
    assert_close(drawn.mask[0, 0], supersampled(_stroked(points, 3.0), size), worst=0.12)

    filled = angle(**parameters, width=0.0, fill=1.0)
    behind = -100.0 * _towards(orientation)
    corners = np.stack([points[0], *points[1500:3001:20], points[-1], behind])
    assert_close(filled.mask[0, 0], supersampled(_within(corners), size), worst=0.3)


def test_a_wholly_round_angle_is_the_curve_within_its_span():
    rounded = angle(orientation=270.0, radius=40.0, roundness=1.0, span=60.0, size=(41, 41))
    arc = curve(orientation=270.0, radius=40.0, size=(41, 41))
    assert torch.allclose(rounded.mask, arc.mask, atol=1e-4)


@pytest.mark.parametrize("radius", [5.0, 20.0])
def test_a_circle_is_the_ring_about_its_origin(radius, supersampled, assert_close):
    twin = supersampled(lambda x, y: np.abs(np.hypot(x, y) - radius) <= 1.0, SIZE, 2.25, -3.5)
    drawn = circle(radius=radius, width=2.0, x=2.25, y=-3.5, size=SIZE)
    assert_close(drawn.mask[0, 0], twin, worst=0.08)


@pytest.mark.parametrize("radius", [1.0, 2.0, 4.0])
def test_a_small_disc_is_off_by_the_curvature_within_a_pixel_at_most(radius, supersampled):
    twin = supersampled(_disc((0, 0), radius), 16, 0.2, 0.6)
    drawn = circle(radius=radius, width=0.0, fill=1.0, x=0.2, y=0.6, size=16)
    assert np.abs(drawn.mask[0, 0].numpy() - twin).max() <= 1 / (12 * radius) + 0.03


def test_a_circle_narrower_than_its_stroke_is_a_disc(supersampled, assert_close):
    drawn = circle(radius=3.0, width=8.0, size=SIZE)
    assert_close(drawn.mask[0, 0], supersampled(_disc((0, 0), 7.0), SIZE))


@pytest.mark.parametrize(("between", "separation"), [(180.0, 20.0), (180.0, -14.0), (75.0, 9.0)])
def test_a_double_curve_is_a_curve_and_its_turned_copy(
    between, separation, supersampled, assert_close
):
    radius, width = 18.0, 2.0
    centres = [(separation / 2 - radius) * _towards(towards) for towards in (30.0, 30.0 + between)]

    def either(x, y):
        return np.any(
            [np.abs(np.hypot(x - c[0], y - c[1]) - radius) <= width / 2 for c in centres], axis=0
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


@pytest.mark.parametrize("pitch", [7.0, -12.0])
@pytest.mark.parametrize("orientation", [0.0, 130.0])
def test_a_spiral_winds_a_pitch_outwards_a_turn(pitch, orientation, supersampled, assert_close):
    radius, width = 20.0, 2.0
    turned = np.linspace(0.0, 2 * np.pi * radius / abs(pitch), 6000)
    rho, phi = abs(pitch) * turned / (2 * np.pi), math.radians(orientation)
    phi = phi + math.copysign(1.0, pitch) * turned
    points = np.stack([rho * np.cos(phi), rho * np.sin(phi)], 1)
    twin = supersampled(_stroked(points, width), SIZE)
    mask = spiral(orientation=orientation, pitch=pitch, radius=radius, width=width, size=SIZE).mask[
        0, 0
    ]
    # the twin's ends are round, and at the middle no distance to a spiral has a formula
    y, x = np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2
    for end in (points[0], points[-1]):
        ends = np.hypot(x - end[0], y - end[1]) < 3.0
        assert np.abs(mask.numpy() - twin)[ends].mean() < 0.15
        twin[ends] = mask.numpy()[ends]
    assert_close(mask, twin, worst=0.06)


@pytest.mark.parametrize("orientation", [0.0, 25.0])
def test_an_evolute_is_what_four_touching_circles_leave(orientation, supersampled, assert_close):
    radius = 14.0
    u, v = _towards(orientation), _towards(orientation + 90)

    def star(x, y):
        a, b = np.abs(x * u[0] + y * u[1]), np.abs(x * v[0] + y * v[1])
        return (a <= radius) & (b <= radius) & (np.hypot(a - radius, b - radius) >= radius)

    mask = evolute(orientation=orientation, radius=radius, width=0.0, fill=1.0, size=SIZE).mask
    twin = supersampled(star, SIZE)
    # its points are thinner than a pixel, which sees two edges there and is drawn with one
    y, x = np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2
    for end in (u, v, -u, -v):
        points = np.hypot(x - radius * end[0], y - radius * end[1]) < 6.0
        assert np.abs(mask[0, 0].numpy() - twin)[points].mean() < 0.03
        twin[points] = mask[0, 0].numpy()[points]
    assert_close(mask[0, 0], twin)

    quarter = np.linspace(np.pi, 1.5 * np.pi, 1500)
    arc = radius * np.stack([1 + np.cos(quarter), 1 + np.sin(quarter)], 1)
    points = np.concatenate(
        [a * arc[:, :1] * u + b * arc[:, 1:] * v for a in (-1, 1) for b in (-1, 1)]
    )
    stroked = evolute(orientation=orientation, radius=radius, width=2.0, size=SIZE)
    twin = supersampled(_stroked(points, 2.0), SIZE)
    # where two strokes run into one another, the distance has a kink and no one direction
    assert_close(stroked.mask[0, 0], twin, worst=0.35, typical=0.02)


def test_orientation_270_is_an_arch():
    arch = curve(orientation=270.0, radius=20.0, size=41).mask[0, 0]
    assert arch[20, 20] == 1
    assert arch[30:].sum() > 10
    assert arch[:19].sum() == 0


@pytest.mark.parametrize(
    ("draw", "parameters", "says"),
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
        (angle, {"radius": 10.0}, "radius must be such that the span turns by less than 180"),
        (angle, {"roundness": 2.0}, "roundness must be from 0 to 1"),
        (circle, {"radius": 0.0}, "radius must be greater than 0"),
        (circle, {"radius": 400.0}, "radius must be small enough to be seen in 224 x 224 pixels"),
        (evolute, {"radius": 400.0}, "radius must be small enough to be seen"),
        (double_curve, {"separation": -400.0}, "separation must be small enough to be seen"),
        (spiral, {"pitch": 3.0}, "pitch must be at least the width and 4 pixels more"),
        (spiral, {"radius": 0.0}, "radius must be greater than 0"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_a_sentence(draw, parameters, says):
    with pytest.raises(InputError, match=says):
        draw(**parameters)


def test_lengths_that_do_not_agree_are_refused():
    with pytest.raises(InputError, match="radius has 2 values in a batch of 3"):
        curve(orientation=torch.arange(3.0), radius=torch.tensor([10.0, 20.0]))
