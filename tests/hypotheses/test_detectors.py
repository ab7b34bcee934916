import math

import pytest

from visioncircuits.hypotheses import PREDEFINED


@pytest.mark.parametrize("name", sorted(PREDEFINED))
@pytest.mark.parametrize("scale", [59.0, 91.0, 224.0])
def test_all_stimuli_can_be_drawn_for_large_receptive_fields(name, scale):
    hypothesis = PREDEFINED[name](scale)
    for variant in hypothesis.variants:
        hypothesis.stimuli.fix(size=math.floor(scale), **variant).check()
    for control in hypothesis.controls.values():
        control.fix(size=math.floor(scale)).check()


@pytest.mark.parametrize("name", sorted(PREDEFINED))
def test_all_stimuli_can_be_drawn_for_the_smallest_receptive_field(name):
    hypothesis = PREDEFINED[name](float(PREDEFINED[name](60.0).least_field))
    for variant in hypothesis.variants:
        hypothesis.stimuli.fix(size=hypothesis.least_field, **variant).check()
    for control in hypothesis.controls.values():
        control.fix(size=hypothesis.least_field).check()
