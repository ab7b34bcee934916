import numpy as np
import pytest
import xarray as xr

from visioncircuits.errors import InputError
from visioncircuits.networks import load
from visioncircuits.stimuli import named
from visioncircuits.tuning import invariance, measure, preferred_value, sparseness

UNITS = ["mixed3b:358", "mixed3b:386", "mixed3b:408", "mixed3b:321", "mixed3b:326", "mixed3b:368"]


def responses(values, **axes) -> xr.DataArray:
    values = np.asarray(values, np.float32)
    names = [f"a:{unit}" for unit in range(len(values))]
    return xr.DataArray(values, dims=("unit", *axes), coords={"unit": names, **axes})


def test_the_preferred_value_is_interpolated_in_the_logarithm():
    radii = np.geomspace(10, 160, 9)
    curve = np.exp(-(np.log(radii / 47.0) ** 2))
    found = preferred_value(responses([curve], radius=radii), "radius")
    assert float(found[0]) == pytest.approx(47, rel=0.02)


def test_at_an_end_and_beside_infinity_the_value_itself_is_preferred():
    found = preferred_value(
        responses([[1, 2, 3], [1, 3, 2], [0, 0, 0]], radius=[10, 20, np.inf]), "radius"
    )
    assert found.values[:2].tolist() == [np.inf, 20]
    assert np.isnan(found.values[2])


def test_sparseness_is_that_of_a_slow_twin():
    values = np.random.default_rng(0).normal(size=(4, 3, 5))
    found = sparseness(responses(values, orientation=[0, 1, 2], radius=list(range(5))))
    for unit, curve in zip(found.values, values.astype(np.float32).clip(0), strict=True):
        mean = sum(curve.flat) / 15
        square = sum(value**2 for value in curve.flat) / 15
        assert unit == pytest.approx((1 - mean**2 / square) / (1 - 1 / 15), rel=1e-5)


@pytest.mark.slow
def test_curve_detectors_are_invariant_to_fill(checkpoints):
    network = load("bvlc_googlenet", checkpoint=checkpoints / "bvlc_googlenet.safetensors")
    plain, filled, colored = (
        measure(network, UNITS, named(name))
        for name in ("curves", "filled-curves", "colored-curves")
    )
    assert (invariance(plain, filled) > 0.9).all()
    assert (invariance(plain, colored) > 0.8).all()
    preferred = preferred_value(plain, "radius")
    assert ((preferred > 25) & (preferred < 200)).all()
    assert 40 < float(preferred.median()) < 100  # "around 60 pixels" in "Zoom In"


def test_measurements_that_cannot_be_compared_are_rejected():
    one = responses([[1, 2, 3]], orientation=[0, 90, 180])
    with pytest.raises(InputError, match="differ in their values of orientation"):
        invariance(one, responses([[1, 2, 3]], orientation=[0, 90, 181]))
    with pytest.raises(InputError, match="unknown axis"):
        preferred_value(one, "radius")
    with pytest.raises(InputError, match="responses to one"):
        sparseness(responses([[1]], orientation=[0]))
    with pytest.raises(InputError, match="names, not numbers"):
        preferred_value(responses([[1, 2]], ink=["red", "blue"]), "ink")
