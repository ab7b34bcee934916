"""Responses along directions equal those measured of the directions themselves."""

import numpy as np
import pytest

from visioncircuits.errors import InputError
from visioncircuits.hypotheses import Evidence, effects, measure_responses
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
    measured = measure_responses(network, directions, STIMULI, **OPTIONS).evidence()
    assert derived.units == measured.units
    np.testing.assert_allclose(derived.responses, measured.responses, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(
        derived.controls["edges"], measured.controls["edges"], rtol=1e-4, atol=1e-4
    )


def test_a_direction_needs_a_weight_for_every_unit() -> None:
    responses = measure_responses(untrained("bvlc_googlenet"), "mixed3a", STIMULI, **OPTIONS)
    with pytest.raises(InputError, match="256 units"):
        responses.along([Direction("mixed3a", (1.0, 2.0))])


def test_a_bootstrap_sample_is_the_evidence_of_the_variants_drawn() -> None:
    values = np.random.default_rng(1).gamma(0.3, size=(5, 4, 12, 3)).astype(np.float32)
    values[0, 1:] = 0.0
    axes = {"orientation": np.arange(0, 360, 30), "radius": np.array([5.0, 9.0, 16.0])}
    whole = Evidence(tuple("abcde"), values, axes, {})
    drawn = np.array([3, 1, 1, 0])
    sample, stated = whole.resampled(drawn), Evidence(whole.units, values[:, drawn], axes, {})
    np.testing.assert_array_equal(sample.responses, stated.responses)
    np.testing.assert_allclose(sample.mean, values[:, drawn].mean(1), rtol=1e-6)
    np.testing.assert_allclose(sample.best("radius"), stated.best("radius"), rtol=1e-6)
    curves = values.mean(3).astype(np.float64)
    for each, indices in ((whole, np.arange(4)), (sample, drawn)):
        average = curves[:, indices].mean(1)
        correlations = [
            np.mean([np.corrcoef(unit[at], mean)[0, 1] if unit[at].any() else 0 for at in indices])
            for unit, mean in zip(curves, average, strict=True)
        ]
        np.testing.assert_allclose(effects.invariance(each), correlations, atol=1e-9)
