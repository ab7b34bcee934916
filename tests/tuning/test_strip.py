import numpy as np
import pytest

from visioncircuits.stimuli import StimulusSet, named
from visioncircuits.tuning.strip import RULE, strip


def drawn(stimuli: StimulusSet, **places: int) -> np.ndarray:
    picture = stimuli.isel(**places).draw().picture[0]
    return (picture * 255).round().byte().permute(1, 2, 0).numpy()


def tile(picture: np.ndarray, row: int, column: int, side: int) -> np.ndarray:
    return picture[row * side + 1 : (row + 1) * side, column * side + 1 : (column + 1) * side]


@pytest.mark.parametrize("order", [("orientation", "radius"), ("radius", "orientation")])
def test_orientations_run_across_whichever_axis_comes_first(order):
    whole = named("curves").isel(orientation=slice(0, None, 9))
    stimuli = StimulusSet(whole.family, {name: whole.axes[name] for name in order}, whole.fixed)
    shown = strip(stimuli, "radius", across=36)
    assert shown.shape == (4 * 60, 4 * 60, 3)
    for row, column in ((0, 0), (1, 3), (3, 2)):
        expected = drawn(stimuli, orientation=column, radius=row)[1:, 1:]
        assert (tile(shown, row, column, 60) == expected).all()


def test_of_too_many_orientations_the_middle_ones_are_shown():
    stimuli = named("edges").fix(size=20)
    shown = strip(stimuli, None, across=24)
    assert shown.shape == (20, 24 * 20, 3)
    for column in (0, 7, 23):
        expected = drawn(stimuli, orientation=3 * column + 1)[1:, 1:]
        assert (tile(shown, 0, column, 20) == expected).all()


def test_of_further_axes_the_first_value_is_shown():
    stimuli = named("angles").isel(orientation=slice(0, None, 12))
    plain = stimuli.isel(roundness=0)
    assert (strip(stimuli, "radius", across=36) == strip(plain, "radius", across=36)).all()


def test_stimuli_are_separated_by_a_line():
    shown = strip(named("curves").isel(orientation=[0, 18]), "radius", across=36)
    assert (shown[::60] == RULE).all()
    assert (shown[:, ::60] == RULE).all()
