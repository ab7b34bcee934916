"""Stimulus sets are read from the files that hypotheses have."""

import pytest

from visioncircuits.errors import InputError
from visioncircuits.stimuli import named, stimulus_set

GOOD = """
stimuli = "curves"
[axes]
radius = [10, 20, inf]
ink = ["white", "red"]
[fixed]
orientation = 90
width = 3.0
[[predictions]]
effect = "preference"
options = {axis = "radius", among = [10, 20], over = [inf, inf]}
least = 1.5
"""


def test_the_stimuli_of_a_hypothesis_are_read_from_its_file(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(GOOD)
    expected = named("curves").fix(orientation=90, width=3.0)
    expected = expected.vary(radius=[10, 20, float("inf")], ink=["white", "red"])
    for given in (path, str(path)):
        assert stimulus_set(given).digest == expected.digest


def test_a_set_is_returned_as_it_is_and_a_ready_one_by_its_name():
    lines = named("lines")
    assert stimulus_set(lines) is lines
    assert stimulus_set("lines").digest == lines.digest


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"curves"', '"curvs"', "unknown stimulus set 'curvs'"),
        ("ink", "colour", "unknown parameter of curve 'colour'"),
        ('"red"', '"rad"', "rad"),
        ("width", "radius", "radius is both an axis and fixed"),
        ("3.0", "-3.0", "width"),
    ],
)
def test_a_file_with_an_invalid_entry_is_rejected(tmp_path, old, new, message):
    path = tmp_path / "mine.toml"
    path.write_text(GOOD.replace(old, new, 1))
    with pytest.raises(InputError, match=message) as error:
        stimulus_set(path)
    assert "mine.toml" in str(error.value)
