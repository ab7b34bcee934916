"""Feature visualizations of handwritten curves match their labels."""

from dataclasses import replace

import numpy as np
import pytest
from skimage.feature import structure_tensor

from visioncircuits.featurevis import render_all, suited
from visioncircuits.handwritten import labels


def bend(picture: np.ndarray, radius: float) -> float:
    """Return the orientation of the curve of that radius that fits the picture's contours best.

    The structure tensor, summed over colors, gives the direction across the contours at each pixel
    of the inscribed disc; a curve at the center has its normals on the lines through its center of
    curvature.
    """
    rr, rc, cc = np.sum([structure_tensor(c, sigma=2, order="rc") for c in picture], axis=0)
    doubled = (cc - rr) + 2j * rc  # its angle is twice that of the normal, its length the contrast
    side = picture.shape[1]
    y, x = np.indices((side, side)) - (side - 1) / 2
    doubled[np.hypot(x, y) > side / 2] = 0
    turns = np.arange(0.0, 360.0)
    fits = []
    for turn in np.deg2rad(turns):
        normal = np.arctan2(y + radius * np.sin(turn), x + radius * np.cos(turn))
        fits.append((doubled * np.exp(-2j * normal)).real.sum())
    return float(turns[np.argmax(fits)])


def test_orientation_of_a_drawn_arc_is_found() -> None:
    y, x = np.indices((77, 77)) - 38.0
    for turn in (0.0, 75.0, 180.0, 315.0):
        angle = np.deg2rad(turn)
        distance = np.hypot(x + 60 * np.cos(angle), y + 60 * np.sin(angle)) - 60
        arc = np.exp(-(distance**2) / 18 - (x**2 + y**2) / 800)
        assert abs((bend(arc[None], 60) - turn + 180) % 360 - 180) <= 2


@pytest.mark.slow
def test_visualizations_have_the_labeled_orientation_and_do_not_clip(circuit) -> None:
    network = circuit("curves")
    settings = replace(suited(network, "mixed3b"), steps=128)
    found = labels(network, "mixed3b")[:24]
    drawn = render_all(network, [f"mixed3b:{unit}" for unit in range(24)], settings=settings)
    for label, visualization in zip(found, drawn, strict=True):
        turn = bend(visualization.picture.numpy(), label.radius)
        assert abs((turn - label.orientation + 180) % 360 - 180) <= 15, (label, turn)
        pixels = visualization.picture
        assert ((pixels < 1 / 255) | (pixels > 254 / 255)).any(0).float().mean() < 0.01
        assert visualization.activation > 1.5
