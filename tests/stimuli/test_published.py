import math

import numpy as np
import pytest
import torch

from visioncircuits.stimuli import curve, hue, named, published


def _middle_of_stroke(mask):
    """Centers of the dark pixels, in px about the tile's center, and their darkness."""
    y, x = np.nonzero(mask > 0.05)
    size = len(mask)
    return x - (size - 1) / 2, y - (size - 1) / 2, mask[y, x]


@pytest.mark.parametrize("row", range(4))
def test_each_tile_of_the_curve_sheet_is_the_published_circle(row):
    """CLAIMS 1.3: through the tile's center, about a point at R towards the heat map's theta."""
    sheet = named("curves")
    assert sheet.shape == (36, 4)
    radius = (290.0, 129.5, 57.7, 25.7)[row]
    for column in range(0, 36, 5):
        drawn = sheet.isel(orientation=column, radius=row).draw()
        assert drawn.picture.shape == (1, 3, 60, 60)
        x, y, dark = _middle_of_stroke(drawn.mask[0, 0].numpy())
        theta = math.radians(sheet.axes["orientation"][column] - 180)
        distance = np.hypot(x - radius * math.cos(theta), y - radius * math.sin(theta)) - radius
        assert np.abs(distance).max() < 1.67 / 2 + 0.75
        assert abs(np.average(distance, weights=dark)) < 0.05
        length = dark.sum() / 1.67
        expected = _length_in_tile(radius, theta)
        assert length == pytest.approx(expected, rel=0.02)


def _length_in_tile(radius, theta):
    turn = np.linspace(0, 2 * np.pi, 200_001)
    x = radius * (math.cos(theta) + np.cos(turn))
    y = radius * (math.sin(theta) + np.sin(turn))
    return (np.maximum(np.abs(x), np.abs(y)) < 30).mean() * 2 * np.pi * radius


def test_the_sheet_scales_with_its_tile():
    small, large = published.curves(), published.curves(tile=180)
    thirds = large.draw([7]).mask[0, 0].reshape(60, 3, 60, 3).mean((1, 3))
    assert (thirds - small.draw([7]).mask[0, 0]).abs().max() < 0.02


def test_filled_and_colored_curves_have_the_same_shape():
    filled, colored = named("filled-curves"), named("colored-curves")
    assert filled.axes == colored.axes == named("curves").axes
    assert torch.equal(filled.draw([9]).mask, colored.draw([9]).mask)
    orientation, picture = filled.axes["orientation"][2], colored.draw([9]).picture[0]
    mask = filled.draw([9]).mask[0, 0]
    assert torch.allclose(picture[:, mask == 1].double().T, hue(orientation), atol=1e-6)
    assert torch.allclose(picture[:, mask == 0].double().T, hue(orientation + 180), atol=1e-6)


def test_angles_go_to_curves_in_four_steps():
    angles = named("angles")
    assert angles.shape == (36, 4, 4)
    for radius in angles.axes["radius"][:3]:
        target = curve(orientation=90.0, radius=radius, width=1.67, size=60).mask
        steps = angles.sel(orientation=90, radius=radius).draw().mask
        errors = (steps - target).abs().mean((1, 2, 3)).tolist()
        assert errors == sorted(errors, reverse=True)
        assert errors[-1] < 1e-3


def test_the_high_low_set_has_the_published_axes_and_pictures(published):
    boundaries = named("high-low")
    responses = np.load(published / "hilo_synthetic_responses_fig3.npz")
    shapes = {responses[name].shape for name in responses.files if responses[name].ndim >= 2}
    assert any(shape[-2:] == (60, 360) for shape in shapes)
    assert boundaries.shape == (360, 60)
    assert boundaries.axes["orientation"][-1] == 359
    assert boundaries.axes["ratio"][0] == 1
    assert boundaries.axes["ratio"][-1] == pytest.approx(10)
    # index n/2 is the origin, where every wave is at its crest
    picture = boundaries.draw([123 * 60 + 59]).picture
    assert picture[0, :, 30, 30].tolist() == pytest.approx([0.75] * 3)


def test_the_factor_sets_are_the_published_patterns_parted_where_the_responses_cross(published):
    patterns = named("frequency-patterns")
    assert patterns.shape == (60, 30)
    assert patterns.axes["orientation"][-1] == 45
    responses = np.load(published / "hf_lf_factor_responses_fig7.npz")
    high, low = (responses[name].astype(float).mean(1) for name in sorted(responses.files)[:2])
    high_set, low_set = named("high-factor"), named("low-factor")
    assert high_set.shape[1] + low_set.shape[1] == 30
    first = low_set.shape[1]
    assert abs(int(np.argmax(high > low)) - first) <= 2
    assert high_set.axes["frequency"] == patterns.axes["frequency"][first:]
