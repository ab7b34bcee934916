import math

import numpy as np
import pytest
import torch

from visioncircuits.stimuli import covered


def _polygon_share(normal, distance):
    """Area of the unit square on the inner side of a line, by clipping its corners."""
    square = np.array([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)])
    side = square @ normal + distance
    kept = []
    for i in range(4):
        j = (i + 1) % 4
        if side[i] <= 0:
            kept.append(square[i])
        if side[i] * side[j] < 0:
            kept.append(square[i] + (square[j] - square[i]) * side[i] / (side[i] - side[j]))
    if len(kept) < 3:
        return 0.0
    x, y = np.array(kept).T
    return abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2


@pytest.mark.parametrize("degrees", [0.0, 1e-4, 13.0, 45.0, 77.7, 90.0, 160.0, 225.0])
def test_a_straight_edge_covers_exactly_the_part_of_each_pixel_behind_it(degrees):
    normal = np.array([math.cos(math.radians(degrees)), math.sin(math.radians(degrees))])
    places = np.arange(-6, 7)
    x, y = np.meshgrid(places, places)
    for offset in np.linspace(-0.6, 0.6, 13):
        distance = torch.tensor(x * normal[0] + y * normal[1] + offset).float()[None, None]
        expected = [
            [_polygon_share(normal, i * normal[0] + j * normal[1] + offset) for i in places[1:-1]]
            for j in places[1:-1]
        ]
        assert np.abs(covered(distance)[0, 0].numpy() - expected).max() < 1e-4


def test_a_stroke_thinner_than_a_pixel_covers_its_area():
    distance = torch.linspace(-3.3, 3.3, 23).expand(1, 1, 5, 23) * 3.333
    for width in (0.01, 0.1, 0.5):
        drawn = covered(
            distance, width=torch.full((1, 1, 1, 1), width), fill=torch.zeros(1, 1, 1, 1)
        )
        assert drawn.max() <= width + 1e-6


def test_a_constant_field_is_entirely_in_or_out():
    for value, share in ((-3.0, 1.0), (3.0, 0.0), (0.0, 0.5)):
        assert (covered(torch.full((1, 1, 6, 6), value)) == share).all()
