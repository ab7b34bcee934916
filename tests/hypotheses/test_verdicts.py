import json

import numpy as np
import pytest

from visioncircuits.errors import InputError
from visioncircuits.hypotheses import (
    PREDEFINED,
    Evidence,
    Hypothesis,
    Prediction,
    effects,
    find,
    judge,
    judge_evidence,
    judge_layer,
    verdict_table,
)
from visioncircuits.networks import Direction, load, untrained
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
        responses=responses,
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


def test_a_seed_fixes_the_verdicts_and_another_changes_no_status(layer):
    one, same, other = (judge_evidence(layer, HYPOTHESIS, seed=seed) for seed in (0, 0, 1))
    assert [v.record() for v in one] == [v.record() for v in same]
    assert [v.status for v in one] == [v.status for v in other]


def test_an_empty_table_has_columns_and_no_rows():
    empty = verdict_table([])
    assert len(empty) == 0
    assert {"unit", "orientation", "echo", "verdict"} <= set(empty.columns)


def test_a_record_is_json(layer):
    for verdict in judge_evidence(layer, HYPOTHESIS)[:4]:
        again = json.loads(json.dumps(verdict.record(), allow_nan=False))
        assert [entry["status"] for entry in again["predictions"]] == [
            outcome.status for outcome in verdict.outcomes
        ]


@pytest.fixture(scope="module")
def bvlc(checkpoints):
    return load("bvlc_googlenet", checkpoint=checkpoints / "bvlc_googlenet.safetensors")


LAYERS = {"curve": "mixed3b"}


@pytest.fixture(scope="module")
def verdicts_by_name(bvlc, once):
    def made(name):
        return once(f"survey-{name}", lambda: judge_layer(bvlc, name, LAYERS.get(name, "mixed3a")))

    return {name: made(name) for name in PREDEFINED}


def supported(verdicts) -> set[str]:
    return {verdict.unit for verdict in verdicts if verdict.status == "supported"}


@pytest.mark.slow
def test_a_trained_network_has_a_family_of_curve_detectors_all_around(verdicts_by_name):
    family = verdict_table([v for v in verdicts_by_name["curve"] if v.status == "supported"])
    assert len(family) >= 10
    angles = family["orientation"].to_numpy()
    gaps = np.diff(np.append(angles, angles[0] + 360))
    assert gaps.max() <= 60
    assert family["echo"].max() <= 0.05
    # By eye, from their feature visualizations.
    assert {"mixed3b:413", "mixed3b:408", "mixed3b:321", "mixed3b:326"} <= set(family["unit"])


@pytest.mark.slow
def test_a_trained_network_has_high_low_frequency_detectors(verdicts_by_name):
    assert len(supported(verdicts_by_name["high-low"])) >= 8


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(PREDEFINED) - {"curve"}))
def test_every_predefined_hypothesis_is_supported_for_some_units_and_refuted_for_most(
    verdicts_by_name, name
):
    statuses = [verdict.status for verdict in verdicts_by_name[name]]
    assert 0 < statuses.count("supported") < len(statuses) / 8
    assert statuses.count("refuted") > len(statuses) / 2


@pytest.mark.slow
def test_detectors_of_one_family_are_not_detectors_of_another(verdicts_by_name):
    families = {name: supported(verdicts_by_name[name]) for name in ("line", "high-low")}
    spots = supported(verdicts_by_name["color-center-surround"])
    assert not families["line"] & families["high-low"]
    assert not spots & families["line"]


@pytest.mark.slow
def test_another_seed_finds_the_same_units(bvlc, verdicts_by_name):
    again = find(bvlc, "high-low", "mixed3a", seed=7)
    assert set(again["unit"]) == supported(verdicts_by_name["high-low"])


@pytest.mark.slow
def test_an_orientation_other_than_the_units_is_refuted(bvlc, verdicts_by_name):
    unit = next(v for v in verdicts_by_name["high-low"] if v.status == "supported")
    own = unit.row()["orientation"]
    verdicts = [
        judge(bvlc, PREDEFINED["high-low"](59.0, orientation=angle % 360), unit.unit)
        for angle in (own, own + 90)
    ]
    assert [verdict.status for verdict in verdicts] == ["supported", "refuted"]


@pytest.mark.slow
def test_a_direction_is_tested_as_a_unit_is(bvlc, verdicts_by_name):
    unit = next(v for v in verdicts_by_name["high-low"] if v.status == "supported")
    index = int(unit.unit.split(":")[1])
    direction = Direction("mixed3a", tuple(np.eye(256)[index].tolist()), name="probe")
    verdict = judge(bvlc, "high-low", direction)
    assert verdict.unit == "mixed3a:probe"
    assert verdict.status == "supported"
    for outcome, same in zip(verdict.outcomes, unit.outcomes, strict=True):
        assert outcome.effect == pytest.approx(same.effect, rel=1e-3, abs=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(PREDEFINED))
def test_nothing_is_found_with_shuffled_weights(checkpoints, name):
    network = load("bvlc_googlenet", checkpoint=checkpoints / "bvlc_googlenet.safetensors")
    generator = np.random.default_rng(0)
    for parameter in network.module.parameters():
        if parameter.ndim == 4:
            flat = parameter.data.reshape(-1)
            order = generator.permutation(len(flat))
            parameter.data = flat[order].reshape(parameter.shape)
    verdicts = judge_layer(network, name, "mixed3a")
    assert len(supported(verdicts)) <= len(verdicts) / 100


@pytest.mark.slow
@pytest.mark.parametrize("name", ["curve", "high-low"])
def test_in_three_random_networks_at_most_one_unit_in_a_hundred_is_found(name):
    found = tried = 0
    for seed in range(3):
        verdicts = judge_layer(untrained("bvlc_googlenet", seed=seed), name, "mixed3a")
        found += len(supported(verdicts))
        tried += len(verdicts)
    assert found <= tried / 100


@pytest.mark.slow
def test_squeezenet_has_curve_detectors(checkpoints):
    network = load(
        "torchvision:squeezenet1_1", checkpoint=checkpoints / "squeezenet1_1.safetensors"
    )
    family = find(network, "curves", "features.7")
    assert len(family) >= 5
    assert family["echo"].max() <= 0.1


STRONG = Hypothesis(
    "strong", named("edges"), (Prediction("strong", effects.strength, least=2.0),), variants=({},)
)


def test_a_directions_strength_is_relative_to_its_own_deviation():
    network = untrained("bvlc_googlenet")
    direction = Direction("conv2d0", tuple(np.eye(64)[5].tolist()), name="probe")
    spread = np.linspace(0.1, 0.2, 64)
    unit = judge(network, STRONG, "conv2d0:5", deviations=spread)
    probe = judge(network, STRONG, direction, deviations=np.append(spread, spread[5]))
    double = judge(network, STRONG, direction, deviations=np.append(spread, 2 * spread[5]))
    assert probe.outcomes[0].effect == pytest.approx(unit.outcomes[0].effect, rel=1e-5)
    assert double.outcomes[0].effect == pytest.approx(unit.outcomes[0].effect / 2, rel=1e-5)


@pytest.mark.parametrize("count", [63, 64])
def test_a_direction_without_its_own_deviation_is_rejected(count):
    direction = Direction("conv2d0", (1.0,) * 64, name="probe")
    with pytest.raises(InputError, match=r"64 units of conv2d0 and conv2d0:probe; measure them"):
        judge(untrained("bvlc_googlenet"), STRONG, direction, deviations=np.ones(count))


def test_deviations_of_other_units_are_rejected():
    with pytest.raises(InputError, match="65 standard deviations for the 64 units of conv2d0"):
        judge(untrained("bvlc_googlenet"), STRONG, "conv2d0:1", deviations=np.ones(65))
