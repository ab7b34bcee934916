import math

import pytest

from visioncircuits.errors import InputError
from visioncircuits.hypotheses import Hypothesis, Prediction, effects, from_toml
from visioncircuits.stimuli import named

GOOD = """
name = "tight curve"
stimuli = "curves"
controls = ["lines", "noise"]
least_field = 40

[axes]
radius = [10, 20, 40, inf]

[[variants]]
width = 1.67
[[variants]]
width = 3.0
ink = "white"
ground = "black"

[[predictions]]
claim = "falls below a tenth of its peak at 180 degrees from it"
effect = "echo"
most = 0.1
[[predictions]]
effect = "preference"
options = {axis = "radius", among = [10, 20], over = [40, inf]}
least = 1.5
"""


def test_a_hypothesis_is_read_from_toml(tmp_path):
    path = tmp_path / "tight.toml"
    path.write_text(GOOD)
    found = from_toml(path)
    assert found.name == "tight curve"
    assert found.stimuli.axes["radius"] == (10, 20, 40, math.inf)
    assert found.variants[1] == {"width": 3.0, "ink": "white", "ground": "black"}
    assert set(found.controls) == {"lines", "noise"}
    first, second = found.predictions
    assert first.effect is effects.echo
    assert first.most == 0.1
    assert "preference" in second.claim
    assert "at least 1.5" in second.claim
    assert len(found) == 36 * 4 * 2 + 108 + 144


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"curves"', '"curvs"', "unknown stimulus set 'curvs'.*nearest"),
        ('"echo"', '"ecco"', "unknown effect 'ecco'.*echo"),
        ("most = 0.1", "atmost = 0.1", "unknown key of a prediction 'atmost'"),
        ("least_field", "leastfield", "unknown key"),
        ('["lines", "noise"]', '["lions"]', "unknown stimulus set 'lions'"),
        ("[axes]\nradius", "[axes]\nradios", "unknown parameter"),
        ("most = 0.1", "", "has no bound"),
        ("[[variants]]", "[variants", "is no TOML"),
        ('stimuli = "curves"', "", "names no stimuli"),
        ("10, 20, 40, inf]", "]", "radius has no values"),
    ],
)
def test_a_file_with_an_invalid_entry_is_rejected(tmp_path, old, new, message):
    path = tmp_path / "wrong.toml"
    path.write_text(GOOD.replace(old, new, 1))
    with pytest.raises(InputError, match=message) as error:
        from_toml(path)
    assert "wrong.toml" in str(error.value)


def test_a_missing_file_is_rejected(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        from_toml(tmp_path / "none.toml")


def test_a_hypothesis_without_predictions_is_rejected():
    with pytest.raises(InputError, match="nothing can refute it"):
        Hypothesis("nothing", named("curves"), ())


def test_bounds_that_exclude_every_number_are_rejected():
    with pytest.raises(InputError, match="both at least 2 and at most 1"):
        Prediction("?", effects.echo, least=2, most=1)
