"""What `find` returns is a table of the units that pass, and keeps why the others do not."""

import numpy as np
import pandas as pd
import pytest

from visioncircuits.hypotheses import Evidence, Found, Hypothesis, Prediction, judge_evidence
from visioncircuits.stimuli import named


def verdicts(first: list[float], second: list[float], *, least: tuple[float, float]):
    """Judge units by two numbers each, which hold from `least` on."""
    numbers = np.array([first, second])

    def one(evidence):
        return numbers[0, [int(unit) for unit in evidence.units]]

    def two(evidence):
        return numbers[1, [int(unit) for unit in evidence.units]]

    responses = np.arange(1.0, len(first) + 1)[:, None, None] * np.ones((1, 1, 3))
    evidence = Evidence(
        tuple(map(str, range(len(first)))), responses, {"radius": np.array([5, 10, 20])}, {}
    )
    claims = (Prediction("first", one, least=least[0]), Prediction("second", two, least=least[1]))
    judged = judge_evidence(evidence, Hypothesis("any", named("circles"), claims))
    return [type(v)(v.unit, v.hypothesis, v.outcomes, 0.01, v.tried, v.evidence) for v in judged]


@pytest.fixture
def nothing() -> Found:
    return Found(verdicts([5, 0, 5, 3], [0, 5, 9.9, 3], least=(4, 10)))


def test_the_units_that_pass_each_prediction_are_counted(nothing):
    rows = nothing.passed()[["holds", "open", "fails", "only this"]]
    assert rows.loc["first"].tolist() == [2, 0, 2, 0]
    assert rows.loc["second"].tolist() == [0, 0, 4, 2]
    assert rows.iloc[-1].tolist() == [4, 0, 0, 0]


def test_the_nearest_misses_come_first(nothing):
    assert [verdict.unit for verdict in nothing.nearest()] == ["2", "0", "3", "1"]
    assert [verdict.unit for verdict in nothing.nearest(1)] == ["2"]


def test_nothing_found_shows_what_each_prediction_lets_pass_and_the_nearest_misses(nothing):
    assert nothing.empty
    for shown in (repr(nothing), nothing._repr_html_()):
        assert "0 of 4 units supported as any detectors, 0 undecided, 4 refuted" in shown
        assert shown.index("second") < shown.index("second: 9.9, not ≥ 10")
    assert "<details open>" in nothing._repr_html_()


def test_what_is_found_is_a_table_that_is_sorted_and_selected_as_any_other():
    found = Found(verdicts([5, 6, 0], [9, 8, 9], least=(4, 7)))
    assert found["unit"].tolist() == ["1", "0"]
    assert found.sort_values("unit")["unit"].tolist() == ["0", "1"]
    assert type(found[found["peak"] > 1]) is pd.DataFrame
    assert found._repr_html_().startswith("<p>2 of 3 units")
    assert "<details>" in found._repr_html_()
    assert len(found.verdicts) == 3
    assert "why" not in found


def test_of_no_units_nothing_is_found():
    assert repr(Found([])) == "no units"
    assert Found([])._repr_html_() == "<p>no units</p>"
