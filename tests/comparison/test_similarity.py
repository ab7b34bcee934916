from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr

from visioncircuits import comparison, datasets, handwritten, load
from visioncircuits.comparison import (
    Compared,
    Family,
    compare_kernels,
    compare_tuning,
    counterparts,
    sign_table,
)
from visioncircuits.comparison.similarity import shown
from visioncircuits.handwritten import curves
from visioncircuits.hypotheses import predefined
from visioncircuits.networks import Network
from visioncircuits.stimuli import named

FEW = [f"mixed3b:{unit}" for unit in (1, 5, 14)]


@pytest.fixture(scope="module")
def network() -> Network:
    return handwritten.load("curves")


@pytest.fixture(scope="module")
def family(network: Network) -> Family:
    return comparison.family(network, FEW, "curve")


def test_a_family_is_tuned_as_itself(family: Family) -> None:
    compared = compare_tuning(family, family, named("curves").isel(radius=[1, 2]))
    found, theirs, ours = compared.numbers, compared.trained, compared.handwritten
    np.testing.assert_allclose(found["surface"], 1, atol=1e-5)
    np.testing.assert_allclose(found["orientation"], 1, atol=1e-5)
    assert theirs.equals(ours)
    assert (found["width"].sel(which="trained") == found["width"].sel(which="handwritten")).all()


@pytest.mark.slow
def test_a_counterpart_that_is_off_is_turned_before_it_is_correlated(
    network: Network, family: Family
) -> None:
    beside = comparison.family(network, [f"mixed3b:{unit}" for unit in (2, 6, 15)], "curve")
    stimuli = named("curves").isel(radius=[1, 2])
    found = compare_tuning(family, beside, stimuli).numbers
    assert float(found["orientation"].min()) > 0.97
    asked = replace(beside, orientations=family.orientations)  # as if they were not off
    unturned = compare_tuning(family, asked, stimuli).numbers
    assert (unturned["orientation"] < found["orientation"]).all()


@pytest.mark.slow
def test_kernels_are_those_of_the_counterparts(network: Network, family: Family) -> None:
    whole = comparison.family(network, [f"mixed3b:{unit}" for unit in range(24)], "curve")
    early = comparison.family(network, [f"mixed3a:{unit}" for unit in range(24)], "curve")
    other = comparison.family(curves(early_inhibition=0.7), FEW, "curve")
    few = comparison.family(other.network, ["mixed3a:1", "mixed3a:12"], "curve")
    compared = compare_kernels(other, few, whole, early)
    found, theirs, ours = compared.numbers, compared.trained, compared.handwritten
    weight = network.module.operation("mixed3b_pre_relu").weight
    np.testing.assert_allclose(ours.values, weight[[1, 5, 14]][:, [1, 12]], atol=1e-6)
    np.testing.assert_allclose(theirs.values, ours.values, atol=1e-6)  # of one rule
    np.testing.assert_allclose(found["correlation"], 1, atol=1e-5)


def test_the_sign_rule_is_a_table() -> None:
    sums = xr.Dataset(
        {
            "handwritten": (("target", "source"), np.array([[1.0, -1.0], [0.0, 0.5]])),
            "trained": (("target", "source"), np.array([[0.9, -0.5], [0.1, -0.3]])),
        }
    )
    table = sign_table(sums)
    assert table.sel(handwritten="excites", trained="excites") == 1
    assert table.sel(handwritten="inhibits", trained="inhibits") == 1
    assert table.sel(handwritten="neither", trained="neither") == 1
    assert table.sel(handwritten="excites", trained="inhibits") == 1
    assert table.sum() == 4


@pytest.mark.weights
@pytest.mark.slow
def test_handwritten_curves_are_tuned_as_trained_ones(network: Network, checkpoints: Path) -> None:
    trained = load("bvlc_googlenet", checkpoint=checkpoints / "bvlc_googlenet.safetensors")
    units = (358, 336, 368, 394, 386, 413, 408, 398, 321, 326, 335)
    family = comparison.family(trained, [f"mixed3b:{unit}" for unit in units], "curve")
    mine = counterparts(
        family, comparison.family(network, [f"mixed3b:{u}" for u in range(24)], "curve")
    )
    found = compare_tuning(family, mine, named("curves")).numbers
    assert float(found["surface"].median()) > 0.85
    assert float(found["orientation"].median()) > 0.9


@pytest.mark.images
def test_maps_of_a_family_agree_with_themselves(family: Family, photographs: Path) -> None:
    found = datasets.photographs(photographs).part([0, 500])
    ranks = comparison.compare_maps(family, family, found)
    np.testing.assert_allclose(ranks, 1)
    upside_down = replace(family, units=family.units[::-1])
    assert (comparison.compare_maps(family, upside_down, found)[[0, 2]] < 0.5).all()
    assert torch.tensor(ranks.values).isfinite().all()


def test_a_family_is_compared_on_ready_sets_with_all_axes_of_its_hypothesis(
    family: Family,
) -> None:
    found = [each.name for each in shown(family, family)]
    assert found == ["curve", "curves", "filled-curves", "colored-curves", "angles"]
    lines = replace(family, hypothesis=predefined(family.network, "mixed3b", "line"))
    names = {each.name for each in shown(lines, lines)}
    assert "lines" in names
    assert not {"line-ends", "curves"} & names


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".npz", ".nc"])
def test_what_was_compared_shows_itself_and_is_read_back(
    network: Network, family: Family, tmp_path: Path, suffix: str
) -> None:
    whole = comparison.family(network, [f"mixed3b:{unit}" for unit in (2, 6, 15)], "curve")
    early = comparison.family(network, ["mixed3a:1", "mixed3a:12"], "curve")
    tuned = compare_tuning(family, whole, named("curves").isel(radius=[1, 2]))
    for place, compared in enumerate((tuned, compare_kernels(family, early, family, early))):
        again = Compared.load(compared.save(tmp_path / f"{place}{suffix}"))
        xr.testing.assert_equal(again.numbers, compared.numbers)
        for side in ("trained", "handwritten"):
            ours, theirs = getattr(again, side), getattr(compared, side)
            assert ours.dims == theirs.dims
            np.testing.assert_array_equal(ours.values, theirs.values)
            for dim in theirs.coords:
                np.testing.assert_array_equal(ours[dim].values, theirs[dim].values)
            assert ours.attrs == theirs.attrs
        assert again._repr_png_() == compared._repr_png_()


def test_silent_families_show_themselves(family: Family) -> None:
    tuned = compare_tuning(family, family, named("curves").isel(radius=[1]))
    for value in (0.0, float("nan")):
        silent = Compared(tuned.numbers, tuned.trained * 0 + value, tuned.handwritten * 0 + value)
        assert silent._repr_png_()
