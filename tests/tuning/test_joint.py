import numpy as np
import pytest
import torch
import xarray as xr

from visioncircuits import networks
from visioncircuits.errors import InputError
from visioncircuits.stimuli import curve, named
from visioncircuits.tuning import (
    align,
    joint_panel,
    measure,
    orientation_tuning,
    radial_tuning,
    rotated_pictures,
)

PEAKS = (10.0, 95.0, 200.0, 310.0)
SHIFTS = (0, 130, 275, 40, 355)


def family(angles: np.ndarray, *, sharp: float = 8.0) -> np.ndarray:
    """A response to each of some angles by units that peak all around, (unit, *angles)."""
    peaks = np.array(PEAKS).reshape(-1, *(1,) * angles.ndim)
    return np.exp(sharp * (np.cos(np.radians(angles - peaks)) - 1)) - 0.1


@pytest.fixture
def tuning() -> xr.DataArray:
    angles = np.arange(0, 360, 10.0)
    names = [f"a:{place}" for place in range(4)]
    return xr.DataArray(
        family(angles), coords={"unit": names, "orientation": angles}, dims=("unit", "orientation")
    )


@pytest.fixture
def responses(tuning) -> xr.DataArray:
    """Examples that show one angle each, rotated."""
    rotations = np.arange(0, 360, 5.0)
    shown = np.array(SHIFTS)[:, None] + rotations
    strengths = np.array([1.0, 3.0, 0.5, 2.0, 1.0])[:, None]
    return xr.DataArray(
        family(shown) * strengths,
        coords={"unit": tuning["unit"], "example": range(5), "rotation": rotations},
        dims=("unit", "example", "rotation"),
    )


def test_with_tuning_curves_the_shift_is_the_orientation_that_an_example_shows(responses, tuning):
    aligned = align(responses, tuning)
    assert aligned["shift"].values.tolist() == list(SHIFTS)
    found = orientation_tuning(aligned)["orientation"].values
    assert np.allclose(found, PEAKS, atol=0.5)


def test_without_tuning_curves_examples_are_aligned_and_count_from_the_first(responses):
    aligned = align(responses.roll(rotation=7, roll_coords=False))
    assert aligned["shift"].values.tolist() == list(SHIFTS)
    first = aligned.isel(example=0)
    for example in aligned.transpose("example", ...):
        assert np.corrcoef(example.values.ravel(), first.values.ravel())[0, 1] > 0.999


def test_a_shift_is_the_same_for_every_unit_and_changes_no_value(responses, tuning):
    aligned = align(responses, tuning)
    for place, shift in enumerate(SHIFTS):
        turned_back = np.roll(responses.values[:, place], shift // 5, -1)
        assert (aligned.sel(example=place).transpose("unit", ...).values == turned_back).all()


def test_the_shift_is_that_of_the_largest_sum_of_products(tuning):
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(4, 3, 36))
    responses = xr.DataArray(
        noise,
        coords={"unit": tuning["unit"], "example": range(3), "rotation": np.arange(0, 360, 10.0)},
        dims=("unit", "example", "rotation"),
    )
    for place in range(3):
        agreements = [
            (np.roll(noise[:, place].clip(0), shift, -1) * tuning.values.clip(0)).sum()
            for shift in range(36)
        ]
        found = align(responses, tuning)["shift"].values[place]
        assert found == 10 * int(np.argmax(agreements))


def test_curves_with_a_period_of_180_degrees_are_aligned_within_180_degrees():
    angles, rotations = np.arange(0, 180, 5.0), np.arange(0, 360, 5.0)
    lines = {"unit": ["a:0"], "orientation": angles}
    tuned = np.cos(np.radians(2 * (angles - 50)))[None]
    values = np.cos(np.radians(2 * (rotations + 70 - 50)))[None, None]
    tuning = xr.DataArray(tuned, coords=lines, dims=("unit", "orientation"))
    responses = xr.DataArray(
        values,
        coords={"unit": ["a:0"], "example": [0], "rotation": rotations},
        dims=("unit", "example", "rotation"),
    )
    assert align(responses, tuning)["shift"].values.tolist() == [70.0]


def test_an_example_without_responses_is_not_shifted(responses, tuning):
    undriven = responses.copy()
    undriven[:, 1] = -1.0
    assert align(undriven, tuning)["shift"].values.tolist() == [0, 0, 275, 40, 355]


def test_responses_that_cannot_be_aligned_are_rejected(responses, tuning):
    with pytest.raises(InputError, match="these responses have unit, rotation"):
        align(responses.isel(example=0))
    with pytest.raises(InputError, match="unit of the tuning curves 'a:0'"):
        align(responses, tuning.isel(unit=slice(1, None)))
    with pytest.raises(InputError, match="give the result of `align`"):
        joint_panel(tuning)
    with pytest.raises(InputError, match="none of these units responds"):
        joint_panel(align(-abs(responses)))


def test_a_panel_has_the_examples_thin_and_their_mean_thick(responses, tuning):
    aligned = align(responses, tuning)
    aligned.attrs["units"] = "standard deviations"
    figure = joint_panel(aligned, title="a family")
    assert len(figure.axes) == 4
    for axes, unit in zip(figure.axes, aligned["unit"].values, strict=True):
        *examples, mean, mark = axes.lines
        for line, example in zip(examples, aligned.sel(unit=unit).values, strict=True):
            assert np.allclose(line.get_ydata()[:-1], example.clip(0))
        assert np.allclose(mean.get_ydata()[:-1], radial_tuning(aligned).sel(unit=unit))
        assert mean.get_linewidth() > examples[0].get_linewidth()
        assert mark.get_xdata()[0] == pytest.approx(PEAKS[figure.axes.index(axes)], abs=0.5)
    texts = [text.get_text() for text in figure.texts]
    assert "standard deviations to 5 examples, and their mean" in texts


@pytest.mark.slow
@pytest.mark.weights
def test_rotated_curves_are_aligned_to_where_they_were_drawn(checkpoints):
    network = networks.load("bvlc_googlenet", checkpoint=checkpoints / "bvlc_googlenet.safetensors")
    units = [f"mixed3b:{unit}" for unit in (413, 408, 398, 321, 326, 335, 336, 368, 386)]
    shown = torch.tensor([230.0, 60.0])
    drawn = curve(orientation=shown, radius=60.0, width=1.67, size=151).picture
    responses = measure(network, units, rotated_pictures(list(drawn), step=10))
    sheet = measure(network, units, named("curves"))
    shifts = align(responses, radial_tuning(sheet))["shift"].values
    assert np.abs(shifts - shown.numpy()).max() <= 10
