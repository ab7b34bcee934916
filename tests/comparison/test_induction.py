"""Induction: rules predict what was set by rules, and nothing of what was not."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_hex

from visioncircuits.comparison import (
    Induction,
    Theory,
    covered_by_induction,
    induct,
    induction_panel,
    theory_by_design,
    theory_by_families,
    theory_by_stimuli,
)
from visioncircuits.comparison.induction_chance import Dealt, Score, other_units, shuffled_labels
from visioncircuits.comparison.induction_panel import _VERDICTS
from visioncircuits.comparison.induction_rules import DERIVATIONS, kernels
from visioncircuits.comparison.induction_setting import Setting
from visioncircuits.comparison.induction_step import judged
from visioncircuits.errors import InputError
from visioncircuits.handwritten import Label, Positions, load
from visioncircuits.networks import Network
from visioncircuits.networks import load as trained
from visioncircuits.weights import expanded_weights


@pytest.fixture(scope="module")
def network() -> Network:
    return load("curves")


@pytest.fixture(scope="module")
def early(network: Network) -> Theory:
    return theory_by_design(network, "mixed3a")


@pytest.fixture(scope="module")
def three() -> Theory:
    """Three of the curves."""
    return Theory("mixed3b", {u: Label("curve", 15.0 * u, radius=60.0) for u in (1, 9, 18)})


@pytest.fixture(scope="module")
def found(network: Network, early: Theory, three: Theory) -> Induction:
    return induct(network, "mixed3b", early, later=three, draws=30)


def test_scores_are_those_of_numpy() -> None:
    rng = np.random.default_rng(0)
    trained, made = rng.normal(size=(7, 3, 2)), rng.normal(size=(4, 3, 2))
    activations, response = rng.normal(size=(9, 7, 3, 2)), rng.normal(size=9)
    dealt = Dealt.of(trained, made, activations, response)
    orders = other_units(7, 4, rng, 5)
    for at, order in enumerate(orders):
        flat = made.ravel(), trained[order].ravel()
        assert dealt.weights(orders)[at] == pytest.approx(np.corrcoef(*flat)[0, 1])
        outputs = np.einsum("syx,nsyx->n", made, activations[:, order])
        assert dealt.tuning(orders)[at] == pytest.approx(np.corrcoef(outputs, response)[0, 1])
        scale = np.linalg.lstsq(flat[0][:, None], flat[1], rcond=None)[0][0]
        kept = np.square(flat[1]).sum() - np.square(flat[1] - max(scale, 0) * flat[0]).sum()
        assert dealt.explained(orders)[at] == pytest.approx(kept)


def test_labels_are_exchanged_within_families_unless_a_family_is_all_alike() -> None:
    rng, kinds = np.random.default_rng(0), ["high", "high", "low", "low"]
    alike = np.array([1.0, 1.0, -1.0, -1.0]).reshape(4, 1, 1)
    across = shuffled_labels([0, 1, 2, 3], kinds, alike, rng, 60)
    assert set(across[:, 0].tolist()) == {0, 1, 2, 3}
    within = shuffled_labels([0, 1, 2, 3], kinds, np.arange(4.0).reshape(4, 1, 1), rng, 60)
    assert set(within[:, 0].tolist()) == {0, 1}
    assert (np.sort(within, 1) == np.arange(4)).all()


def test_handwritten_curves_follow_from_their_design(found: Induction) -> None:
    assert [step.verdict for step in found.steps] == ["follows"] * 3
    for step in found.steps:
        assert step.weights is not None
        assert step.tuning is not None
        assert step.weights.found == pytest.approx(1)
        assert step.tuning.found == pytest.approx(1, abs=1e-3)
        assert step.explained == pytest.approx(1)
        assert step.weights.rival[1] < 0.6
    assert found.explained == pytest.approx(3 / 36)
    assert found.explained_by_chance[1] < 0.02


def test_the_responses_that_kernels_are_run_on_are_what_the_neuron_looks_at(
    network: Network, early: Theory
) -> None:
    """All trained weights, run on them, are the neuron's own response but for its threshold."""
    setting = Setting.of(network, "mixed3b", early, "curve", [4])
    weight = setting.weights.weight[0].numpy()
    summed = np.einsum("iyx,niyx->n", weight, setting.activations)
    assert np.allclose(summed - 0.1, setting.responses[:, 0], atol=1e-5)
    assert np.allclose(setting.positions[0], [-16, -8, 0, 8, 16])


def test_with_orientations_exchanged_nothing_follows(
    network: Network, early: Theory, three: Theory
) -> None:
    rng = np.random.default_rng(1)
    curves = [unit for unit, label in early.labels.items() if label.kind == "early curve"]
    turned = {
        **early.labels,
        **dict(zip(curves, [early.labels[u] for u in rng.permutation(curves)], strict=True)),
    }
    lines = [unit for unit, label in early.labels.items() if label.kind == "line"]
    turned |= dict(zip(lines, [early.labels[u] for u in rng.permutation(lines)], strict=True))
    found = induct(network, "mixed3b", Theory("mixed3a", turned), later=three, draws=30)
    assert not found.following
    correlations = [step.weights.found for step in found.steps if step.weights]
    assert abs(np.mean(correlations)) < 0.2


def test_a_curve_of_the_opposite_orientation_is_predicted_with_the_other_sign(
    network: Network, early: Theory
) -> None:
    label = Label("curve", 15.0 * 9, radius=60.0).rotated(180)
    (step,) = induct(network, "mixed3b", early, later=Theory("mixed3b", {9: label}), draws=10).steps
    assert step.weights is not None
    assert step.weights.found < -0.5
    assert step.verdict == "does not follow"


def test_kernels_of_one_rule_are_those_that_set_the_handwritten_weights(
    network: Network, early: Theory, three: Theory
) -> None:
    weights = expanded_weights(network, "mixed3a", "mixed3b:9").weight[0].numpy()
    made = kernels(
        DERIVATIONS["curve"], list(early.labels.values()), three.labels[9],
        Positions.grid(5, 8.0), stride=8.0,
    )  # fmt: skip
    assert made is not None
    assert np.allclose(made / made.max(), weights / weights.max(), atol=1e-6)


def test_what_cannot_be_tested_is_named(network: Network, early: Theory) -> None:
    few = Theory("mixed3a", {unit: early.labels[unit] for unit in (0, 1)})
    fur = Theory("mixed3b", {0: Label("curve", 0.0, radius=60.0), 3: Label("fur")})
    reasons = [step.why for step in induct(network, "mixed3b", few, later=fur, draws=5).steps]
    assert reasons == ["2 of curve, line in mixed3a; 3 are needed", "no rule is known for fur"]
    with pytest.raises(InputError, match=r"no rule derives .* from those of conv2d0 \(gabor\)"):
        induct(network, "mixed3b", theory_by_design(network, "conv2d0"))
    with pytest.raises(InputError, match=r"labels are of mixed3a, and those of mixed3b are needed"):
        induct(network, "mixed3b", early, later=early)
    with pytest.raises(InputError, match=r"unit 99, and mixed3a of .* has units 0 to 35"):
        induct(network, "mixed3b", Theory("mixed3a", {99: Label("curve", 0.0)}))
    with pytest.raises(InputError, match="draws"):
        induct(network, "mixed3b", early, draws=1)


def test_a_kernel_of_nine_neurons_has_no_room_for_a_large_ring(network: Network) -> None:
    curves = Theory("conv2d1", {u: Label("curve", 30.0 * u, radius=30.0) for u in range(12)})
    circles = Theory("conv2d2", {0: Label("circle", radius=60.0), 1: Label("circle", radius=4.0)})
    large, small = sorted(
        induct(network, "conv2d2", curves, later=circles, draws=5).steps, key=lambda s: s.unit
    )
    assert large.why == "its kernel is too small for what the rule is about"
    assert small.weights is not None


def test_a_unit_follows_above_chance_rules_of_other_families_and_a_bound() -> None:
    weights = Score(0.5, (-0.2, 0.2), (-0.1, 0.4), {"ring": 0.45})
    tuning = replace(weights, found=0.9)
    assert judged(weights, tuning) == ("follows", "")
    for failing, why in (
        (replace(weights, found=0.46, units=(0.0, 0.47)), ".46, not above .47 with other units"),
        (
            replace(weights, rivals={"ring": 0.6}),
            ".50, and .60 by the rule of another family (ring)",
        ),
        (replace(weights, found=0.25, units=(0, 0), rivals={}), ".25, not at least .30"),
    ):
        assert judged(failing, tuning) == ("partly", f"weights {why}")
    nothing = replace(weights, found=0.1)
    assert judged(nothing, nothing)[0] == "does not follow"


def test_units_that_follow_are_explained(found: Induction) -> None:
    covered = covered_by_induction(found)
    assert covered.explanations == ("curve from mixed3a",)
    assert np.flatnonzero(covered.holds[0]).tolist() == [1, 9, 18]
    partly = replace(found, steps=tuple(replace(s, verdict="partly") for s in found.steps))
    assert covered_by_induction(partly).explained == 0


def test_the_record_is_json_and_the_table_has_a_row_a_unit(found: Induction) -> None:
    again = json.loads(json.dumps(found.record(), allow_nan=False))
    assert again["following"] == [step.unit for step in found.following]
    assert again["steps"][0]["label"]["kind"] == "curve"
    assert again["made_by"]["draws"] == 30
    table = found.table()
    assert table["unit"].tolist() == [step.unit for step in found.steps]
    assert (table["weights"] > table["weights, labels exchanged"]).all()


def test_the_panel_shows_the_best_and_the_worst(found: Induction) -> None:
    best, middle, worst = found.steps
    assert best.weights is not None
    steps = best, replace(middle, weights=replace(best.weights, found=0.5)), replace(
        worst, weights=replace(best.weights, found=-0.2), verdict="does not follow"
    )  # fmt: skip
    panel = induction_panel(replace(found, steps=steps), units=2)
    texts = [text.get_text() for text in panel.texts]
    assert best.unit in texts
    assert worst.unit in texts
    assert middle.unit not in texts
    (label,) = [text for text in panel.texts if text.get_text() == worst.unit]
    assert to_hex(label.get_color()) == _VERDICTS["does not follow"]
    with pytest.raises(InputError, match="no unit of mixed3b could be tested"):
        induction_panel(replace(found, steps=()))


def test_a_taxonomy_of_another_network_is_refused(network: Network) -> None:
    with pytest.raises(InputError, match=r"has unit 40, and mixed3b of .* units 0 to 35"):
        theory_by_families(network, "mixed3b", {"Curves": [40]})
    with pytest.raises(InputError, match="no rule knows the families of mixed3b"):
        theory_by_families(network, "mixed3b", {"Fur": [3]})


def test_labels_by_stimuli_are_those_of_the_design() -> None:
    network = load("lines")
    measured = theory_by_families(network, "mixed3a", {"Lines": range(12)}).labels
    designed = theory_by_design(network, "mixed3a").labels
    for unit, label in designed.items():
        apart = (measured[unit].need("orientation") - label.need("orientation")) % 180
        assert min(apart, 180 - apart) < 3


@pytest.mark.slow
def test_handwritten_curves_follow_from_labels_measured_by_stimuli(network: Network) -> None:
    families = {"Curves": range(24), "Lines": range(24, 36)}
    theory = theory_by_families(network, "mixed3a", families)
    later = theory_by_families(network, "mixed3b", {"Curves": range(0, 24, 3)})
    found = induct(network, "mixed3b", theory, later=later, draws=100)
    assert len(found.following) == 8
    assert all(step.weights and step.weights.found > 0.8 for step in found.steps)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "source", "layer"),
    [
        ("circles", "mixed3b", "mixed4a"),
        ("evolutes", "mixed3b", "mixed4a"),
        ("boundaries", "mixed3a", "mixed3b"),
        ("color-contrast", "conv2d2", "mixed3a"),
        ("color-center-surround", "conv2d2", "mixed3a"),
        ("line-divergence", "conv2d2", "mixed3a"),
    ],
)
def test_every_handwritten_family_follows(name: str, source: str, layer: str) -> None:
    network = load(name)
    theory, later = (theory_by_design(network, each) for each in (source, layer))
    assert induct(network, layer, theory, later=later, draws=60).follows == 1


@pytest.mark.slow
@pytest.mark.weights
def test_high_low_detectors_of_a_trained_network_have_the_weights_that_the_rule_predicts(
    checkpoints: Path,
) -> None:
    googlenet = trained("bvlc_googlenet", checkpoint=checkpoints / "bvlc_googlenet.safetensors")
    theory = theory_by_stimuli(googlenet, "maxpool1", ["high frequency", "low frequency"])
    later = theory_by_families(
        googlenet, "mixed3a", {"High-Low Frequency": [97, 99, 106, 117, 121, 123, 126, 148]}
    )
    steps = induct(googlenet, "mixed3a", theory, later=later).steps
    assert sum(step.weights is not None and step.weights.beyond_chance for step in steps) > 4
