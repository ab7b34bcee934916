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
def test_all_stimuli_can_be_drawn_where_the_neurons_see_enough(name, scale):
    hypothesis = PREDEFINED[name](scale)
    for variant in hypothesis.variants:
        hypothesis.stimuli.fix(size=math.floor(scale), **variant).check()
    for control in hypothesis.controls.values():
        control.fix(size=math.floor(scale)).check()


@pytest.mark.parametrize("name", sorted(PREDEFINED))
def test_all_stimuli_can_be_drawn_where_they_see_just_enough(name):
    hypothesis = PREDEFINED[name](float(PREDEFINED[name](60.0).least_field))
    for variant in hypothesis.variants:
        hypothesis.stimuli.fix(size=hypothesis.least_field, **variant).check()
    for control in hypothesis.controls.values():
        control.fix(size=hypothesis.least_field).check()


def test_names_may_be_plural(network):
    assert predefined("curves", network, "mixed3b").name == "curve"


def test_an_orientation_is_one_prediction_more(network):
    plain = predefined("line", network, "mixed3a")
    oriented = predefined("line", network, "mixed3a", orientation=45.0)
    assert len(oriented.predictions) == len(plain.predictions) + 1
    assert "45 ± 15" in oriented.predictions[0].claim


def test_a_layer_that_comes_too_early_is_refused_with_the_first_that_does_not(network):
    with pytest.raises(InputError, match=r"conv2d1 is too early for curve.*see 11 px.*begin with"):
        predefined("curve", network, "conv2d1")


def test_what_is_unknown_is_refused(network):
    with pytest.raises(InputError, match=r"unknown hypothesis 'curv'.*'curve'"):
        predefined("curv", network, "mixed3b")
    with pytest.raises(InputError, match="no orientation to test"):
        predefined("color-contrast", network, "mixed3b", orientation=0.0)


def test_a_network_without_a_layer_late_enough_says_so():
    from torch import nn

    network = wrap(nn.Sequential(nn.Conv2d(3, 2, 7)), Preprocessing(), size=32)
    with pytest.raises(InputError, match="no layer that does"):
        predefined("curve", network, "0")
