import math

import numpy as np
import pytest

from visioncircuits.errors import InputError
from visioncircuits.stimuli import circle, evolute, spiral

SIZE = 36


def _disc(center, radius):
    return lambda x, y: np.hypot(x - center[0], y - center[1]) <= radius


@pytest.mark.parametrize("radius", [5.0, 20.0])
def test_a_circle_is_the_ring_about_its_origin(radius, supersampled, assert_close):
    expected = supersampled(lambda x, y: np.abs(np.hypot(x, y) - radius) <= 1.0, SIZE, 2.25, -3.5)
    drawn = circle(radius=radius, width=2.0, x=2.25, y=-3.5, size=SIZE)
    assert_close(drawn.mask[0, 0], expected, worst=0.08)


@pytest.mark.parametrize("radius", [1.0, 2.0, 4.0])
def test_a_small_disc_is_off_by_the_curvature_within_a_pixel_at_most(radius, supersampled):
    expected = supersampled(_disc((0, 0), radius), 16, 0.2, 0.6)
    drawn = circle(radius=radius, width=0.0, fill=1.0, x=0.2, y=0.6, size=16)
    assert np.abs(drawn.mask[0, 0].numpy() - expected).max() <= 1 / (12 * radius) + 0.03


def test_a_circle_narrower_than_its_stroke_is_a_disc(supersampled, assert_close):
    drawn = circle(radius=3.0, width=8.0, size=SIZE)
    assert_close(drawn.mask[0, 0], supersampled(_disc((0, 0), 7.0), SIZE))


@pytest.mark.parametrize("pitch", [7.0, -12.0])
@pytest.mark.parametrize("orientation", [0.0, 130.0])
def test_a_spiral_moves_out_by_its_pitch_in_each_winding(
    pitch, orientation, supersampled, assert_close, stroked
):
    radius, width = 20.0, 2.0
    winding = np.linspace(0.0, 2 * np.pi * radius / abs(pitch), 6000)
    rho, phi = abs(pitch) * winding / (2 * np.pi), math.radians(orientation)
    phi = phi + math.copysign(1.0, pitch) * winding
    points = np.stack([rho * np.cos(phi), rho * np.sin(phi)], 1)
    expected = supersampled(stroked(points, width), SIZE)
    mask = spiral(orientation=orientation, pitch=pitch, radius=radius, width=width, size=SIZE).mask[
        0, 0
    ]
    # the reference has round ends, and near the origin the distance has no closed form
    y, x = np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2
    for end in (points[0], points[-1]):
        ends = np.hypot(x - end[0], y - end[1]) < 3.0
        assert np.abs(mask.numpy() - expected)[ends].mean() < 0.15
        expected[ends] = mask.numpy()[ends]
    assert_close(mask, expected, worst=0.06)


@pytest.mark.slow
@pytest.mark.parametrize("orientation", [0.0, 25.0])
def test_an_evolute_is_what_four_touching_circles_leave(
    orientation, supersampled, assert_close, towards, stroked
):
    radius = 14.0
    u, v = towards(orientation), towards(orientation + 90)

    def star(x, y):
        a, b = np.abs(x * u[0] + y * u[1]), np.abs(x * v[0] + y * v[1])
        return (a <= radius) & (b <= radius) & (np.hypot(a - radius, b - radius) >= radius)

    mask = evolute(orientation=orientation, radius=radius, width=0.0, fill=1.0, size=SIZE).mask
    expected = supersampled(star, SIZE)
    # its points are thinner than a pixel, which contains two edges there and is drawn with one
    y, x = np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2
    for end in (u, v, -u, -v):
        points = np.hypot(x - radius * end[0], y - radius * end[1]) < 6.0
        assert np.abs(mask[0, 0].numpy() - expected)[points].mean() < 0.03
        expected[points] = mask[0, 0].numpy()[points]
    assert_close(mask[0, 0], expected)

    quarter = np.linspace(np.pi, 1.5 * np.pi, 1500)
    arc = radius * np.stack([1 + np.cos(quarter), 1 + np.sin(quarter)], 1)
    points = np.concatenate(
        [a * arc[:, :1] * u + b * arc[:, 1:] * v for a in (-1, 1) for b in (-1, 1)]
    )
    outline = evolute(orientation=orientation, radius=radius, width=2.0, size=SIZE)
    expected = supersampled(stroked(points, 2.0), SIZE)
    # where two strokes meet, the distance has a kink and no single direction
    assert_close(outline.mask[0, 0], expected, worst=0.35, typical=0.02)


@pytest.mark.parametrize(
    ("draw", "parameters", "message"),
    [
        (circle, {"radius": 0.0}, "radius must be greater than 0"),
        (circle, {"radius": 400.0}, "radius must be small enough to be seen in 224 x 224 pixels"),
        (evolute, {"radius": 400.0}, "radius must be small enough to be seen"),
        (spiral, {"pitch": 3.0}, "pitch must be at least the width and 4 pixels more"),
        (spiral, {"radius": 0.0}, "radius must be greater than 0"),
    ],
)
def test_invalid_parameters_are_refused_in_one_sentence(draw, parameters, message):
    with pytest.raises(InputError, match=message):
        draw(**parameters)
