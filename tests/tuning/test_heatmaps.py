import matplotlib
import numpy as np
import pytest
import xarray as xr
from PIL import Image

from visioncircuits.errors import InputError
from visioncircuits.networks import untrained
from visioncircuits.stimuli import named
from visioncircuits.tuning import measure
from visioncircuits.tuning.heatmaps import boundary_maps, tuning_maps


def curve_maps(responses, *arguments, **options):
    return tuning_maps(responses, "orientation", "radius", *arguments, **options)


def over(stimuli, units: int = 3, seed: int = 0) -> xr.DataArray:
    values = np.random.default_rng(seed).normal(size=(units, *stimuli.shape)).astype(np.float32)
    axes = {name: list(axis) for name, axis in stimuli.axes.items()}
    names = [f"a:{unit}" for unit in range(units)]
    return xr.DataArray(values, coords={"unit": names, **axes}, dims=("unit", *stimuli.dims))


@pytest.fixture
def curves():
    return named("curves").isel(orientation=slice(0, None, 3))


def images(figure) -> list:
    return [axes.images[0] for axes in figure.axes if axes.images]


def test_orientation_runs_across_and_the_other_axis_down_in_its_own_order(curves):
    responses = over(curves)
    for shown, expected in zip(images(curve_maps(responses)), responses.values, strict=True):
        assert np.allclose(shown.get_array().filled(0), expected.T.clip(0))
        left, right, bottom, top = shown.get_extent()
        assert (left, right, bottom, top) == (-0.5, 11.5, 1, 0)


def test_responses_not_above_zero_are_black_and_the_rest_share_a_scale(curves):
    responses = over(curves)
    shown = images(curve_maps(responses))[0]
    colors = shown.cmap(shown.norm(shown.get_array()))[..., :3]
    below = responses.values[0].T <= 0
    assert (colors[below] == 0).all()
    turbo = matplotlib.colormaps["turbo"]
    expected = turbo(responses.values[0].T / responses.values.max())[..., :3]
    assert np.allclose(colors[~below], expected[~below])


def test_the_last_color_can_be_given(curves):
    figure = curve_maps(over(curves), highest=25.0)
    assert {shown.norm.vmax for shown in images(figure)} == {25.0}
    (legend,) = [axes for axes in figure.axes if not axes.images]
    assert [text.get_text() for text in legend.get_xticklabels()] == ["0", "12.5", "25"]


def test_each_stimulus_is_drawn_above_its_responses(curves):
    figure = curve_maps(over(curves), curves)
    strip = next(shown for shown in images(figure) if shown.get_array().ndim == 3)
    assert strip.get_extent() == images(curve_maps(over(curves)))[0].get_extent()
    pictures = strip.get_array().reshape(4, 60, 12, 60, 3)
    for column, row in ((0, 0), (5, 3), (11, 1)):
        drawn = curves.isel(orientation=column, radius=row).draw().picture[0]
        expected = (drawn * 255).round().byte().permute(1, 2, 0).numpy()
        assert (pictures[row, 1:, column, 1:] == expected[1:, 1:]).all()


def test_a_strip_shows_some_of_many_stimuli_the_outermost_rows_among_them():
    many = named("high-low").isel(orientation=slice(0, None, 5), ratio=slice(0, None, 6))
    figure = boundary_maps(over(many, 1), many)
    strip = next(shown for shown in images(figure) if shown.get_array().ndim == 3)
    assert strip.get_array().shape == (4 * 60, 18 * 60, 3)
    named_rows = [text.get_text() for text in strip.axes.get_yticklabels()]
    assert named_rows == ["1", "2.02", "4.08", "8.23"]


def test_boundary_maps_are_relative_to_each_units_strongest_response():
    few = named("high-low").isel(orientation=slice(0, None, 30), ratio=slice(0, None, 20))
    responses = over(few) * xr.DataArray([1.0, 10.0, -0.0], dims="unit")
    maps = images(boundary_maps(responses))
    assert [float(shown.get_array().max()) for shown in maps] == [1.0, 1.0, 0.0]
    assert {(shown.norm.vmin, shown.norm.vmax) for shown in maps} == {(0, 1)}


def test_units_are_drawn_in_columns_below_their_stimuli(curves):
    figure = curve_maps(over(curves, 5), curves, columns=2)
    assert sum(shown.get_array().ndim == 3 for shown in images(figure)) == 2
    lefts = {round(shown.axes.get_position().x0, 6) for shown in images(figure)}
    assert len(lefts) == 2


def test_thumbnails_are_drawn_beside_the_maps_of_their_units(curves):
    picture = Image.new("RGB", (4, 4), "red")
    figure = curve_maps(over(curves), None, {"a:1": picture})
    assert sum(shown.get_array().shape == (4, 4, 3) for shown in images(figure)) == 1
    assert [text.get_text() for text in figure.texts] == ["a:0", "1", "a:2"]


def test_responses_that_cannot_be_drawn_are_rejected(curves):
    responses = over(curves)
    with pytest.raises(InputError, match="no response is above 0"):
        curve_maps(-abs(responses))
    with pytest.raises(InputError, match="unknown axis of these responses 'radius'"):
        curve_maps(responses.mean("radius"))
    with pytest.raises(InputError, match="two axes, not 'radius' twice"):
        tuning_maps(responses, "radius", "radius")
    with pytest.raises(InputError, match="unknown reduction 'median'"):
        curve_maps(responses, reduce="median")
    with pytest.raises(InputError, match="not the orientation alone"):
        boundary_maps(responses.mean("radius"))
    with pytest.raises(InputError, match="not roundness, radius"):
        boundary_maps(responses.expand_dims(roundness=2))
    with pytest.raises(InputError, match="no axis 'orientation'"):
        boundary_maps(responses.isel(orientation=0))
    with pytest.raises(InputError, match="differ in orientation"):
        curve_maps(responses, named("curves"))
    with pytest.raises(InputError, match="columns must be 1 or more"):
        boundary_maps(responses, columns=0)


def labels(axis) -> list[str]:
    return [text.get_text() for text in axis.get_ticklabels()]


def test_any_two_axes_are_drawn_and_all_others_reduced_as_chosen():
    gratings = named("square-gratings").isel(orientation=slice(0, None, 3))
    responses = over(gratings, 1)
    by = responses.values[0].transpose(1, 2, 0)  # period, phase, orientation
    for reduce, expected in (("max", by.max(2)), ("mean", by.clip(0).mean(2))):
        figure = tuning_maps(responses, "phase", "period", reduce=reduce)
        (shown,) = images(figure)
        assert np.allclose(shown.get_array().filled(0), expected.clip(0), atol=1e-6)
        caption = figure.axes[-1].texts[0].get_text()
        assert caption == f"activation, {reduce} over orientation; black: 0 and below"


def test_both_axes_have_ticks_at_the_middle_of_their_values():
    gratings = named("square-gratings")
    (shown,) = images(tuning_maps(over(gratings, 1), "period", "orientation"))
    assert labels(shown.axes.xaxis) == ["4", "6", "8", "12", "16", "24"]
    assert shown.axes.get_xticks().tolist() == [0, 1, 2, 3, 4, 5]
    assert labels(shown.axes.yaxis) == ["0", "60", "105", "165"]
    assert shown.axes.get_yticks() * 12 == pytest.approx([0.5, 4.5, 7.5, 11.5])
    assert (shown.axes.get_xlabel(), shown.axes.get_ylabel()) == ("period", "orientation")


def test_axes_all_around_have_ticks_at_eighths_of_a_turn_others_at_values(curves):
    shown = images(tuning_maps(over(curves), "orientation", "radius"))[-1]
    assert labels(shown.axes.xaxis)[:3] == ["0°", "45°", "90°"]
    assert shown.axes.get_xticks()[:3].tolist() == [0, 1.5, 3]
    part = over(curves).isel(orientation=slice(0, 5))
    shown = images(tuning_maps(part, "orientation", "radius"))[-1]
    assert labels(shown.axes.xaxis)
    assert "°" not in "".join(labels(shown.axes.xaxis))


def test_stimuli_are_drawn_as_large_as_the_neuron_sees_them():
    few = named("curves").isel(orientation=slice(0, None, 9))
    responses = measure(untrained("bvlc_googlenet"), ["conv2d0:5"], few)
    side = responses.record["picture"][0]
    strip = images(tuning_maps(responses, "orientation", "radius", few))[-1].get_array()
    drawn = few.fix(size=side).isel(orientation=1, radius=2).draw().picture[0]
    expected = (drawn * 255).round().byte().permute(1, 2, 0).numpy()
    assert side < few.fixed["size"]
    scale = 32 // side
    expected = expected.repeat(scale, 0).repeat(scale, 1)
    tile = strip.reshape(4, side * scale, 4, side * scale, 3)[2, :, 1]
    assert (tile[1:, 1:] == expected[1:, 1:]).all()


def test_an_axis_of_colors_is_labeled_by_their_names():
    colored = named("edges").isel(orientation=[0, 18]).vary(ink=("red", "blue"))
    (shown,) = images(tuning_maps(over(colored, 1), "ink", "orientation"))
    assert labels(shown.axes.xaxis) == ["red", "blue"]
