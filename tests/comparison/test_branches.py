from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import hypergeom, mannwhitneyu

from visioncircuits import handwritten
from visioncircuits.comparison.branches import (
    absolute_axes,
    axis_correlations,
    branch_table,
    filter_preferences,
    odds,
)
from visioncircuits.errors import InputError
from visioncircuits.networks import Families, Network, Unit, load, untrained
from visioncircuits.weights import ExpandedWeights, expanded_weights

CURVED = (
    "Curves", "Double Curves", "Curves misc.", "Shallow Curves", "Curve Shapes",
    "Circles / Loops", "Evolute",
)  # fmt: skip


@pytest.fixture(scope="module")
def inceptionv1() -> Network:
    return untrained("inceptionv1")


def test_odds_count_the_ways_of_dealing_units() -> None:
    hands = list(combinations(range(7), 3))
    for inside in range(4):
        as_much = sum(len({0, 1, 2, 3} & set(hand)) >= inside for hand in hands)
        assert odds(inside, 3, 4, 7) == pytest.approx(as_much / len(hands))


def test_odds_are_scipys() -> None:
    assert odds(12, 40, 96, 480) == pytest.approx(hypergeom.sf(11, 480, 40, 96), rel=1e-9)


@pytest.mark.published
def test_both_published_odds_follow_from_the_taxonomy_alone(
    inceptionv1: Network, published: Path
) -> None:
    taxonomy = Families.load(published / "families_early_vision.json").layers
    early = branch_table(inceptionv1, "mixed3a", taxonomy["mixed3a"]).set_index("family")
    colors = early.loc["BW vs Color"]
    assert tuple(colors[["branch", "inside", "of", "width"]]) == ("mixed3a_5x5", 9, 9, 32)
    assert f"{colors['p']:.1e}" == "2.5e-09"
    curved = [unit for family in CURVED for unit in taxonomy["mixed3b"][family]]
    late = branch_table(inceptionv1, "mixed3b", {"curve-related": curved})
    assert late.iloc[0].tolist()[:5] == ["curve-related", "mixed3b_5x5", 30, 30, 96]
    assert f"{late['p'][0]:.1e}" == "1.7e-23"


@pytest.mark.published
def test_every_family_is_counted_whole_and_the_least_likely_come_first(
    inceptionv1: Network, published: Path
) -> None:
    taxonomy = Families.load(published / "families_early_vision.json").layers["mixed3b"]
    table = branch_table(inceptionv1, "mixed3b", taxonomy)
    inside = table.groupby("family")["inside"].sum()
    assert inside.to_dict() == {name: len(units) for name, units in taxonomy.items()}
    assert table["p"].is_monotonic_increasing
    assert (table["q"] >= table["p"]).all()


def test_layers_without_branches_and_units_that_are_not_there_are_refused(
    inceptionv1: Network,
) -> None:
    with pytest.raises(InputError, match="conv2d2 of untrained inceptionv1 has no branches"):
        branch_table(inceptionv1, "conv2d2", {"lines": [0]})
    with pytest.raises(InputError, match="the family lines needs units of mixed3a, 0 to 255"):
        branch_table(inceptionv1, "mixed3a", {"lines": [256]})
    with pytest.raises(InputError, match="the family lines needs units"):
        branch_table(inceptionv1, "mixed3a", {"lines": []})


def weights_of(matrix: np.ndarray) -> ExpandedWeights:
    """Weights whose absolute values over space sum to a matrix; their signs differ."""
    half = torch.tensor(matrix, dtype=torch.float32)[..., None, None] / 2
    out, source = matrix.shape
    return ExpandedWeights(
        torch.cat([half, -half], 3),
        tuple(Unit("a", index) for index in range(source)),
        tuple(Unit("b", index) for index in range(out)),
        (1, 1),
        (0, 0),
        {},
    )


def test_axes_separate_units_that_feed_different_units() -> None:
    generator = np.random.default_rng(0)
    two_groups = np.kron(np.eye(2), np.ones((6, 5))) + 0.1 * generator.random((12, 10))
    axes = absolute_axes(weights_of(two_groups))
    first, second = axes.values
    assert (first > 0).all()
    assert len({*np.sign(second[:5])}) == len({*np.sign(second[5:])}) == 1
    assert np.sign(second[0]) == -np.sign(second[9])
    np.testing.assert_allclose(np.linalg.norm(axes.values, axis=1), 1)


def test_axes_are_eigenvectors_of_what_units_share() -> None:
    matrix = np.random.default_rng(1).random((7, 5))
    axes = absolute_axes(weights_of(matrix), count=5)
    values, vectors = np.linalg.eigh(matrix.T @ matrix)
    np.testing.assert_allclose(np.abs(axes.values), np.abs(vectors.T[::-1]), atol=1e-5)
    np.testing.assert_allclose(axes["share"], values[::-1] / values.sum(), atol=1e-6)
    with pytest.raises(InputError, match="1 to 5 axes, not 6"):
        absolute_axes(weights_of(matrix), count=6)


def test_a_grating_prefers_its_own_frequency_and_a_gray_filter_no_color() -> None:
    x = torch.arange(32.0)
    gratings = torch.stack([torch.cos(2 * torch.pi * f * x).expand(3, 32, 32) for f in (0.1, 0.3)])
    tinted = gratings * torch.tensor([1.0, 0.0, -1.0])[:, None, None]
    found = filter_preferences(torch.cat([gratings, tinted]))
    np.testing.assert_allclose(found["color"], [0, 0, 1, 1], atol=1e-6)
    np.testing.assert_allclose(found["frequency"], [0.1, 0.3, 0.1, 0.3], atol=0.03)
    with pytest.raises(InputError, match="filter 0 is zero everywhere"):
        filter_preferences(torch.zeros(1, 3, 3, 3))


@pytest.mark.published
def test_published_filters_are_as_colored_and_fine_as_their_families(published: Path) -> None:
    stretched = np.load(published / "conv2d0_filters_uint8_64x7x7x3.npy")
    filters = torch.tensor(stretched, dtype=torch.float32).permute(0, 3, 1, 2)
    found = filter_preferences(filters - filters.mean((1, 2, 3), keepdim=True))
    families = Families.load(published / "families_early_vision.json").layers["conv2d0"]
    gabors, colors = (list(families[name]) for name in ("Gabor Filters", "Color Contrast"))
    color, frequency = (found[name].values for name in ("color", "frequency"))
    assert mannwhitneyu(color[colors], color[gabors], alternative="greater").pvalue < 1e-4
    assert mannwhitneyu(frequency[gabors], frequency[colors], alternative="greater").pvalue < 1e-4


@pytest.mark.weights
def test_the_second_axis_of_trained_networks_is_color_and_frequency_beyond_chance(
    checkpoints: Path,
) -> None:
    for name, source, target in (
        ("bvlc_googlenet", "conv2d0", "conv2d1"),
        ("torchvision:squeezenet1_1", "features.1", "features.3.squeeze"),
    ):
        file = checkpoints / f"{name.removeprefix('torchvision:')}.safetensors"
        network = load(name, checkpoint=file)
        axes = absolute_axes(expanded_weights(network, source, target))
        filters = filter_preferences(expanded_weights(network, "input", source).weight)
        table = axis_correlations(axes, filters, shuffles=999).set_index(["axis", "preference"])
        for preference in ("color", "frequency"):
            row = table.loc[(1, preference)]
            assert abs(row["correlation"]) > 2 * row["chance"]
            assert row["p"] == 0.001


def test_the_chance_of_a_correlation_is_that_of_shuffles() -> None:
    network = handwritten.load("curves")
    assert network.branches("mixed3b") == {}
    generator = np.random.default_rng(2)
    axes = absolute_axes(weights_of(generator.random((30, 40))), count=20)
    noise = filter_preferences(torch.tensor(generator.standard_normal((40, 3, 5, 5))))
    table = axis_correlations(axes, noise, shuffles=499)
    assert 0.2 < table["chance"].min() <= table["chance"].max() < 0.4
    assert (table["p"] < 0.1).mean() < 0.25
