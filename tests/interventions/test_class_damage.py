from contextlib import nullcontext
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr
from scipy import stats
from torch import nn

from visioncircuits.datasets import photographs
from visioncircuits.errors import InputError
from visioncircuits.interventions import (
    ClassDamage,
    Scores,
    ablate,
    class_panel,
    damage_by_class,
    edited,
    path_patched,
    reweighted,
    scale,
    score,
    unit_ablations,
    with_controls,
    zero,
)
from visioncircuits.interventions.intervals import shrunk
from visioncircuits.networks import Direction, Network, Preprocessing, wrap

CLASSES = tuple(f"class {letter}" for letter in "abcdefgh")


@pytest.fixture(scope="module")
def network() -> Network:
    """Eight classes; unit 2 is evidence for class d and against class f, and others are weak."""
    generator = torch.Generator().manual_seed(0)
    layers = nn.Sequential(
        nn.Conv2d(3, 12, 5), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(12, 8)
    )
    for parameter in layers.parameters():
        parameter.data = 0.1 * torch.randn(parameter.shape, generator=generator)
    layers[0].bias.data += 0.5
    layers[4].weight.data[:, 2] = torch.tensor([0, 0, 0, 5.0, 0, -5.0, 0, 0])
    return wrap(layers, Preprocessing(), size=24, classes=CLASSES)


@pytest.fixture(scope="module")
def pictures() -> torch.Tensor:
    return torch.rand(16, 3, 28, 28, generator=torch.Generator().manual_seed(1))


def simulated(effects: np.ndarray, *, draws: int = 3, count: int = 40, seed: int = 0) -> xr.Dataset:
    """Logits that fall by known effects, whose sets of units differ as much as controls do."""
    generator = np.random.default_rng(seed)
    classes = len(effects)
    spread = np.sqrt(1 / generator.gamma(4, 1 / 4, classes))  # some classes vary more
    sets = generator.normal(0, spread, (1 + draws, 1, classes))
    sets[0] += effects
    losses = sets + generator.normal(0, 0.5, (1 + draws, count, classes))
    original = generator.normal(0, 3, (1, count, classes))
    logits = np.concatenate([original, original - losses])
    return scores_of(logits, ["original", "changed", *(f"control {n + 1}" for n in range(draws))])


def scores_of(logits: np.ndarray, conditions: list[str]) -> xr.Dataset:
    labels = np.array([f"c{n}" for n in range(logits.shape[2])])
    own = labels[np.arange(logits.shape[1]) % len(labels)]
    return xr.Dataset(
        {"logit": (("condition", "photograph", "label"), logits)},
        coords={"condition": conditions, "label": labels, "class": ("photograph", own)},
    )


@pytest.mark.parametrize("draws", [2, 3, 8])
def test_intervals_hold_the_true_effect_of_95_classes_in_100(draws: int) -> None:
    effects = np.random.default_rng(9).normal(0, 2, 1000)
    effects -= effects.mean()  # what a softmax ignores
    inside = []
    for seed in range(4):
        found = damage_by_class(simulated(effects, draws=draws, seed=seed))
        inside.append((found["low"] <= effects) & (effects <= found["high"]))
    assert 0.93 < np.mean(inside) < 0.97


def test_a_control_in_place_of_the_intervention_differs_at_few_classes() -> None:
    discoveries = [
        int((damage_by_class(simulated(np.zeros(1000), seed=seed))["q"] < 0.05).sum())
        for seed in range(12)
    ]
    assert np.mean(np.array(discoveries) > 0) <= 0.25
    assert max(discoveries) <= 5


def test_large_effects_are_found_among_many_classes_and_with_their_sign() -> None:
    effects = np.zeros(1000)
    effects[:10], effects[10:20] = 12, -12
    found = damage_by_class(simulated(effects))
    clear = found["q"].values < 0.05
    assert clear[:20].all()
    assert clear[20:].sum() <= 3
    assert (found["low"].values[:10] > 0).all()
    assert (found["high"].values[10:20] < 0).all()


def test_without_controls_it_is_the_t_test_of_paired_differences() -> None:
    scores = simulated(np.linspace(-1, 1, 30))
    found = damage_by_class(scores, "changed", controls=[])
    logit = scores["logit"] - scores["logit"].mean("label")
    tested = stats.ttest_1samp(logit[0].values - logit[1].values, 0)
    interval = tested.confidence_interval()
    np.testing.assert_allclose(found["p"], tested.pvalue)
    np.testing.assert_allclose(found["low"], interval.low)
    np.testing.assert_allclose(found["high"], interval.high)
    np.testing.assert_allclose(found["q"], stats.false_discovery_control(tested.pvalue))


def test_variances_are_shrunk_by_the_prior_that_they_were_drawn_from() -> None:
    generator = np.random.default_rng(3)
    variances = 2.0 * 6 / generator.chisquare(6, 20_000)
    found, freedom = shrunk(variances * generator.chisquare(2, 20_000) / 2, 2)
    assert freedom - 2 == pytest.approx(6, rel=0.1)
    # The shrunk estimate is the posterior's: regressing the true precision on it has slope 1.
    assert np.mean(found / variances) == pytest.approx(1, rel=0.03)


def test_an_intervention_that_changes_nothing_has_no_interval_and_no_discovery(
    network: Network, pictures: torch.Tensor
) -> None:
    shown = photographs(pictures, labels=list(range(8)) * 2)
    found = damage_by_class(score(network, {"nothing": nullcontext}, shown))
    assert (found["effect"] == 0).all()
    assert found["low"].isnull().all()
    assert (found["q"] == 1).all()
    assert "differ" in class_panel(found).axes[0].get_title(loc="left")


def test_the_class_whose_evidence_is_removed_suffers_most(
    network: Network, pictures: torch.Tensor
) -> None:
    shown = photographs(pictures, labels=list(range(8)) * 2)
    found = damage_by_class(ablate(network, "1:2", shown, controls=6))
    assert isinstance(found, ClassDamage)
    table = found.summary()
    assert table.index[0] == "class d"
    assert table.index[-1] == "class f"
    assert table["low"].iloc[0] > 0 > table["high"].iloc[-1]
    assert found["photographs"].values.tolist() == [16] * 8
    assert found.attrs["measure"] == "logit"
    assert found.record["controls"] == [f"control {n}" for n in range(1, 7)]


def test_many_photographs_of_each_class_measure_what_it_loses_on_its_own(
    network: Network,
) -> None:
    pictures = torch.rand(24, 3, 24, 24, generator=torch.Generator().manual_seed(2))
    shown = photographs(pictures, labels=[3] * 12 + [5] * 12)
    scores = ablate(network, "1:2", shown)
    found = damage_by_class(scores)
    assert found.attrs["measure"] == "cross_entropy"
    assert found["label"].values.tolist() == ["class d", "class f"]
    assert found["photographs"].values.tolist() == [12, 12]
    rise = scores["cross_entropy"] - scores["cross_entropy"].sel(condition="original")
    means = rise.groupby("class").mean()
    expected = means.sel(condition="ablated") - means[2:].mean("condition")
    np.testing.assert_allclose(
        found["effect"], expected.sel({"class": ["class d", "class f"]}), rtol=1e-6
    )
    assert found["effect"].sel(label="class d") > 0 > found["effect"].sel(label="class f")


def test_scores_of_ablations_as_interventions_are_those_of_ablate(
    network: Network, pictures: torch.Tensor
) -> None:
    shown = photographs(pictures, labels=list(range(8)) * 2)
    for mode in ("zero", "mean", "resample"):
        ablations = unit_ablations(network, ["1:2", "1:5"], mode=mode, photographs=shown)
        ours = score(network, ablations, shown, batch=5)
        xr.testing.assert_allclose(ours, ablate(network, ["1:2", "1:5"], shown, mode=mode, batch=5))


def test_every_kind_of_intervention_is_scored_as_the_network_within_it(
    network: Network, pictures: torch.Tensor
) -> None:
    direction = Direction("1", (1.0, 1.0, *(0.0,) * 10))
    interventions = {
        "direction": partial(edited, network, direction, scale(0.5)),
        "path": partial(path_patched, network, "1:2", "4:3", zero()),
        "weight": partial(reweighted, network, "4.weight", (3, 2), zero()),
    }
    shown = photographs(pictures, labels=list(range(8)) * 2)
    scores = score(network, interventions, shown, batch=3)
    cut = shown.pictures(24)
    for name, entered in interventions.items():
        with entered(), torch.no_grad():
            logits = network(cut)
        ours = scores.sel(condition=name)
        np.testing.assert_allclose(ours["logit"], logits, atol=1e-5)
        entropy = nn.functional.cross_entropy(logits, torch.tensor(shown.labels), reduction="none")
        np.testing.assert_allclose(ours["cross_entropy"], entropy, atol=1e-5)
    path, weight = (scores["logit"].sel(condition=name) for name in ("path", "weight"))
    np.testing.assert_allclose(path, weight, atol=1e-5)
    lost = (scores["logit"].sel(condition="original") - path) != 0
    assert lost.any("photograph").values.tolist() == [label == "class d" for label in CLASSES]


def test_a_path_patch_is_compared_with_that_of_other_units(
    network: Network, pictures: torch.Tensor
) -> None:
    patched = with_controls(
        network, "1:2", lambda units: path_patched(network, units, "4:3", zero()), controls=4
    )
    scores = score(network, patched, photographs(pictures, labels=[0, 1] * 8))
    found = damage_by_class(scores)
    assert found["draws"].sizes == {"label": 8, "draw": 4}
    assert found.summary().index[0] == "class d"


def test_one_intervention_needs_no_name(network: Network, pictures: torch.Tensor) -> None:
    shown = photographs(pictures, labels=[0, 1] * 8)
    scores = score(network, partial(edited, network, "1:2", zero()), shown)
    assert scores["condition"].values.tolist() == ["original", "changed"]


def test_labels_are_names_of_classes_or_their_numbers(
    network: Network, pictures: torch.Tensor, tmp_path: Path
) -> None:
    shown = photographs(pictures, labels=list(range(8)) * 2)
    scores = ablate(network, "1:2", shown, controls=2)
    assert scores["logit"].sel(label="class d").sizes == {"condition": 4, "photograph": 16}
    assert scores["class"].values.tolist() == [*CLASSES, *CLASSES]
    assert Scores.load(scores.save(tmp_path / "scores.nc")).identical(scores)
    nameless = wrap(network.module, Preprocessing(), size=24)
    numbers = ablate(nameless, "1:2", shown, controls=2)
    assert numbers["label"].values.tolist() == list(range(8))
    found = damage_by_class(numbers)
    assert found.summary().index[0] == 3
    assert ClassDamage.load(found.save(tmp_path / "damage.nc")).identical(found)


def test_it_shows_the_classes_at_both_ends(tmp_path: Path) -> None:
    found = damage_by_class(simulated(np.arange(-10.0, 11)))
    axes = class_panel(found, most=2).axes[0]
    ends = found.summary().index
    assert [label.get_text() for label in axes.get_yticklabels()] == [*ends[:2], *ends[-2:]]
    assert "… 17 others" in [text.get_text() for text in axes.texts]
    assert class_panel(found).save(tmp_path / "classes.svg").stat().st_size
    assert "<img" in found._repr_html_()
    for part in (
        found.sel(label="c3"),
        found[["effect"]],
        found.isel(draw=0),
        found.isel(label=[]),
    ):
        assert "<" in part._repr_html_()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"condition": "ablatd"}, "unknown condition 'ablatd'; the nearest are 'ablated'"),
        ({"condition": "original"}, "cannot be compared with itself"),
        ({"condition": "control 1"}, "cannot be compared with itself"),
        ({"controls": ["control 1"], "condition": "ablated"}, "one control draw does not show"),
        ({"controls": []}, "there are 3 interventions"),
        ({"measure": "top1"}, "unknown measure 'top1'"),
        ({"measure": "cross_entropy"}, "'class h' has one photograph"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    network: Network, pictures: torch.Tensor, options: dict[str, object], message: str
) -> None:
    shown = photographs(pictures[:15], labels=(list(range(8)) * 2)[:15])
    scores = ablate(network, "1:2", shown, controls=2)
    with pytest.raises(InputError, match=message):
        damage_by_class(scores, **options)


@pytest.mark.parametrize(
    ("interventions", "message"),
    [
        ({}, "no intervention is given"),
        ({"original": nullcontext}, "choose another name"),
        ({"entered": nullcontext()}, "'entered' must be entered once a batch"),
        ({"none": None}, "'none' must be entered once a batch"),
    ],
)
def test_what_is_no_intervention_is_refused(
    network: Network, pictures: torch.Tensor, interventions: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        score(network, interventions, pictures)
