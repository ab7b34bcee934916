import numpy as np
import pytest
import torch
import xarray as xr

from visioncircuits import handwritten
from visioncircuits.comparison import Family, counterparts, curve_family
from visioncircuits.comparison.families import between, correlations, rotated
from visioncircuits.errors import InputError
from visioncircuits.networks import Network
from visioncircuits.networks.features import Unit


@pytest.fixture(scope="module")
def network() -> Network:
    return handwritten.load("curves")


def facing(network: Network, *orientations: float) -> Family:
    units = tuple(Unit("mixed3b", place) for place in range(len(orientations)))
    return Family(network, units, orientations)


def test_a_family_is_in_the_order_that_its_units_were_measured_to_face(network: Network) -> None:
    family = curve_family(network, ["mixed3b:20", "mixed3b:3", "mixed3b:9"])
    assert family.places == (3, 9, 20)
    np.testing.assert_allclose(family.orientations, [45, 135, 300], atol=8)


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
    with pytest.raises(InputError, match="no curve drives mixed3b:1 of handwritten:curves"):
        curve_family(silent, ["mixed3b:1"])


def test_turning_by_whole_steps_rolls_and_by_all_of_them_does_nothing() -> None:
    values = np.random.default_rng(0).random((2, 8, 3))
    responses = xr.DataArray(values, dims=("unit", "orientation", "radius"))
    once = rotated(responses, np.array([45.0, -90.0])).values
    np.testing.assert_allclose(once[0], np.roll(values[0], 1, 0))
    np.testing.assert_allclose(once[1], np.roll(values[1], -2, 0))
    np.testing.assert_allclose(rotated(responses, np.array([360.0, -360.0])).values, values)


def test_correlations_are_numpys() -> None:
    one, other = np.random.default_rng(1).random((2, 3, 4, 5))
    found = correlations(*(xr.DataArray(each, dims=("unit", "a", "b")) for each in (one, other)))
    expected = [np.corrcoef(x.ravel(), y.ravel())[0, 1] for x, y in zip(one, other, strict=True)]
    np.testing.assert_allclose(found, expected)
    assert torch.tensor(found).isfinite().all()
