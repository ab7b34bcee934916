import math

import numpy as np
import pytest

from visioncircuits import handwritten
from visioncircuits.hypotheses import PREDEFINED, find
from visioncircuits.tuning import circular


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


def test_high_low_detectors_are_read_by_the_mean_vector_within_5_degrees_of_the_truth():
    """The handwritten detectors' directions are known; tuning is too broad for its peak."""
    circuit = handwritten.load("high-low")
    found = find(circuit, "mixed3a", "high-low").set_index("unit")
    truth = np.array([label.orientation for label in handwritten.labels(circuit, "mixed3a")])
    units = [f"mixed3a:{unit}" for unit in range(len(truth))]
    assert len(found) == len(units)
    read = found.loc[units, "orientation"].to_numpy(float)
    assert (read == found.loc[units, "mean"]).all()
    assert circular.angular_distance(read, truth).max() < 5
