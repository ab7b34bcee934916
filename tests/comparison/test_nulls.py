"""What a correlation is worth beyond networks that learned nothing."""

import numpy as np
import pytest
import torch
from torch import nn

from visioncircuits.comparison import (
    Matches,
    beyond_nulls,
    match,
    match_nulls,
    matches_panel,
    pairs,
)
from visioncircuits.handwritten import gabors
from visioncircuits.networks import Network, Preprocessing, shuffled, wrap
from visioncircuits.stimuli import StimulusSet, edge

EDGES = [StimulusSet(edge, {"orientation": range(0, 360, 30)})]


def network(seed: int) -> Network:
    torch.manual_seed(seed)
    layers = nn.Conv2d(3, 6, 7, stride=4, padding=3), nn.ReLU()
    return wrap(nn.Sequential(*layers), Preprocessing(), name=f"random {seed}", size=64)


@pytest.fixture(scope="module")
def pictures() -> torch.Tensor:
    coarse = torch.rand(5, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    return nn.functional.interpolate(coarse, size=64, mode="bilinear")


@pytest.fixture(scope="module")
def found(pictures: torch.Tensor) -> Matches:
    return match_nulls(network(0), "1", network(0), "1", pictures, stimuli=EDGES)


@pytest.mark.slow
def test_nulls_are_matches_with_networks_that_learned_nothing(
    found: Matches, pictures: torch.Tensor
) -> None:
    one, energies = network(0), gabors()
    plain = match(one, "1", one, "1", pictures, stimuli=EDGES)
    for name, values in plain.data_vars.items():
        np.testing.assert_array_equal(found[name], values)
    for name, other, layer in (
        ("shuffled weights", shuffled(one), "1"),
        ("Gabor energies", energies, energies.output),
    ):
        expected = match(one, "1", other, layer, pictures, stimuli=EDGES)["photographs"]
        np.testing.assert_allclose(
            found["highest"].sel(null=name), expected.max("other"), atol=1e-9, err_msg=name
        )


def test_a_network_matches_itself_beyond_every_null(found: Matches) -> None:
    table = beyond_nulls(found)
    assert {*table.index} == {"mismatched photographs", "shuffled weights", "Gabor energies"}
    assert (table["low"] > 0).all()
    assert (table["low"] <= table["beyond"]).all()
    assert (table["beyond"] <= table["high"]).all()
    assert table["beyond"].is_monotonic_decreasing


def test_unrelated_networks_are_not_beyond_shuffled_weights(pictures: torch.Tensor) -> None:
    one = network(0)
    control = match_nulls(one, "1", shuffled(one, seed=1), "1", pictures, stimuli=EDGES)
    row = beyond_nulls(control).loc["shuffled weights"]
    assert row["low"] < 0 < row["high"]


def test_differences_are_paired_and_medians_are_over_units(found: Matches) -> None:
    best = found["photographs"].max("other").values
    null = found["highest"].sel(null="Gabor energies").values
    row = beyond_nulls(found).loc["Gabor energies"]
    assert row["null"] == pytest.approx(np.median(null))
    assert row["beyond"] == pytest.approx(np.median(best - null))
    one = beyond_nulls(found.sel(unit=["1:2"])).loc["Gabor energies"]
    assert one["low"] == one["high"] == pytest.approx(best[2] - null[2])


def test_pairs_and_panels_show_the_nulls(found: Matches) -> None:
    table = pairs(found).set_index("unit")
    for name in ("shuffled weights", "Gabor energies"):
        expected = found["highest"].sel(null=name, unit=table.index.values)
        np.testing.assert_array_equal(table[name], expected)
    labels = [each.get_text() for each in matches_panel(found).axes[0].get_legend().get_texts()]
    assert {*labels} == {"matched", "mismatched", "shuffled weights", "Gabor energies"}
    assert "Gabor energies" in found._repr_html_()


def test_without_nulls_mismatched_photographs_are_the_only_one(pictures: torch.Tensor) -> None:
    plain = match(network(0), "1", network(1), "1", pictures, stimuli=EDGES)
    assert beyond_nulls(plain).index.tolist() == ["mismatched photographs"]
    assert "Gabor energies" not in pairs(plain)
