import math

import numpy as np
import pytest

from visioncircuits.errors import InputError
from visioncircuits.hypotheses import Evidence, Hypothesis, Prediction, effects, from_toml
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
    assert first.function is effects.echo
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
        ("least_field = 40", 'orientation_by = "median"', "unknown orientation_by 'median'"),
        ('["lines", "noise"]', '["lions"]', "unknown stimulus set 'lions'"),
        ("[axes]\nradius", "[axes]\nradios", "unknown parameter"),
        ("most = 0.1", "", "has no bound"),
        ("[[variants]]", "[variants", "is no TOML"),
        ('stimuli = "curves"', "", "names no stimuli"),
        ("10, 20, 40, inf]", "]", "radius has no values"),
        ("ink =", "colour =", "variant 1 of 'tight curve': unknown parameter of curve 'colour'"),
        ('"white"', '"whyte"', "variant 1 of 'tight curve'.*whyte"),
        ("width = 3.0", "radius = 3.0", "fixes 'radius', which the stimuli vary"),
        ('axis = "radius"', 'axis = "radios"', "unknown axis of the hypothesis' stimuli 'radios'"),
        ("[10, 20], over", "[1, 2], over", "radius has no value from 1 to 2"),
        ("options = {axis", "options = {axes", "unknown option of preference 'axes'"),
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


@pytest.mark.parametrize(
    ("effect", "options", "message"),
    [
        ("off_peak", {}, r"off_peak needs the option 'beyond' in the prediction '\?'"),
        ("off", {"beyond": 60}, "unknown effect 'off'; the nearest are 'off_peak'"),
        ("echo", {"colour": 1}, "unknown option of echo 'colour'; known are 'axis'"),
        ("relative_strength", {"axis": "hue"}, "relative_strength has no options, not 'axis'"),
        (3, {}, "must be a function or the name of one, not 3"),
        (lambda evidence, *, power: evidence.peak, {}, "needs the option 'power'"),
    ],
)
def test_options_are_checked_when_a_prediction_is_made(effect, options, message):
    with pytest.raises(InputError, match=message):
        Prediction("?", effect, most=1, options=options)


def test_an_effect_that_the_stimuli_do_not_allow_is_rejected_when_the_hypothesis_is_made():
    edges = named("edges").isel(orientation=slice(0, 20))
    for stimuli, effect, options, message in (
        (edges, "echo", {}, "at equal steps around 180 or 360"),
        (edges, "controls", {}, "there are no controls"),
        (named("edges"), "off_peak", {"beyond": "far"}, "the prediction '\\?'"),
    ):
        with pytest.raises(InputError, match=message):
            Hypothesis("any", stimuli, (Prediction("?", effect, most=1, options=options),))


def test_an_effect_is_given_by_name_as_in_a_file():
    by_name, itself = (Prediction("?", effect, most=1) for effect in ("echo", effects.echo))
    assert by_name.function is itself.function
    assert repr(by_name) == repr(itself)


def test_an_effect_of_ones_own_must_return_a_number_for_every_unit():
    evidence = Evidence(("a:0", "a:1"), np.ones((2, 1, 4)), {"radius": np.arange(4)}, {})
    with pytest.raises(InputError, match=r"a number for each of 2 units, not the shape \(\)"):
        Prediction("?", lambda evidence: 1.0, most=1).measure(evidence)


def test_an_orientation_is_read_at_the_peak_or_along_the_mean_as_the_hypothesis_has_it():
    around = np.arange(0.0, 360.0, 45.0)
    lopsided = np.array([[[5.0, 4.0, 4.0, 0.0, 0.0, 0.0, 0.0, 0.0]]])
    evidence = Evidence(("a:0",), lopsided, {"orientation": around}, {})
    claim = Prediction("has no echo", effects.echo, most=0.1)
    stimuli = named("edges").vary(orientation=around.tolist())
    peak, mean = (
        Hypothesis("edge", stimuli, (claim,), orientation_by=by).orientations(evidence)[0]
        for by in ("peak", "mean")
    )
    turned = (lopsided[0, 0] * np.exp(1j * np.radians(around))).sum()
    assert mean == pytest.approx(np.degrees(np.angle(turned)))
    assert peak < 30 < mean
