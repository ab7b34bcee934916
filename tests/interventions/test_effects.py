import numpy as np
import pytest
import xarray as xr

from visioncircuits.errors import InputError
from visioncircuits.interventions import advantage, damage, repair, strictest


@pytest.fixture
def scores() -> xr.Dataset:
    """A removal that costs about 1 nat, and a donor that brings back about three quarters."""
    generator = np.random.default_rng(0)
    original = generator.gamma(2.0, size=400)
    lost = generator.normal(1.0, 0.5, 400)
    entropy = np.stack([original, original + lost, original + 0.25 * lost, original + 1.5 * lost])
    conditions = ["original", "zero", "donor", "worse"]
    top = (entropy < 1.5).astype(float)
    return xr.Dataset(
        {
            "cross_entropy": (("condition", "photograph"), entropy),
            "divergence": (("condition", "photograph"), entropy - original),
            "top1": (("condition", "photograph"), top),
            "top5": (("condition", "photograph"), np.ones_like(top)),
        },
        coords={"condition": conditions},
    )


def test_damage_is_the_mean_rise_with_the_interval_of_a_paired_difference(
    scores: xr.Dataset,
) -> None:
    found = damage(scores)["cross_entropy"].sel(condition="zero")
    rise = (scores["cross_entropy"][1] - scores["cross_entropy"][0]).values
    mean, low, high = found.values
    assert mean == pytest.approx(rise.mean())
    error = rise.std(ddof=1) / np.sqrt(len(rise))  # what theory says of paired differences
    assert low == pytest.approx(mean - 1.96 * error, abs=0.2 * error)
    assert high == pytest.approx(mean + 1.96 * error, abs=0.2 * error)


def test_damage_to_accuracy_is_what_is_lost(scores: xr.Dataset) -> None:
    lost = damage(scores)["top1"].sel(bound="mean")
    accuracy = scores["top1"].mean("photograph")
    assert float(lost.sel(condition="zero")) == pytest.approx(float(accuracy[0] - accuracy[1]))
    assert not damage(scores)["top5"].values.any()


def test_repair_is_one_of_the_original_and_zero_of_the_removed(scores: xr.Dataset) -> None:
    found = repair(scores)["cross_entropy"]
    assert found.sel(condition="original").values.tolist() == [1, 1, 1]
    assert found.sel(condition="zero").values.tolist() == [0, 0, 0]
    # Each photograph's damage is repaired by the same share: that is certain, whichever are drawn.
    np.testing.assert_allclose(found.sel(condition="donor"), 0.75, atol=1e-12)
    np.testing.assert_allclose(found.sel(condition="worse"), -0.5, atol=1e-12)


def test_advantage_is_over_each_other_condition(scores: xr.Dataset) -> None:
    found = advantage(scores, "donor")["divergence"]
    assert float(found.sel(condition="zero", bound="low")) > 0.5
    assert float(found.sel(condition="original", bound="high")) < 0
    assert found.sel(condition="donor").values.tolist() == [0, 0, 0]


def test_a_seed_fixes_the_intervals(scores: xr.Dataset) -> None:
    assert damage(scores, seed=3).identical(damage(scores, seed=3))
    assert not damage(scores, seed=3).identical(damage(scores, seed=4))


def test_repair_is_over_the_baseline_that_costs_least_unless_another_is_named(
    scores: xr.Dataset,
) -> None:
    half = scores.sel(condition="zero") * 0.5 + scores.sel(condition="original") * 0.5
    both = xr.concat([scores, half.assign_coords(condition="resample")], "condition")
    assert strictest(scores) == "zero"
    assert strictest(both) == "resample"
    for over, share in ((None, 0.5), ("zero", 0.75)):
        found = repair(both, over=over)["divergence"].sel(condition="donor")
        np.testing.assert_allclose(found, share, atol=1e-12)
    with pytest.raises(InputError, match="none of the baselines zero, mean, resample"):
        strictest(scores.sel(condition=["original", "donor"]))
