import pytest

from visioncircuits.errors import InputError
from visioncircuits.hypotheses import predefined
from visioncircuits.networks import Preprocessing, untrained, wrap


@pytest.fixture(scope="module")
def network():
    return untrained("bvlc_googlenet")


def test_names_may_be_plural(network):
    assert predefined(network, "mixed3b", "curves").name == "curve"


def test_an_orientation_adds_one_prediction(network):
    plain = predefined(network, "mixed3a", "line")
    oriented = predefined(network, "mixed3a", "line", orientation=45.0)
    assert len(oriented.predictions) == len(plain.predictions) + 1
    assert "45 ± 15" in oriented.predictions[0].claim


def test_a_layer_that_is_too_early_is_rejected_and_the_first_possible_one_named(network):
    with pytest.raises(InputError, match=r"conv2d1 is too early for curve.*see 11 px.*begin with"):
        predefined(network, "conv2d1", "curve")


def test_unknown_names_and_orientations_that_do_not_apply_are_rejected(network):
    with pytest.raises(InputError, match=r"unknown hypothesis 'curv'.*'curve'"):
        predefined(network, "mixed3b", "curv")
    with pytest.raises(InputError, match="no orientation to test"):
        predefined(network, "mixed3b", "color-contrast", orientation=0.0)


def test_a_network_without_a_layer_late_enough_is_rejected():
    from torch import nn

    network = wrap(nn.Sequential(nn.Conv2d(3, 2, 7)), Preprocessing(), size=32)
    with pytest.raises(InputError, match="no layer that does"):
        predefined(network, "0", "curve")
