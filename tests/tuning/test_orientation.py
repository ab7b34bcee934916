import json

import numpy as np
import pytest
import xarray as xr

from visioncircuits.errors import InputError
from visioncircuits.tuning import orientation_tuning, radial_tuning


def responses(values: np.ndarray, angles: np.ndarray, **axes: object) -> xr.DataArray:
    return xr.DataArray(
        values,
        dims=("unit", "orientation", *axes),
        coords={"unit": [f"a:{u}" for u in range(len(values))], "orientation": angles, **axes},
    )


@pytest.fixture(scope="module")
def heat_maps(published) -> xr.DataArray:
    """The published responses, x from 0 to 360 in the heat maps' convention, less 180."""
    with np.load(published / "curve_heatmaps_sigma.npz") as stored:
        maps = stored["curves"].astype(np.float64)
        names = [f"mixed3b:{unit}" for unit in stored["neurons"]]
    columns = maps.shape[2]
    angles = np.arange(columns) * 360 / columns
    turned = np.roll(maps, columns // 2, 2).transpose(0, 2, 1)
    return xr.DataArray(
        turned,
        dims=("unit", "orientation", "radius"),
        coords={"unit": names, "orientation": angles, "radius": np.arange(maps.shape[1])},
    )


def test_the_published_heat_maps_give_the_published_radial_curves(heat_maps, published):
    with np.load(published / "curve_radial_tuning.npz") as stored:
        names = [f"mixed3b:{unit}" for unit in stored["mixed3b_units"]]
        curves = dict(zip(names, stored["mixed3b_resp"], strict=True))
    ours = radial_tuning(heat_maps)
    angles = np.append(ours["orientation"].values, 360.0)
    for name in heat_maps["unit"].values:
        ring = ours.sel(unit=name).values
        at_half_degrees = np.interp(np.arange(720) / 2, angles, np.append(ring, ring[0]))
        assert np.corrcoef(at_half_degrees, curves[name])[0, 1] >= 0.999


def test_the_published_heat_maps_give_the_published_orientations_widths_and_echoes(
    heat_maps, published
):
    text = (published / "curve_preferred_orientations.json").read_text()
    units = json.loads(text)["units"]["mixed3b"]
    tuning = orientation_tuning(heat_maps)
    for name in heat_maps["unit"].values:
        theirs, ours = units[name.split(":")[1]], tuning.sel(unit=name)
        apart = abs(float(ours["orientation"]) - theirs["argmax_deg"])
        assert min(apart, 360 - apart) <= 5
        assert float(ours["width"]) == pytest.approx(theirs["fwhm_deg"], abs=3)
        assert float(ours["echo"]) == pytest.approx(theirs["echo_ratio"], abs=0.03)


def test_the_published_boundary_maps_give_the_published_preferred_orientations(published):
    published_means = {110: 360, 180: 62, 136: 91, 108: 163, 132: 219, 88: 284}
    with np.load(published / "hilo_synthetic_responses_fig3.npz") as stored:
        maps = np.stack([stored[f"mixed3a_{unit}"].T for unit in published_means])
    shown = responses(maps, np.arange(360.0), ratio=np.arange(maps.shape[2]))
    means = orientation_tuning(shown)["mean"].values
    assert np.allclose((means + 180) % 360, (np.array([*published_means.values()]) + 180) % 360,
                       atol=0.5)  # fmt: skip


def test_the_mean_is_the_center_of_mass_not_the_highest_point():
    angles = np.arange(5, 365, 10.0)
    plateau = (np.abs(angles - 120) <= 60).astype(float)
    plateau[angles == 65] += 0.01
    tuning = orientation_tuning(responses(plateau[None], angles))
    assert float(tuning["orientation"][0]) == pytest.approx(65, abs=5)
    assert float(tuning["mean"][0]) == pytest.approx(120, abs=0.5)


def test_only_positive_activations_count():
    tuned = responses(
        np.array([[[3.0, -9.0], [1.0, 1.0], [0.0, 0.0], [0.0, 0.0]]]),
        np.arange(0, 360, 90),
        radius=[1, 2],
    )
    assert radial_tuning(tuned).values.tolist() == [[1.5, 1.0, 0.0, 0.0]]


def test_orientations_may_begin_anywhere():
    angles = np.arange(5, 365, 10.0)
    values = np.exp(np.cos(np.radians(angles - 77)))[None]
    tuning = orientation_tuning(responses(values, angles))
    assert float(tuning["orientation"][0]) == pytest.approx(77, abs=0.5)


def test_the_orientations_of_lines_span_half_a_circle():
    angles = np.arange(0, 180, 5.0)
    values = np.exp(4 * (np.cos(np.radians(2 * (angles - 170))) - 1))[None]
    tuning = orientation_tuning(responses(values, angles))
    assert float(tuning["orientation"][0]) == pytest.approx(170, abs=0.5)
    assert float(tuning["width"][0]) < 90
    assert float(tuning["echo"][0]) < 0.05


def test_a_unit_that_nothing_drives_has_no_orientation():
    tuning = orientation_tuning(responses(np.zeros((1, 8)), np.arange(0, 360, 45)))
    assert all(
        np.isnan(tuning[name]).all() for name in ("orientation", "mean", "peak", "width", "echo")
    )


@pytest.mark.parametrize(
    ("angles", "message"),
    [
        ([0.0], "needs 4 values"),
        ([0.0, 90.0, 180.0], "needs 4 values"),
        ([0.0, 10.0, 20.0, 30.0], "at equal steps around 180 or 360"),
        ([0.0, 80.0, 180.0, 270.0], "at equal steps around 180 or 360"),
    ],
)
def test_orientations_that_do_not_span_a_circle_are_rejected(angles, message):
    with pytest.raises(InputError, match=message):
        radial_tuning(responses(np.zeros((1, len(angles))), np.array(angles)))


def test_responses_without_an_orientation_are_rejected():
    with pytest.raises(InputError, match="no axis 'orientation', only radius"):
        radial_tuning(xr.DataArray(np.zeros((1, 2)), dims=("unit", "radius")))
