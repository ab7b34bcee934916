"""Verdicts and hypotheses show themselves, whatever they hold."""

import json

import numpy as np
import pytest

from visioncircuits.errors import InputError
from visioncircuits.hypotheses import Evidence, Hypothesis, Prediction, effects, judge_evidence
from visioncircuits.stimuli import named


def verdict(values, responses, *, axis="orientation", **bounds):
    evidence = Evidence(("a:0", "a:1"), responses, {axis: np.asarray(values)}, {})
    claim = Prediction("peaks", lambda evidence: evidence.peak - 1.0, **bounds)
    return judge_evidence(evidence, Hypothesis("any", named("edges"), (claim,)))[0]


@pytest.mark.parametrize(
    ("values", "bounds"),
    [
        (range(0, 360, 90), {"least": 0.0}),
        (range(0, 180, 45), {"least": -1.0, "most": 2.0}),
        ([10.0, 20.0, 40.0, np.inf], {"most": 0.5}),
        (["red", "green", "blue", "gray"], {"most": 0.5}),
        ([7.0], {"least": 0.0}),
    ],
)
@pytest.mark.parametrize("scale", [0.0, 1.0])
def test_a_verdict_shows_itself(values, bounds, scale):
    responses = np.full((2, 2, len(values)), scale)
    shown = verdict(list(values), responses, axis="any", **bounds)
    assert shown._repr_png_()[1:4] == b"PNG"
    assert len(repr(shown)) < 160  # two lines, with the reason


def test_an_infinite_or_undefined_effect_is_shown():
    for value in (np.inf, -np.inf, np.nan):
        evidence = Evidence(("a:0",), np.ones((1, 2, 2)), {"radius": np.array([5.0, 9.0])}, {})
        claim = Prediction("any", lambda _, value=value: np.array([value]), most=0.0)
        (shown,) = judge_evidence(evidence, Hypothesis("any", named("edges"), (claim,)))
        assert shown._repr_png_()[1:4] == b"PNG"


def test_a_hypothesis_shows_effect_axis_and_bound_of_each_prediction():
    given = Prediction("a < b", effects.echo, most=0.1, options={"axis": "hue"})
    usual = Prediction("narrow", effects.width, most=90.0)
    edges = named("color-contrast")
    shown = Hypothesis("any", edges, (given, usual))._repr_html_()
    assert "<td>a &lt; b</td><td>echo</td><td>hue</td><td>≤ 0.1</td>" in shown
    assert "<td>narrow</td><td>width</td><td>orientation</td><td>≤ 90</td>" in shown


def test_a_verdicts_record_is_saved_as_json(tmp_path):
    shown = verdict([5.0, np.inf], np.ones((2, 1, 2)), axis="radius", least=0.0)
    record = json.loads(shown.save(tmp_path / "verdict.json").read_text())
    assert record == shown.record()
    with pytest.raises(InputError, match=r"name it \.json"):
        shown.save(tmp_path / "verdict.txt")


def test_the_best_value_of_an_axis_of_colors_is_its_name():
    assert (
        verdict(
            ["red", "blue"], np.array([[[0.0, 1.0]], [[1.0, 0.0]]]), axis="ink", most=1.0
        ).row()["ink"]
        == "blue"
    )
