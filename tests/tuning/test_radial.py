import colorsys

import numpy as np
import pytest
import xarray as xr
from matplotlib.colors import to_rgb
from PIL import Image

from visioncircuits.errors import InputError
from visioncircuits.tuning.radial import INNER, OUTER, outline, radial_panel


def tuned(*peaks: float, heights: tuple[float, ...] = (), period: float = 360.0) -> xr.DataArray:
    """Curves that peak at some angles, at 36 steps around."""
    angles = np.arange(36) * period / 36
    turns = (angles - np.array(peaks)[:, None]) * 2 * np.pi / period
    curves = np.array(heights or [1.0] * len(peaks))[:, None] * np.exp(6 * (np.cos(turns) - 1))
    names = [f"a:{place}" for place in range(len(peaks))]
    return xr.DataArray(
        curves, coords={"unit": names, "orientation": angles}, dims=("unit", "orientation")
    )


def curves_drawn(figure) -> list[tuple[np.ndarray, np.ndarray, tuple[float, float, float]]]:
    """Angle, clockwise from the right, and radius of every curve, and its color."""
    (axes,) = figure.axes
    assert axes.yaxis_inverted()
    outlines = [line for line in axes.lines if len(line.get_xdata()) > 2]
    found = []
    for line in outlines:
        x, y = line.get_data()
        around = np.degrees(np.arctan2(y, x)) % 360
        found.append((around, np.hypot(x, y), to_rgb(line.get_color())))
    return found


def test_a_curve_is_drawn_relative_to_the_familys_highest_response():
    for (angle, radius, _), share, peak in zip(
        curves_drawn(radial_panel(tuned(40, 250, heights=(2.0, 1.0)))),
        (1, 0.5),
        (40, 250),
        strict=True,
    ):
        assert radius.max() == pytest.approx(INNER + share, abs=1e-6)
        assert angle[radius.argmax()] == pytest.approx(peak, abs=1)
        assert radius.min() == pytest.approx(INNER, abs=1e-4)


def test_an_outline_goes_through_the_values_and_not_beyond_them():
    rng = np.random.default_rng(0)
    noise = tuned(0).copy(data=rng.uniform(0, 1, (1, 36)))
    ((angle, radius, _),) = curves_drawn(radial_panel(noise))
    # The height between steps may exceed the highest value, to which the scale is fitted.
    highest = radius.max() - INNER
    at_steps = [radius[np.abs(angle - step * 10).argmin()] - INNER for step in range(36)]
    assert np.allclose(np.array(at_steps) / highest, noise.values[0] / noise.values.max())


def test_a_curves_hue_is_its_peak():
    for (_, _, color), peak in zip(
        curves_drawn(radial_panel(tuned(40, 250))), (40, 250), strict=True
    ):
        hue, lightness, saturation = colorsys.rgb_to_hls(*color)
        assert hue * 360 == pytest.approx(peak, abs=0.5)
        assert (lightness, saturation) == (pytest.approx(0.3), pytest.approx(0.96))


def test_a_curve_with_a_period_of_180_degrees_has_two_peaks():
    ((angle, radius, _),) = curves_drawn(radial_panel(tuned(35, period=180.0)))
    rotated = np.interp((angle + 180) % 360, np.sort(angle), radius[angle.argsort()], period=360)
    assert np.allclose(radius, rotated, atol=1e-6)
    assert angle[radius.argmax()] % 180 == pytest.approx(35, abs=1)


def test_crowded_units_are_spread_around_the_circle():
    figure = radial_panel(tuned(*np.linspace(80, 100, 9)))
    discs = [
        patch
        for patch in figure.axes[0].patches
        if hasattr(patch, "center") and np.hypot(*patch.center) > 1
    ]
    centers = np.unique([disc.center for disc in discs], axis=0)
    assert len(centers) == 9
    assert np.allclose(np.hypot(*centers.T), OUTER)
    apart = np.hypot(*(centers[:, None] - centers[None]).T)
    assert apart[~np.eye(9, dtype=bool)].min() >= 1.95 * discs[0].radius


def test_a_unit_that_nothing_drives_is_left_out():
    undriven = tuned(40, 250, heights=(1.0, 0.0))
    assert len(curves_drawn(radial_panel(undriven))) == 1
    with pytest.raises(InputError, match="none of these units responds"):
        radial_panel(tuned(40, heights=(-1.0,)))


def test_units_with_a_thumbnail_are_drawn_by_it():
    figure = radial_panel(tuned(40, 250), {"a:1": Image.new("L", (8, 8), 128)})
    (shown,) = figure.axes[0].images
    left, right, low, high = shown.get_extent()
    middle = np.degrees(np.arctan2((low + high) / 2, (left + right) / 2)) % 360
    assert middle == pytest.approx(250, abs=0.5)
    assert shown.get_clip_path() is not None


def test_the_scale_is_written_in_the_units_of_the_responses():
    responses = tuned(40, heights=(12.5,))
    responses.attrs["units"] = "standard deviations"
    (axes,) = radial_panel(responses, title="curves").axes
    assert axes.get_title("left") == "curves"
    caption = axes.texts[-1].get_text()
    assert caption == "farthest from the disc: 12.5,\nmean positive standard deviations"


def test_an_outline_with_fewer_points_lies_on_the_finer_one():
    curve = tuned(40).values[0]
    fine = outline(curve, first=0.0, period=360.0)
    coarse = outline(curve, first=0.0, period=360.0, step=3.0)
    assert np.allclose(coarse, fine[::3])
