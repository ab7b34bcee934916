"""Photographs add doubt, and numbers that agree with a count by hand; they refute nothing."""

import json

import numpy as np
import pytest
import torch

from visioncircuits import handwritten, tuning
from visioncircuits.errors import InputError
from visioncircuits.examples import Examples, collect
from visioncircuits.hypotheses import (
    Found,
    Hypothesis,
    OnPhotographs,
    Prediction,
    effects,
    from_toml,
    judge,
    judge_all,
    predefined,
    verdict_panel,
)
from visioncircuits.networks import Direction, untrained
from visioncircuits.stimuli import StimulusSet, line, noise

CLAIM = Prediction("responds to one orientation only", effects.off_peak, most=0.4,
                   options={"beyond": 40.0})  # fmt: skip
NETWORK = handwritten.load("lines")
UNITS = ["mixed3a:0", "mixed3a:5"]


def lines(**expected) -> Hypothesis:
    grid = StimulusSet(line, {"orientation": range(0, 180, 15), "width": (2, 4)})
    return Hypothesis("line", grid, (CLAIM,), on_photographs=OnPhotographs(**expected))


@pytest.fixture(scope="module")
def pictures() -> torch.Tensor:
    """Lines of the units' orientations, then noise."""
    turned = torch.tensor([0.0, 0.0, 75.0, 75.0])
    drawn = line(orientation=turned, y=torch.tensor([0.0, 9.0] * 2), width=3.0, size=224).picture
    return torch.cat([drawn, noise(seed=torch.arange(16), contrast=0.05, size=224).picture])


@pytest.fixture(scope="module")
def examples(pictures) -> Examples:
    return collect(NETWORK, "mixed3a", pictures, top=4)


@pytest.fixture(scope="module")
def verdicts(examples):
    return judge_all(NETWORK, UNITS, lines(deviations=1, reader="lines"), examples=examples)


def test_without_photographs_nothing_is_expected_of_them():
    (verdict,) = judge_all(NETWORK, UNITS[:1], lines(deviations=1e6, reader="lines"))
    assert verdict.status == "supported"
    assert verdict.photographs == ()
    assert not {"deviations", "firing", "read"} & verdict.row().keys()
    assert "photographs" not in verdict.record()


def test_deviations_and_firing_are_those_of_all_positions(verdicts, pictures):
    spread = tuning.deviations(NETWORK, "mixed3a", pictures).values
    maps = NETWORK.activations(pictures, ["mixed3a"])["mixed3a"]
    for verdict, unit in zip(verdicts, (0, 5), strict=True):
        row = verdict.row()
        assert row["deviations"] == pytest.approx(row["peak"] / spread[unit], rel=0.02)
        assert row["firing"] == pytest.approx(float((maps[:, unit] > 0).double().mean()))


def test_a_detector_that_photographs_bear_out_is_supported(verdicts):
    for verdict in verdicts:
        assert verdict.status == verdict.by_stimuli == "supported"
        assert verdict.row()["read"] >= 0.5
        assert [outcome.status for outcome in verdict.photographs] == ["holds", "holds"]
        assert verdict.reasons == ()


def test_a_detector_that_is_doubtful_on_them_is_undecided_and_the_reason_is_stated(
    examples, verdicts, tmp_path
):
    found = Found([*verdicts, *judge_all(NETWORK, UNITS, lines(deviations=1e3), examples=examples)])
    verdict = found.verdicts[2]
    assert (verdict.status, verdict.by_stimuli) == ("undecided", "supported")
    (reason,) = verdict.reasons
    assert reason.startswith("its best stimulus stands out")
    assert reason.endswith("not ≥ 1e+03")
    assert "2 of 4 units supported as line detectors, 2 undecided, 0 refuted" in found.summary
    assert {"deviations", "firing", "read"} <= set(found.columns)
    assert verdict in found.nearest()
    record = json.loads(verdict.save(tmp_path / "verdict.json").read_text())
    assert record["verdict"] == "undecided"
    assert record["photographs"][0]["status"] == "fails"
    assert verdict_panel(verdict)._repr_png_()[1:4] == b"PNG"


def test_what_each_expectation_lets_pass_is_counted(verdicts):
    passed = Found(verdicts).passed()
    assert passed["holds"].tolist() == [2, 2, 2, 2]
    assert passed.index[2].endswith("by handwritten:lines")


@pytest.mark.slow
def test_the_photographs_of_loaded_examples_are_needed_to_read_them(
    examples, pictures, verdicts, tmp_path
):
    loaded = Examples.load(examples.save(tmp_path / "examples.npz"))
    expected = lines(deviations=1, reader="lines")
    with pytest.raises(InputError, match="pass those of the examples too"):
        judge(NETWORK, UNITS[0], expected, examples=loaded)
    again = judge(NETWORK, UNITS[0], expected, examples=loaded, photographs=pictures)
    assert repr(again.photographs) == repr(verdicts[0].photographs)
    assert judge(NETWORK, UNITS[0], lines(deviations=1), examples=loaded).status == "supported"


def test_examples_that_do_not_fit_are_rejected(examples):
    with pytest.raises(InputError, match=r"not of untrained bvlc_googlenet"):
        judge(untrained("bvlc_googlenet"), "mixed3a:0", lines(), examples=examples)
    with pytest.raises(InputError, match="no examples of conv2d2, only of mixed3a"):
        judge(NETWORK, "conv2d2:0", lines(), examples=examples)


@pytest.mark.slow
def test_a_direction_is_judged_on_photographs_as_a_unit_is(pictures, verdicts):
    direction = Direction("mixed3a", tuple(np.eye(12)[5].tolist()), name="probe")
    verdict = judge(NETWORK, direction, lines(deviations=1, reader="lines"), photographs=pictures)
    assert verdict.status == "supported"
    assert verdict.row()["deviations"] == pytest.approx(verdicts[1].row()["deviations"], rel=1e-6)
    assert verdict.row()["read"] == verdicts[1].row()["read"]


def test_a_unit_that_no_photograph_activates_is_undecided():
    gray = torch.full((2, 3, 224, 224), 0.5)
    verdict = judge(NETWORK, UNITS[0], lines(reader="lines"), photographs=gray)
    assert verdict.status == "undecided"
    assert np.isnan(verdict.row()["read"])


def test_expectations_that_make_no_sense_are_rejected():
    with pytest.raises(InputError, match="from 0, not -1"):
        OnPhotographs(deviations=-1)
    with pytest.raises(InputError, match="unknown reader 'circles'"):
        OnPhotographs(reader="circles")
    grid = StimulusSet(line, {"width": (2, 4)})
    wide = Prediction("any", lambda evidence: evidence.peak, least=0)
    with pytest.raises(InputError, match="the reader 'lines' needs an orientation"):
        Hypothesis("line", grid, (wide,), on_photographs=OnPhotographs(reader="lines"))


@pytest.mark.parametrize(("name", "reader"), [("curve", "curves"), ("high-low", "")])
def test_predefined_hypotheses_state_what_they_expect(name, reader):
    expected = predefined(untrained("bvlc_googlenet"), "mixed3b", name).on_photographs
    assert expected.reader == reader
    assert expected.deviations > 0


def test_a_file_states_the_same(tmp_path):
    path = tmp_path / "mine.toml"
    text = 'stimuli = "curves"\n[[predictions]]\neffect = "echo"\nmost = 0.1\n[photographs]\n'
    path.write_text(text + 'deviations = 8\nreader = "curves"\n')
    assert from_toml(path).on_photographs == OnPhotographs(8, "curves")
    path.write_text(text + "deviation = 8\n")
    with pytest.raises(InputError, match=r"unknown key of photographs 'deviation'.*'deviations'"):
        from_toml(path)
