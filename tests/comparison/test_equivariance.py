from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr
from torch import Tensor, nn

from visioncircuits import handwritten
from visioncircuits.comparison import (
    Partners,
    Transformation,
    hue_rotation,
    orbits,
    partners,
    reflection,
    rotation,
    scaling,
)
from visioncircuits.comparison.equivariance import correlated
from visioncircuits.errors import InputError
from visioncircuits.networks import Network, Preprocessing, wrap
from visioncircuits.stimuli import StimulusSet, curve


@pytest.fixture(scope="module")
def arcs() -> Tensor:
    axes = {"orientation": range(0, 360, 10), "radius": (16, 40)}
    return StimulusSet(curve, axes, {"size": 75}).draw().picture


@pytest.fixture(scope="module")
def curves(arcs: Tensor) -> xr.Dataset:
    turns = [rotation(90), rotation(45)]
    return partners(handwritten.load("curves"), "mixed3a", "mixed3b", arcs, turns, shuffles=3)


def test_handwritten_curves_are_each_other_a_quarter_turn_on(curves: xr.Dataset) -> None:
    quarter = curves.sel(transformation="rotation 90")
    np.testing.assert_array_equal(quarter["partner"][:24], (np.arange(24) + 6) % 24)
    assert (quarter["weights"] > 0.999).all()
    assert (quarter["tuning"][:24] > 0.99).all()
    assert quarter["mutual"][:24].all()


def test_chance_is_far_below_what_partners_come_to(curves: xr.Dataset) -> None:
    assert (curves["chance"] < 0.6).all()
    poorer = np.minimum(curves["tuning"], curves["weights"])[:, :24]
    assert (poorer.quantile(0.1, "unit") > curves["chance"]).all()


def test_a_family_of_the_handwritten_network_has_the_rotation_of_each(
    curves: xr.Dataset,
) -> None:
    found = orbits(curves.sel(unit=[f"mixed3b:{unit}" for unit in range(24)]))
    for _, family in found.groupby("family"):
        first = int(family["family"].iloc[0].split(":")[1])
        for member, name in zip(family["unit"], family["transformation"], strict=True):
            degrees = 0 if name == "identity" else int(name.split()[1])
            off = (int(member.split(":")[1]) - first) * 15 - degrees
            assert abs((off + 180) % 360 - 180) <= 15
    assert found["unit"].is_unique


def symmetric(change: Transformation, order: int, *, seed: int = 0) -> tuple[Network, np.ndarray]:
    """A random network of two layers whose units are one another, transformed, in a random order.

    Gives for each unit of the second layer the one that it is transformed.
    """
    generator = torch.Generator().manual_seed(seed)
    groups = 4
    filters = [torch.randn(groups, 3, 7, 7, generator=generator)]
    for _ in range(order - 1):
        filters.append(change.kernel(filters[-1]))
    # the second layer: a kernel from every (turn, group), turned as its sources are
    kernel = torch.randn(groups, order, groups, 5, 5, generator=generator)
    copies = [kernel]
    for _ in range(order - 1):
        before = copies[-1]
        moved = change.kernel(before.reshape(groups, order * groups, 5, 5))
        copies.append(moved.reshape(before.shape).roll(1, 1))
    first, second = (torch.randperm(order * groups, generator=generator) for _ in range(2))
    early = nn.Conv2d(3, order * groups, 7, bias=False)
    late = nn.Conv2d(order * groups, order * groups, 5, bias=False)
    early.weight.data = torch.cat(filters)[first]
    late.weight.data = torch.cat(copies).flatten(1, 2)[second][:, first]
    network = wrap(nn.Sequential(early, nn.ReLU(), late, nn.ReLU()), Preprocessing(), size=15)
    place = {int(unit): number for number, unit in enumerate(second)}
    return network, np.array([place[(int(u) + groups) % (order * groups)] for u in second])


@pytest.mark.parametrize(("change", "order"), [(rotation(90), 4), (reflection(), 2)])
def test_units_made_as_one_another_are_found_in_whatever_order(
    change: Transformation, order: int
) -> None:
    network, truth = symmetric(change, order)
    pictures = torch.rand(60, 3, 11, 11, generator=torch.Generator().manual_seed(1))
    found = partners(network, "0", "2", pictures, [change], shuffles=5)
    np.testing.assert_array_equal(found["partner"].values[0], truth)
    assert (found["tuning"] > 0.98).all()
    assert (found["weights"] > 0.98).all()
    assert found["mutual"].all()
    assert sorted(orbits(found)["unit"].value_counts()) == [1] * len(truth)


def test_units_of_a_random_network_are_no_family() -> None:
    torch.manual_seed(3)
    layers = nn.Sequential(nn.Conv2d(3, 16, 7), nn.ReLU(), nn.Conv2d(16, 16, 5), nn.ReLU())
    network = wrap(layers, Preprocessing(), size=15)
    found = partners(network, "0", "2", torch.rand(60, 3, 11, 11), [rotation(90), reflection()])
    assert len(orbits(found)) == 0


def test_only_the_wrong_transformation_is_not_found() -> None:
    network, _ = symmetric(rotation(90), 4)
    pictures = torch.rand(60, 3, 11, 11, generator=torch.Generator().manual_seed(1))
    found = partners(network, "0", "2", pictures, [reflection()], shuffles=5)
    assert np.minimum(found["tuning"], found["weights"]).max() < 0.6


def test_quarter_turns_are_exact_clockwise_and_four_of_them_nothing() -> None:
    maps = torch.rand(2, 3, 6, 6, dtype=torch.float64)
    for act in (rotation(90).picture, rotation(90).kernel):
        torch.testing.assert_close(act(maps), maps.rot90(-1, (2, 3)))
        torch.testing.assert_close(act(act(act(act(maps)))), maps)
    wide = torch.rand(1, 1, 3, 7, dtype=torch.float64)
    torch.testing.assert_close(rotation(180).kernel(wide), wide.flip(2, 3))


def test_mirroring_enlarging_and_recoloring_do_what_they_are_named_for() -> None:
    maps = torch.rand(2, 3, 5, 7)
    torch.testing.assert_close(reflection().picture(maps), maps.flip(3))
    dot = torch.zeros(1, 1, 9, 9)
    dot[..., 4, 6] = 1.0
    assert scaling(2.0).kernel(dot)[0, 0, 4].argmax() == 8
    recolored = hue_rotation(120).picture(maps[:, [0, 0, 0]] * 0.5)
    torch.testing.assert_close(recolored, maps[:, [0, 0, 0]] * 0.5)
    assert hue_rotation(77).kernel(maps) is maps
    with pytest.raises(InputError, match="factor must be a finite number above 0"):
        scaling(0.0)


def test_correlations_of_all_pairs_are_numpys() -> None:
    one, other = np.random.default_rng(0).random((2, 5, 30))
    np.testing.assert_allclose(correlated(one, other), np.corrcoef(one, other)[:5, 5:])


def test_too_few_pictures_are_refused() -> None:
    network, _ = symmetric(reflection(), 2)
    with pytest.raises(InputError, match="eight pictures"):
        partners(network, "0", "2", torch.rand(3, 3, 11, 11), [reflection()])


def test_partners_show_their_families_and_are_read_back(tmp_path: Path) -> None:
    layers = nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3)
    network = wrap(nn.Sequential(*layers), Preprocessing(), size=24)
    found = partners(network, "0", "2", torch.rand(8, 3, 5, 5), [reflection()], shuffles=1)
    assert found.record["target"] == "2"
    assert Partners.load(found.save(tmp_path / "found.nc")).identical(found)
    assert "<th>family</th>" in found._repr_html_()
    for part in (found.isel(unit=0), found[["tuning"]], found.isel(transformation=0)):
        assert "<th>family</th>" not in part._repr_html_()
