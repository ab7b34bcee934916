import pytest
import torch

from visioncircuits.errors import InputError
from visioncircuits.stimuli import CONTROLS, named, names, parameters_of


@pytest.mark.parametrize("name", names())
def test_every_named_set_can_be_drawn(name):
    stimuli = named(name)
    assert stimuli.name == name
    stimuli.check()
    stimuli.fix(size=99, x=3.25, y=-4.75).check()
    drawn = stimuli.draw([0, len(stimuli) // 2, len(stimuli) - 1]).picture
    assert (drawn.flatten(1).std(1) > 0.01).all()
    stimuli.record()


def test_the_controls_of_two_colors_have_the_same_contrast():
    for name in CONTROLS:
        stimuli = named(name)
        assert {"ink", "ground"} <= set(parameters_of(stimuli.family))
        drawn = stimuli.draw(range(0, len(stimuli), max(1, len(stimuli) // 7))).picture
        # a line of 1.67 px may lie between pixels, and so may the crest of a short wave
        assert drawn.amin((1, 2, 3)).max() < 0.17
        assert drawn.amax((1, 2, 3)).min() > 0.83
        recolored = stimuli.fix(ink=(0.25, 0.25, 0.25), ground=(0.75, 0.75, 0.75)).draw([0])
        assert torch.all((recolored.picture >= 0.25) & (recolored.picture <= 0.75))


def test_an_unknown_set_is_refused_with_the_nearest_names():
    with pytest.raises(InputError, match="unknown stimulus set 'curve'; the nearest are 'curves'"):
        named("curve")
