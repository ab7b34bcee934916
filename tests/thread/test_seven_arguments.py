"""The seven arguments of any unit; what has no data is left out with its reason."""

import numpy as np
import pytest

from visioncircuits.errors import InputError
from visioncircuits.networks import Direction, untrained
from visioncircuits.stimuli import circle, named
from visioncircuits.stimuli.sets import StimulusSet
from visioncircuits.thread import SevenArguments, seven_arguments, seven_arguments_panel

FEW = named("lines").isel(orientation=slice(0, None, 6), width=slice(2))
QUICK = {"stimuli": FEW, "steps": 1, "size": 32, "thumbnails": {}}


@pytest.fixture(scope="module")
def network():
    return untrained("bvlc_googlenet")


@pytest.fixture(scope="module")
def found(network) -> SevenArguments:
    pictures = np.random.default_rng(0).random((3, 3, 224, 224), np.float32)
    return seven_arguments(network, "conv2d0:7", pictures, family=["conv2d0:9"], **QUICK)


def test_all_seven_have_data_and_a_letter(found):
    assert not found.missing
    texts = [text.get_text() for text in seven_arguments_panel(found).texts]
    assert [text for text in texts if text in tuple("abcdefgh")] == list("abcdefg")


def test_the_units_joint_tuning_peaks_in_the_middle_and_siblings_follow(found):
    assert found.joint["unit"].values.tolist() == ["conv2d0:7", "conv2d0:9"]
    assert float(found.joint["rotation"][int(np.argmax(found.joint[0].values))]) == 0


def test_what_has_no_data_is_left_out_with_its_reason(network):
    found = seven_arguments(network, "conv2d0:7", **QUICK)
    assert found.missing == {
        "dataset examples": "no photographs were given",
        "joint tuning": "there are no dataset examples to turn",
    }
    figure = seven_arguments_panel(found)
    texts = [text.get_text() for text in figure.texts]
    assert [text for text in texts if text in tuple("abcdefgh")] == list("abcde")
    assert "without dataset examples: no photographs were given" in texts


def test_mistakes_are_met_before_anything_is_computed(network):
    with pytest.raises(InputError, match="is a direction"):
        seven_arguments(network, Direction("conv2d0", (1.0,) * 64))
    with pytest.raises(InputError, match="axes orientation and one more, not radius"):
        seven_arguments(network, "conv2d0:7", stimuli=StimulusSet(circle, {"radius": (3, 5)}))
    with pytest.raises(InputError, match="steps must be"):
        seven_arguments(network, "conv2d0:7", steps=0)
