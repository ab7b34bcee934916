import math

import numpy as np
import pytest
import torch
from matplotlib.path import Path

from visioncircuits.errors import InputError
from visioncircuits.stimuli import angle, corner, curve

SIZE = 36


def _within(points):
    """Inside a polygon."""
    outline = Path(points)
    return lambda x, y: outline.contains_points(np.stack([x.ravel(), y.ravel()], 1)).reshape(
        x.shape
    )


@pytest.mark.slow
@pytest.mark.parametrize("orientation", [40.0])
@pytest.mark.parametrize("roundness", [0.0, 1 / 3, 1.0])
@pytest.mark.parametrize("radius", [25.7, 290.0])
def test_an_angle_is_two_legs_joined_by_an_arc(
    orientation, roundness, radius, supersampled, assert_close, towards, stroked
):
    span, size = 60.0, 28
    turn, bent = span / radius, roundness * radius
    # towards the apex, and across
    bends = np.linspace(-turn / 2, turn / 2, 1500)
    arc = bent * np.stack([np.cos(bends) - 1, np.sin(bends)], 1)
    leg = np.arange(0.0, 60.0, 0.04)[:, None] * np.array([-math.sin(turn / 2), math.cos(turn / 2)])
    path = np.concatenate([(arc[0] + leg * (1, -1))[::-1], arc, arc[-1] + leg])
    points = path[:, :1] * towards(orientation) + path[:, 1:] * towards(orientation + 90)
    parameters = {
        "orientation": orientation,
        "radius": radius,
        "roundness": roundness,
        "span": span,
        "size": size,
    }

    drawn = angle(**parameters, width=3.0)
    assert_close(drawn.mask[0, 0], supersampled(stroked(points, 3.0), size), worst=0.12)

    filled = angle(**parameters, width=0.0, fill=1.0)
    behind = -100.0 * towards(orientation)
    corners = np.stack([points[0], *points[1500:3001:20], points[-1], behind])
    assert_close(filled.mask[0, 0], supersampled(_within(corners), size), worst=0.3)


def test_a_wholly_round_angle_is_the_curve_within_its_span():
    rounded = angle(orientation=270.0, radius=40.0, roundness=1.0, span=60.0, size=(41, 41))
    arc = curve(orientation=270.0, radius=40.0, size=(41, 41))
    assert torch.allclose(rounded.mask, arc.mask, atol=1e-4)


@pytest.mark.parametrize("opening", [40.0, 90.0, 150.0, 180.0])
def test_a_filled_corner_is_a_wedge_behind_its_apex(opening, supersampled, assert_close, frame_of):
    frame = frame_of(25.0)

    def wedge(x, y):
        u, v = frame(x, y)
        return np.abs(np.arctan2(v, -u)) <= math.radians(opening / 2)

    drawn = corner(orientation=25.0, opening=opening, width=0.0, fill=1.0, size=SIZE)
    assert_close(drawn.mask[0, 0], supersampled(wedge, SIZE), worst=0.3)


def test_a_corner_of_lines_is_its_two_sides(supersampled, assert_close, frame_of):
    frame = frame_of(300.0)
    along = np.array([-math.cos(math.radians(35.0)), math.sin(math.radians(35.0))])

    def sides(x, y):
        u, v = frame(x, y)
        reach = np.maximum(u * along[0] + np.abs(v) * along[1], 0)
        return np.hypot(u - reach * along[0], np.abs(v) - reach * along[1]) <= 1.5

    drawn = corner(orientation=300.0, opening=70.0, width=3.0, size=SIZE)
    assert_close(drawn.mask[0, 0], supersampled(sides, SIZE), worst=0.25)


@pytest.mark.parametrize(
    ("draw", "parameters", "message"),
    [
        (angle, {"radius": 10.0}, "radius must be such that the span turns by less than 180"),
        (angle, {"roundness": 2.0}, "roundness must be from 0 to 1"),
        (corner, {"opening": 0.0}, "opening must be above 0 and at most 180"),
        (corner, {"opening": 200.0}, "opening must be above 0 and at most 180"),
    ],
)
def test_invalid_parameters_are_refused_in_one_sentence(draw, parameters, message):
    with pytest.raises(InputError, match=message):
        draw(**parameters)
