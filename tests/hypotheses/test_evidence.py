"""Answers along directions are those that the network gives when it is asked for them."""

import numpy as np
import pytest

from visioncircuits.errors import InputError
from visioncircuits.hypotheses import ask, gather
from visioncircuits.networks import Direction, untrained
from visioncircuits.stimuli import named

STIMULI = named("curves").isel(orientation=slice(0, None, 9), radius=[0, 2])
HOW = {
    "variants": ({}, {"fill": 1.0}),
    "controls": {"edges": named("edges").isel(orientation=slice(0, None, 18))},
}


def test_directions_need_no_second_showing() -> None:
    network = untrained("bvlc_googlenet")
    rng = np.random.default_rng(0)
    directions = [
        Direction("mixed3a", tuple(rng.normal(size=256).tolist()), name=str(place))
        for place in range(3)
    ]
    found = ask(network, "mixed3a", STIMULI, **HOW).along(directions).evidence()
    asked = gather(network, directions, STIMULI, **HOW)
    assert found.units == asked.units
    np.testing.assert_allclose(found.answers, asked.answers, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(
        found.controls["edges"], asked.controls["edges"], rtol=1e-4, atol=1e-4
    )


def test_directions_are_of_all_units() -> None:
    answers = ask(untrained("bvlc_googlenet"), "mixed3a", STIMULI, **HOW)
    with pytest.raises(InputError, match="256 units"):
        answers.along([Direction("mixed3a", (1.0, 2.0))])
