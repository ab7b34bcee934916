"""Verdicts on synthetic evidence, whose detectors are known."""

import json

import numpy as np
import pytest

from visioncircuits.hypotheses import Evidence, Hypothesis, Prediction, effects, judge_evidence
from visioncircuits.hypotheses.significance import RESAMPLES, SHUFFLES
from visioncircuits.stimuli import named

ANGLES = np.arange(0, 360, 15.0)
HYPOTHESIS = Hypothesis(
    "bump",
    named("edges"),
    (
        Prediction("one peak", effects.off_peak, most=0.4, options={"beyond": 60.0}),
        Prediction("no echo", effects.echo, most=0.1),
        Prediction("always the same", effects.invariance, least=0.8),
        Prediction("controls drive it less", effects.controls, most=0.5),
    ),
    variants=({},) * 8,
    controls={"noise": named("noise")},
)


def tuned(*peaks: float, kappa: float = 6.0) -> np.ndarray:
    return np.sum([np.exp(kappa * (np.cos(np.radians(ANGLES - p)) - 1)) for p in peaks], 0)


@pytest.fixture(scope="module")
def layer() -> Evidence:
    """A detector, one with two peaks, one that follows the variant, an undriven one, then noise."""
    generator = np.random.default_rng(0)
    steady = [np.tile(curve, (8, 1)) for curve in (tuned(40), tuned(40, 220), np.zeros(24))]
    following = np.stack([tuned(45.0 * variant) for variant in range(8)])
    others = generator.random((60, 8, 24)) ** 3
    responses = np.stack([steady[0], steady[1], following, steady[2], *others])
    return Evidence(
        units=tuple(f"a:{unit}" for unit in range(len(responses))),
        values=responses,
        axes={"orientation": ANGLES},
        controls={"noise": np.full(len(responses), 0.2)},
    )


def test_a_detector_is_supported_and_all_other_units_are_refuted(layer):
    statuses = [verdict.status for verdict in judge_evidence(layer, HYPOTHESIS)]
    assert statuses[0] == "supported"
    assert set(statuses[1:]) == {"refuted"}


def test_of_the_double_detector_only_the_predictions_about_its_second_peak_fail(layer):
    double = judge_evidence(layer, HYPOTHESIS)[1]
    assert [outcome.status for outcome in double.outcomes] == ["fails", "fails", "holds", "holds"]


def test_a_unit_that_nothing_drives_fails_every_prediction(layer):
    undriven = judge_evidence(layer, HYPOTHESIS)[3]
    assert {outcome.status for outcome in undriven.outcomes} == {"fails"}
    assert np.isnan(undriven.outcomes[0].effect)
    assert undriven.row()["verdict"] == "refuted"


def test_an_effect_near_its_bound_in_some_variants_leaves_it_open(layer):
    responses = layer.responses.copy()
    for variant in range(8):
        responses[0, variant] += tuned(220) * (0.02 + 0.02 * variant)
    wavering = Evidence(layer.units, responses, layer.axes, layer.controls)
    verdict = judge_evidence(wavering, HYPOTHESIS)[0]
    assert verdict.outcomes[1].status == "open"
    low, high = verdict.outcomes[1].interval
    assert low < 0.1 < high
    assert verdict.status == "undecided"


def test_p_is_corrected_for_the_number_of_units(layer):
    alone = judge_evidence(layer, HYPOTHESIS, units=[0])[0]
    among = judge_evidence(layer, HYPOTHESIS)[0]
    assert alone.tried == 1
    assert among.tried == 64
    assert alone.p < among.p <= 0.05


def test_no_unit_with_shuffled_responses_is_supported(layer):
    generator = np.random.default_rng(1)
    shuffled = layer.responses.reshape(64, -1)
    shuffled = np.stack([generator.permutation(row) for row in shuffled]).reshape(64, 8, 24)
    verdicts = judge_evidence(
        Evidence(layer.units, shuffled, layer.axes, layer.controls), HYPOTHESIS
    )
    assert "supported" not in {verdict.status for verdict in verdicts}


def test_without_another_unit_there_is_no_p_and_the_predictions_decide(layer):
    alone = judge_evidence(layer.select([0]), HYPOTHESIS)[0]
    assert np.isnan(alone.p)
    assert alone.status == "supported"


@pytest.mark.slow
def test_a_seed_fixes_the_verdicts_and_another_changes_no_status(layer):
    one, same, other = (judge_evidence(layer, HYPOTHESIS, seed=seed) for seed in (0, 0, 1))
    assert [v.record() for v in one] == [v.record() for v in same]
    assert [v.status for v in one] == [v.status for v in other]


def test_a_record_is_json(layer):
    for verdict in judge_evidence(layer, HYPOTHESIS)[:4]:
        again = json.loads(json.dumps(verdict.record(), allow_nan=False))
        assert [entry["status"] for entry in again["predictions"]] == [
            outcome.status for outcome in verdict.outcomes
        ]


def test_reasons_state_effect_and_bound_of_what_fails_the_worst_first(layer):
    supported, double, *_ = judge_evidence(layer, HYPOTHESIS)
    assert supported.reasons == ()
    assert [reason.split(":")[0] for reason in double.reasons] == ["no echo", "one peak"]
    assert double.reasons[0] == "no echo: 1, not ≤ 0.1"
    assert "; no echo: 1, not ≤ 0.1; and 1 more)" in repr(double)
    assert double.row()["why"] == "; ".join(double.reasons)


def test_a_unit_that_nothing_activates_has_that_for_a_reason(layer):
    assert judge_evidence(layer, HYPOTHESIS)[3].reasons == ("no stimulus activates it",)


def test_the_reason_names_the_control_that_activates_the_unit_most():
    evidence = Evidence(
        ("a:0",),
        tuned(45)[None, None],
        {"orientation": ANGLES},
        {name: np.array([value]) for name, value in (("dots", 0.4), ("noise", 0.9), ("edges", 2))},
    )
    bounds = {"most": 0.5, "options": {"names": ("dots", "noise")}}
    claims = (Prediction("no texture", "controls", **bounds), Prediction("no echo", "echo", most=1))
    sets = {name: named(name) for name in evidence.controls}
    (verdict,) = judge_evidence(evidence, Hypothesis("any", named("edges"), claims, controls=sets))
    assert verdict.reasons == ("no texture: 0.9 by noise, not ≤ 0.5",)
    assert [verdict.control(outcome) for outcome in verdict.outcomes] == ["noise", ""]


def test_a_unit_that_only_p_refutes_has_the_correction_for_a_reason(layer):
    alike = np.ones((40, 1, 24)) + np.eye(24)[np.arange(40) % 24][:, None]
    evidence = Evidence(tuple(map(str, range(40))), alike, {"orientation": ANGLES}, {})
    peaks = Hypothesis("any", named("edges"), (Prediction("drives it", peak_of, least=1.0),))
    verdict = judge_evidence(evidence, peaks)[0]
    assert verdict.status == "refuted"
    assert verdict.missed == ()
    assert verdict.reasons == (
        "every prediction holds, but p = 1, corrected for 40 units, is above 0.05",
    )
    assert verdict._repr_png_().startswith(b"\x89PNG")


def peak_of(evidence: Evidence) -> np.ndarray:
    return evidence.peak


def test_p_rank_and_interval_are_counted_one_by_one(layer):
    """By the sentences in `verdicts`, with loops over units, shuffles and samples."""
    claims = (
        Prediction("no echo", effects.echo, most=0.1),
        Prediction("alike", effects.invariance, least=0.8),
    )
    evidence = Evidence(layer.units[:6], layer.values[:6, :3], layer.axes, {})
    variants = ({}, {"x": 1.0}, {"y": 1.0})
    tested = Hypothesis("any", named("edges"), claims, variants)
    rng = np.random.default_rng(5)

    def worst(measured):
        return np.min([claim.margin(claim.measure(measured)) for claim in claims], 0)

    own = worst(evidence)
    chance = np.array([worst(evidence.shuffled(rng)) for _ in range(SHUFFLES)])
    samples = [evidence.resampled(rng.integers(3, size=3)) for _ in range(RESAMPLES)]
    for unit, verdict in enumerate(judge_evidence(evidence, tested, seed=5)):
        alone = judge_evidence(evidence, tested, units=[unit], seed=5)[0]
        others = [i for i in range(6) if i != unit and evidence.peak[i] > 0]
        assert alone.p == (1 + (chance[:, others] >= own[unit]).sum()) / (
            1 + SHUFFLES * len(others)
        )
        for claim, outcome in zip(claims, verdict.outcomes, strict=True):
            margins = claim.margin(claim.measure(evidence))
            assert outcome.rank == np.mean(margins[others] >= margins[unit])
            again = np.array([claim.measure(sample)[unit] for sample in samples])
            if np.isnan(again).all():
                assert np.isnan(outcome.interval).all()
                continue
            again = again[~np.isnan(again)]
            expected = np.quantile(again, [0.025, 0.975], method="inverted_cdf")
            np.testing.assert_allclose(outcome.interval, expected, rtol=1e-9)
