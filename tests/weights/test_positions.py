"""Weights into a feature, separated by position."""

import numpy as np
import pytest
import torch
from PIL import Image

from visioncircuits.networks import Unit
from visioncircuits.weights import ExpandedWeights, PositionView, position_grid, position_view


@pytest.fixture
def view() -> PositionView:
    kernels = torch.zeros(2, 3, 2, 2)
    kernels[1, :, 0, 1] = torch.tensor([3.0, 0.0, -4.0])
    kernels[1, 1, 1, 0] = 2.0
    inputs = tuple(Unit("a", index) for index in range(3))
    weights = ExpandedWeights(kernels, inputs, (Unit("b", 0), Unit("b", 1)), (2, 2), (-1, 0), {})
    return position_view(weights, "b:1")


def test_each_position_is_a_direction_with_its_weights(view: PositionView) -> None:
    assert view.magnitude.tolist() == [[0, 5], [2, 0]]
    assert view.directions[0][1].weights == pytest.approx((0.6, 0, -0.8))
    assert view.directions[1][0].weights == (0, 1, 0)
    assert view.directions[0][0].weights == (0, 0, 0)
    assert repr(view) == "PositionView(b:1, 2 × 2 directions in a)"


def test_directions_are_named_by_their_position_from_the_center(view: PositionView) -> None:
    names = [direction.name for row in view.directions for direction in row]
    assert names == ["b:1 at -1,+0", "b:1 at -1,+1", "b:1 at +0,+0", "b:1 at +0,+1"]
    assert view.directions[0][1].layer == "a"


def test_pictures_fade_with_the_magnitude(view: PositionView) -> None:
    black = Image.new("RGB", (8, 8))
    thumbnails = {str(direction): black for row in view.directions for direction in row}
    pixels = np.asarray(position_grid(view, thumbnails, size=10))
    assert pixels.shape == (20, 20, 3)
    assert (pixels[:10, :10] == 255).all()
    assert (pixels[:10, 10:] == 0).all()
    assert (pixels[10:, :10] == round(255 * (1 - 2 / 5))).all()
    del thumbnails[str(view.directions[0][1])]
    assert (np.asarray(position_grid(view, thumbnails, size=10))[:10] == 255).all()
