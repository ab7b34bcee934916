from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment
from sklearn.decomposition import NMF

from visioncircuits.attribution import NeuronGroups, activation_groups, neuron_groups
from visioncircuits.errors import InputError
from visioncircuits.networks import Unit, untrained


def random(units: int = 12, side: int = 7, seed: int = 0) -> torch.Tensor:
    return torch.rand(units, side, side, generator=torch.Generator().manual_seed(seed))


def test_planted_groups_come_back():
    maps = torch.zeros(2, 6, 8)
    maps[0, :3], maps[1, 2:, 5:] = 2, 1
    directions = torch.tensor([[0.6, 0.8, 0, 0, 0], [0, 0, 0, 0.8, 0.6]])
    found = activation_groups(torch.einsum("ghw,gu->uhw", maps, directions), "a", groups=2)
    assert torch.allclose(found.maps, maps, atol=1e-3)
    assert torch.allclose(found.vectors(), directions, atol=1e-3)
    assert found.explained == pytest.approx(1, abs=1e-5)
    assert found.converged
    assert [unit for unit, _ in found.units(0, 2)] == [Unit("a", 1), Unit("a", 0)]


def test_they_are_those_of_scikit_learn_with_directions_of_length_1():
    values = random()
    found = activation_groups(values, "a", groups=3)
    rows = values.flatten(1).T.double().numpy()
    fit = NMF(3, init="nndsvd", max_iter=500, random_state=0)
    product = fit.fit_transform(rows) @ fit.components_
    assert np.allclose(found.total().flatten(1).T, product, atol=1e-5)
    assert torch.allclose(found.vectors().norm(dim=1), torch.ones(3))
    strengths = found.maps.flatten(1).norm(dim=1)
    assert (strengths.diff() <= 0).all()
    residual = np.square(rows - product).sum() / np.square(rows).sum()
    assert found.explained == pytest.approx(1 - residual, abs=1e-6)


@pytest.mark.published
@pytest.mark.parametrize(("name", "groups"), [("beer", 6), ("chain", 3), ("pig", 7)])
def test_published_groups_come_back(published: Path, name: str, groups: int):
    values = np.load(published / f"golden_activations/{name}_mixed4d_activations.npy")[0]
    with np.load(published / "neuron_groups_mixed4d.npz") as arrays:
        wanted = arrays[f"{name}_{groups}"].reshape(-1, groups)
    found = activation_groups(torch.tensor(values).permute(2, 0, 1), "mixed4d", groups=groups)
    own = found.maps.flatten(1).numpy()
    together = np.corrcoef(wanted.T, own)[:groups, groups:]
    assert together[linear_sum_assignment(-together)].mean() > 0.9995


def test_excitation_and_inhibition_share_the_maps():
    maps = torch.zeros(2, 5, 5)
    maps[0, 0], maps[1, 3:] = 3, 1
    directions = torch.tensor([[0.8, -0.6, 0], [0, 0.6, -0.8]])
    found = activation_groups(torch.einsum("ghw,gu->uhw", maps, directions), "a", groups=2)
    assert found.record["method"] == "one-sided NMF"
    assert (found.maps >= 0).all()
    assert torch.allclose(found.maps, maps, atol=1e-3)
    assert torch.allclose(found.vectors(), directions, atol=1e-3)
    assert [direction.name for direction in found.directions] == ["0-1+2", "-2+1+0"]


def test_groups_with_the_same_strongest_units_have_different_names():
    first, second = torch.zeros(2, 6, 6)
    first[:3], second[3:] = 1, 1
    profile = torch.tensor([4.0, 3, 2, 1, 0]), torch.tensor([4.0, 3, 2, 0, 1])
    values = sum(p[:, None, None] * m for p, m in zip(profile, (first, second), strict=True))
    names = {direction.name for direction in activation_groups(values, "a", groups=2).directions}
    assert names == {"0+1+2+3", "0+1+2+4"}


def test_a_group_without_activation_is_left_out():
    values = torch.zeros(4, 5, 5)
    values[1, 2:, 2:] = 1  # of rank 1
    found = activation_groups(values, "a", groups=3)
    assert len(found) < 3
    assert all(any(direction.weights) for direction in found.directions)
    assert found.explained == pytest.approx(1, abs=1e-6)


def test_those_of_a_network_are_of_its_activations():
    network, photograph = untrained("bvlc_googlenet", seed=1), torch.rand(1, 3, 64, 64)
    found = neuron_groups(network, photograph, "mixed3a", groups=3)
    values = network.activations(photograph, ["mixed3a"])["mixed3a"][0].detach()
    assert torch.equal(found.maps, activation_groups(values, "mixed3a", groups=3).maps)
    assert found.record["network"] == network.record()


@pytest.mark.parametrize("suffix", [".npz", ".nc"])
def test_they_are_read_back_and_shown(tmp_path: Path, suffix: str):
    found = activation_groups(random() - 0.4, "a", groups=3)
    again = NeuronGroups.load(found.save(tmp_path / f"groups{suffix}"))
    assert torch.equal(again.maps, found.maps)
    assert again.directions == found.directions
    assert (again.explained, again.converged) == (found.explained, found.converged)
    assert (again.record, repr(again)) == (found.record, repr(found))
    assert again._repr_png_() == found._repr_png_()
    assert found.overlay(torch.rand(1, 3, 32, 32), 0).size == (68, 32)


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        (random(), {"groups": 0}, "groups must be a whole number from 1 to 12"),
        (random(), {"groups": 13}, "groups must be a whole number from 1 to 12"),
        (random(), {"tolerance": 0}, "tolerance must be"),
        (random(), {"iterations": 0}, "iterations must be"),
        (torch.zeros(3, 4, 4), {"groups": 2}, "nothing to group"),
        (torch.full((3, 4, 4), torch.nan), {"groups": 2}, "nothing to group"),
    ],
)
def test_what_cannot_be_grouped_is_refused(values, options, message):
    with pytest.raises(InputError, match=message):
        activation_groups(values, "a", **options)


@pytest.mark.parametrize(
    ("layer", "pictures", "message"),
    [
        ("logits", torch.rand(1, 3, 224, 224), "logits has no positions"),
        ("mixed3a", torch.rand(2, 3, 64, 64), "of one photograph, not of 2"),
        ("nowhere", torch.rand(1, 3, 64, 64), "unknown layer"),
    ],
)
def test_layers_and_photographs_are_checked(layer, pictures, message):
    with pytest.raises(InputError, match=message):
        neuron_groups(untrained("bvlc_googlenet"), pictures, layer)
