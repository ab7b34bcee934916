"""Verdicts on networks, trained, untrained and with shuffled weights."""

import numpy as np
import pytest

from visioncircuits.errors import InputError
from visioncircuits.hypotheses import (
    PREDEFINED,
    Hypothesis,
    Prediction,
    effects,
    find,
    judge,
    judge_all,
    judging,
    measure_responses,
    verdict_table,
)
from visioncircuits.networks import Direction, load, untrained
from visioncircuits.stimuli import named


@pytest.fixture(scope="module")
def bvlc(checkpoints):
    return load("bvlc_googlenet", checkpoint=checkpoints / "bvlc_googlenet.safetensors")


LAYERS = {"curve": "mixed3b"}


@pytest.fixture(scope="module")
def verdicts_by_name(bvlc, once):
    def made(name):
        return once(f"survey-{name}", lambda: judge_all(bvlc, LAYERS.get(name, "mixed3a"), name))

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
    again = find(bvlc, "mixed3a", "high-low", seed=7)
    assert set(again["unit"]) == supported(verdicts_by_name["high-low"])


@pytest.mark.slow
def test_an_orientation_other_than_the_units_is_refuted(bvlc, verdicts_by_name):
    unit = next(v for v in verdicts_by_name["high-low"] if v.status == "supported")
    own = unit.row()["orientation"]
    verdicts = [
        judge(bvlc, unit.unit, PREDEFINED["high-low"](59.0, orientation=angle % 360))
        for angle in (own, own + 90)
    ]
    assert [verdict.status for verdict in verdicts] == ["supported", "refuted"]


@pytest.mark.slow
def test_a_direction_is_tested_as_a_unit_is(bvlc, verdicts_by_name):
    unit = next(v for v in verdicts_by_name["high-low"] if v.status == "supported")
    index = int(unit.unit.split(":")[1])
    direction = Direction("mixed3a", tuple(np.eye(256)[index].tolist()), name="probe")
    verdict = judge(bvlc, direction, "high-low")
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
    verdicts = judge_all(network, "mixed3a", name)
    assert len(supported(verdicts)) <= len(verdicts) / 100


@pytest.mark.slow
@pytest.mark.parametrize("name", ["curve", "high-low"])
def test_in_three_random_networks_at_most_one_unit_in_a_hundred_is_found(name):
    found = tried = 0
    for seed in range(3):
        verdicts = judge_all(untrained("bvlc_googlenet", seed=seed), "mixed3a", name)
        found += len(supported(verdicts))
        tried += len(verdicts)
    assert found <= tried / 100


@pytest.mark.slow
def test_squeezenet_has_curve_detectors(checkpoints):
    network = load(
        "torchvision:squeezenet1_1", checkpoint=checkpoints / "squeezenet1_1.safetensors"
    )
    family = find(network, "features.7", "curves")
    assert len(family) >= 5
    assert family["echo"].max() <= 0.1


STRONG = Hypothesis(
    "strong", named("edges"), (Prediction("strong", effects.strength, least=2.0),), variants=({},)
)


def test_a_directions_strength_is_relative_to_its_own_deviation():
    network = untrained("bvlc_googlenet")
    direction = Direction("conv2d0", tuple(np.eye(64)[5].tolist()), name="probe")
    spread = np.linspace(0.1, 0.2, 64)
    unit = judge(network, "conv2d0:5", STRONG, deviations=spread)
    probe = judge(network, direction, STRONG, deviations=np.append(spread, spread[5]))
    double = judge(network, direction, STRONG, deviations=np.append(spread, 2 * spread[5]))
    assert probe.outcomes[0].effect == pytest.approx(unit.outcomes[0].effect, rel=1e-5)
    assert double.outcomes[0].effect == pytest.approx(unit.outcomes[0].effect / 2, rel=1e-5)


@pytest.mark.parametrize("count", [63, 64])
def test_a_direction_without_its_own_deviation_is_rejected(count):
    direction = Direction("conv2d0", (1.0,) * 64, name="probe")
    with pytest.raises(InputError, match=r"64 units of conv2d0 and conv2d0:probe; measure them"):
        judge(untrained("bvlc_googlenet"), direction, STRONG, deviations=np.ones(count))


def test_deviations_of_other_units_are_rejected():
    with pytest.raises(InputError, match="65 standard deviations for the 64 units of conv2d0"):
        judge(untrained("bvlc_googlenet"), "conv2d0:1", STRONG, deviations=np.ones(65))


def test_an_empty_table_has_columns_and_no_rows():
    empty = verdict_table([])
    assert len(empty) == 0
    assert {"unit", "orientation", "echo", "verdict"} <= set(empty.columns)


def test_features_are_judged_together_as_alone_in_the_order_given():
    network = untrained("bvlc_googlenet")
    direction = Direction("conv2d0", tuple(np.eye(64)[5].tolist()), name="probe")
    edges = Hypothesis("edge", named("edges"), (Prediction("one way", effects.echo, most=0.5),))
    verdicts = judge_all(network, ["conv2d0:7", direction, "conv2d0:5"], edges)
    assert [verdict.unit for verdict in verdicts] == ["conv2d0:7", "conv2d0:probe", "conv2d0:5"]
    assert [verdict.tried for verdict in verdicts] == [3, 3, 3]
    alone = judge(network, "conv2d0:5", edges).outcomes[0]
    for verdict in verdicts[1:]:
        assert verdict.outcomes[0].effect == pytest.approx(alone.effect, rel=1e-5)
    whole = judge_all(network, "conv2d0", edges)
    assert len(whole) == 64
    assert whole[5].outcomes[0] == alone


def test_features_of_two_layers_are_rejected():
    with pytest.raises(InputError, match="features of one layer are needed"):
        judge_all(untrained("bvlc_googlenet"), ["conv2d0:5", "conv2d1:5"], STRONG)


def test_responses_that_were_measured_before_give_the_same_verdicts(monkeypatch):
    network, claim = untrained("bvlc_googlenet"), Prediction("one way", effects.echo, most=0.1)
    edges = Hypothesis("edge", named("edges"), (claim,))
    some = ["conv2d0:5", Direction("conv2d0", np.linspace(-1, 1, 64))]
    expected = judge_all(network, some, edges)
    responses = measure_responses(network, "conv2d0", edges.stimuli, variants=edges.variants)
    monkeypatch.setattr(judging, "measure_responses", None)  # nothing is measured again
    found = judge_all(network, some, edges, responses=responses)
    assert [repr(verdict) for verdict in found] == [repr(verdict) for verdict in expected]
