"""Responses along directions equal those measured of the directions themselves."""

import numpy as np
import pytest

from visioncircuits.errors import InputError
from visioncircuits.hypotheses import gather, measure_responses
from visioncircuits.networks import Direction, untrained
from visioncircuits.stimuli import named

STIMULI = named("curves").isel(orientation=slice(0, None, 9), radius=[0, 2])
OPTIONS = {
    "variants": ({}, {"fill": 1.0}),
    "controls": {"edges": named("edges").isel(orientation=slice(0, None, 18))},
}


def test_responses_along_directions_equal_measured_ones() -> None:
    network = untrained("bvlc_googlenet")
    rng = np.random.default_rng(0)
    directions = [
        Direction("mixed3a", tuple(rng.normal(size=256).tolist()), name=str(place))
        for place in range(3)
    ]
    derived = measure_responses(network, "mixed3a", STIMULI, **OPTIONS).along(directions).evidence()
    measured = gather(network, directions, STIMULI, **OPTIONS)
    assert derived.units == measured.units
    np.testing.assert_allclose(derived.responses, measured.responses, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(
        derived.controls["edges"], measured.controls["edges"], rtol=1e-4, atol=1e-4
    )


def test_a_direction_needs_a_weight_for_every_unit() -> None:
    responses = measure_responses(untrained("bvlc_googlenet"), "mixed3a", STIMULI, **OPTIONS)
    with pytest.raises(InputError, match="256 units"):
        responses.along([Direction("mixed3a", (1.0, 2.0))])
