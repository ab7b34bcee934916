import math

import pytest

from visioncircuits.errors import InputError
from visioncircuits.hypotheses import PREDEFINED, predefined
from visioncircuits.networks import Preprocessing, untrained, wrap


@pytest.fixture(scope="module")
def network():
    return untrained("bvlc_googlenet")


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


def test_names_may_be_plural(network):
    assert predefined("curves", network, "mixed3b").name == "curve"


def test_an_orientation_adds_one_prediction(network):
    plain = predefined("line", network, "mixed3a")
    oriented = predefined("line", network, "mixed3a", orientation=45.0)
    assert len(oriented.predictions) == len(plain.predictions) + 1
    assert "45 ± 15" in oriented.predictions[0].claim


def test_a_layer_that_is_too_early_is_rejected_and_the_first_possible_one_named(network):
    with pytest.raises(InputError, match=r"conv2d1 is too early for curve.*see 11 px.*begin with"):
        predefined("curve", network, "conv2d1")


def test_unknown_names_and_orientations_that_do_not_apply_are_rejected(network):
    with pytest.raises(InputError, match=r"unknown hypothesis 'curv'.*'curve'"):
        predefined("curv", network, "mixed3b")
    with pytest.raises(InputError, match="no orientation to test"):
        predefined("color-contrast", network, "mixed3b", orientation=0.0)


def test_a_network_without_a_layer_late_enough_is_rejected():
    from torch import nn

    network = wrap(nn.Sequential(nn.Conv2d(3, 2, 7)), Preprocessing(), size=32)
    with pytest.raises(InputError, match="no layer that does"):
        predefined("curve", network, "0")
