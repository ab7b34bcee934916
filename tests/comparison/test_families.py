from dataclasses import replace

import numpy as np
import pytest
import torch
import xarray as xr

from visioncircuits import handwritten
from visioncircuits.comparison import Family, compare_tuning, counterparts, family
from visioncircuits.comparison.families import between, correlations, rotated, turns
from visioncircuits.errors import InputError
from visioncircuits.hypotheses import Hypothesis, Prediction, effects, predefined
from visioncircuits.networks import Network
from visioncircuits.networks.features import Unit
from visioncircuits.stimuli import named


@pytest.fixture(scope="module")
def network() -> Network:
    return handwritten.load("curves")


def facing(network: Network, *orientations: float) -> Family:
    units = tuple(Unit("mixed3b", place) for place in range(len(orientations)))
    return Family(network, units, predefined(network, "mixed3b", "curve"), orientations)


def test_a_family_is_in_the_order_that_its_units_were_measured_to_face(network: Network) -> None:
    found = family(network, ["mixed3b:20", "mixed3b:3", "mixed3b:9"], "curve")
    assert found.places == (3, 9, 20)
    np.testing.assert_allclose(found.orientations, [45, 135, 300], atol=8)


def test_counterparts_are_the_nearest_across_the_turn(network: Network) -> None:
    mine = counterparts(facing(network, 2.0, 358.0, 181.0), facing(network, 350.0, 170.0, 5.0))
    assert mine.places == (2, 2, 1)
    np.testing.assert_array_equal(
        between(facing(network, 350.0), facing(network, 10.0, 170.0)), [[20, 180]]
    )


def test_a_unit_that_nothing_faces_like_is_named(network: Network) -> None:
    with pytest.raises(InputError, match=r"nothing in mixed3b .* faces as mixed3b:0 does, 90"):
        counterparts(facing(network, 90.0), facing(network, 0.0, 60.0))


def test_a_unit_that_no_curve_drives_is_named(network: Network) -> None:
    silent = handwritten.curves(threshold=100.0)
    with pytest.raises(InputError, match="no curve stimulus drives mixed3b:1 of handwritten:curv"):
        family(silent, ["mixed3b:1"], "curve")


def test_of_a_layer_the_supported_units_are_the_family(network: Network) -> None:
    claim = Prediction("responds to one orientation", effects.echo, most=0.5)
    lines = Hypothesis("line", named("lines").isel(width=0), (claim,))
    found = family(network, "conv2d2", lines)
    assert len(found) == 12
    assert found.period == 180
    np.testing.assert_allclose(found.orientations, range(0, 180, 15), atol=8)
    silent = Hypothesis("line", lines.stimuli, (replace(claim, most=-1.0),))
    with pytest.raises(InputError, match="no unit of conv2d2 in handwritten:curves is supported"):
        family(network, "conv2d2", silent)


def test_lines_of_170_and_5_degrees_are_15_apart(network: Network) -> None:
    lines = predefined(network, "mixed3b", "line")
    one, other = (replace(facing(network, angle), hypothesis=lines) for angle in (170.0, 5.0))
    np.testing.assert_allclose(between(one, other), [[15]])
    np.testing.assert_allclose(turns(one, other), [-15])


def test_without_orientation_counterparts_are_those_tuned_most_alike() -> None:
    network = handwritten.load("color-center-surround")
    spots = Hypothesis(
        "spot",
        named("color-center-surround"),
        (Prediction("prefers one hue", effects.echo, most=0.5, options={"axis": "hue"}),),
    )
    whole = family(network, [f"mixed3a:{unit}" for unit in range(8)], spots)
    assert whole.orientations is None
    some = whole.part([5, 2])
    assert counterparts(some, whole).places == (5, 2)
    compared = compare_tuning(some, some, spots.stimuli)
    assert set(compared.numbers) == {"surface", "best hue", "best radius"}
    np.testing.assert_allclose(compared.numbers["surface"], 1, atol=1e-5)
    assert compared._repr_png_()


def test_turning_by_whole_steps_rolls_and_by_all_of_them_does_nothing() -> None:
    values = np.random.default_rng(0).random((2, 8, 3))
    angles = {"orientation": np.arange(0, 360, 45)}
    responses = xr.DataArray(values, angles, ("unit", "orientation", "radius"))
    once = rotated(responses, np.array([45.0, -90.0])).values
    np.testing.assert_allclose(once[0], np.roll(values[0], 1, 0))
    np.testing.assert_allclose(once[1], np.roll(values[1], -2, 0))
    np.testing.assert_allclose(rotated(responses, np.array([360.0, -360.0])).values, values)
    half = responses.assign_coords(orientation=np.arange(0, 180, 22.5))
    np.testing.assert_allclose(rotated(half, np.array([22.5, -45.0])).values, [once[0], once[1]])


def test_correlations_are_numpys() -> None:
    one, other = np.random.default_rng(1).random((2, 3, 4, 5))
    found = correlations(*(xr.DataArray(each, dims=("unit", "a", "b")) for each in (one, other)))
    expected = [np.corrcoef(x.ravel(), y.ravel())[0, 1] for x, y in zip(one, other, strict=True)]
    np.testing.assert_allclose(found, expected)
    assert torch.tensor(found).isfinite().all()
