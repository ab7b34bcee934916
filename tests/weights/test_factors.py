"""Factorizations of weights with known factors."""

import numpy as np
import pytest
import torch

from visioncircuits.errors import InputError
from visioncircuits.networks import Unit
from visioncircuits.weights import ExpandedWeights, Factors, one_sided_nmf


def of(kernels: torch.Tensor) -> ExpandedWeights:
    inputs = tuple(Unit("a", index) for index in range(kernels.shape[1]))
    outputs = tuple(Unit("b", index) for index in range(len(kernels)))
    return ExpandedWeights(kernels, inputs, outputs, (1, 1), (-2, -2), {"network": "none"})


@pytest.fixture
def planted() -> tuple[torch.Tensor, torch.Tensor, ExpandedWeights]:
    """Two groups of units with opposite maps, as in high-low frequency detectors."""
    generator = torch.Generator().manual_seed(0)
    groups = torch.zeros(2, 20)
    groups[0, :8] = torch.rand(8, generator=generator) + 0.5
    groups[1, 8:15] = torch.rand(7, generator=generator) + 0.2
    groups /= groups.norm(dim=1, keepdim=True)
    maps = torch.randn(4, 1, 5, 5, generator=generator)
    maps = torch.cat([2 * maps, -maps], dim=1)
    return groups, maps, of(torch.einsum("okyx,ki->oiyx", maps, groups))


def test_planted_factors_are_found(planted) -> None:
    groups, maps, weights = planted
    factors = one_sided_nmf(weights, 2)
    assert factors.explained > 0.9999
    assert repr(factors).startswith("Factors(a → b: 7+1+5, 9+8+11; ")
    assert repr(factors).endswith("explained, converged)")
    assert len(repr(factors)) < 200
    found = torch.tensor([direction.weights for direction in factors.directions])
    assert torch.allclose(found, groups, atol=2e-3)
    assert torch.allclose(factors.spatial.weight, maps, atol=2e-2)


def test_opposition_of_negated_maps_is_minus_one(planted) -> None:
    groups, maps, weights = planted
    assert one_sided_nmf(weights, 2).opposition() == pytest.approx(-1.0, abs=1e-3)
    other = torch.stack([maps[:, 0], maps[:, 0].flip(2)], 1)
    expected = [np.corrcoef(pair.flatten(1))[0, 1] for pair in other]
    found = one_sided_nmf(of(torch.einsum("okyx,ki->oiyx", other, groups)), 2)
    assert found.opposition() == pytest.approx(expected, abs=0.02)
    with pytest.raises(InputError, match="between two factors"):
        one_sided_nmf(weights, 1).opposition()


def test_factors_are_named_by_their_strongest_units(planted) -> None:
    groups, _, weights = planted
    factors = one_sided_nmf(weights, 2)
    strongest = groups[1].argsort(descending=True)[:3].tolist()
    assert str(factors.directions[1]) == "a:" + "+".join(map(str, strongest))
    units = factors.units(1, top=2)
    assert [unit for unit, _ in units] == [Unit("a", strongest[0]), Unit("a", strongest[1])]
    assert units[0][1] == pytest.approx(float(groups[1].max()), abs=2e-3)


def test_channels_are_not_negative_and_of_length_one(planted) -> None:
    noisy = planted[2].weight + 0.1 * torch.randn(4, 20, 5, 5)
    for direction in one_sided_nmf(of(noisy), 3).directions:
        assert min(direction.weights) >= 0
        assert np.linalg.norm(direction.weights) == pytest.approx(1)


def test_as_good_as_a_plain_loop_of_multiplicative_updates(planted) -> None:
    """The slow reference: many of Lee and Seung's updates from several starts."""
    weights = of(planted[2].weight + 0.1 * torch.randn(4, 20, 5, 5))
    parts = weights.weight.numpy().transpose(1, 0, 2, 3).reshape(20, -1).astype(float)
    target = np.hstack([parts.clip(min=0), (-parts).clip(min=0)])
    generator = np.random.default_rng(0)
    least, explained = np.inf, 0.0
    for _ in range(4):
        channels, maps = generator.random((20, 2)), generator.random((2, target.shape[1]))
        for _ in range(800):
            maps *= channels.T @ target / (channels.T @ channels @ maps + 1e-12)
            channels *= target @ maps.T / (channels @ maps @ maps.T + 1e-12)
        error = np.square(target - channels @ maps).sum()
        if error < least:
            least = error
            rest = parts - channels @ (maps[:, :100] - maps[:, 100:])
            explained = 1 - np.square(rest).sum() / np.square(parts).sum()
    assert 0.5 < explained < 0.99
    assert one_sided_nmf(weights, 2).explained == pytest.approx(explained, abs=1e-3)


def test_explained_share_is_that_of_the_sum_of_factors(planted) -> None:
    weights = of(planted[2].weight + 0.1 * torch.randn(4, 20, 5, 5))
    factors = one_sided_nmf(weights, 3)
    channels = torch.tensor([direction.weights for direction in factors.directions])
    rest = weights.weight - torch.einsum("okyx,ki->oiyx", factors.spatial.weight, channels)
    share = 1 - rest.square().sum() / weights.weight.square().sum()
    assert factors.explained == pytest.approx(float(share), abs=1e-5)


def test_a_fit_that_ends_too_early_is_not_converged(planted, tmp_path) -> None:
    noisy = of(planted[2].weight + 0.5 * torch.randn(4, 20, 5, 5))
    short, whole = one_sided_nmf(noisy, 2, iterations=2), one_sided_nmf(noisy, 2)
    assert (short.converged, whole.converged) == (False, True)
    assert repr(short).endswith("explained, not converged)")
    assert not Factors.load(short.save(tmp_path / "short.npz")).converged
    longer = one_sided_nmf(noisy, 2, tolerance=1e-9)
    assert longer.explained == pytest.approx(whole.explained, abs=1e-4)
    assert longer.opposition() == pytest.approx(whole.opposition(), abs=1e-3)
    for invalid in ({"tolerance": 0.0}, {"iterations": 0}):
        with pytest.raises(InputError, match="a tolerance above 0 and one iteration"):
            one_sided_nmf(noisy, 2, **invalid)


def test_do_not_depend_on_earlier_random_draws(planted) -> None:
    weights = of(planted[2].weight + 0.1 * torch.randn(4, 20, 5, 5))
    first = one_sided_nmf(weights, 3, seed=4)
    np.random.default_rng().random(5)
    again = one_sided_nmf(weights, 3, seed=4)
    assert first.directions == again.directions
    assert torch.equal(first.spatial.weight, again.spatial.weight)


@pytest.mark.parametrize("suffix", ["npz", "nc"])
def test_are_the_same_after_saving_and_loading(planted, tmp_path, suffix: str) -> None:
    factors = one_sided_nmf(planted[2], 2)
    back = Factors.load(factors.save(tmp_path / f"factors.{suffix}"))
    assert back.directions == factors.directions
    assert torch.equal(back.spatial.weight, factors.spatial.weight)
    assert (back.explained, back.converged) == (factors.explained, factors.converged)
    with pytest.raises(InputError, match="not factors"):
        Factors.load(planted[2].save(tmp_path / f"weights.{suffix}"))


def test_invalid_weights_and_counts_raise(planted) -> None:
    weights = planted[2]
    for count in (0, 21):
        with pytest.raises(InputError, match=f"1 to 20 factors, not {count}"):
            one_sided_nmf(weights, count)
    part = ExpandedWeights(
        weights.weight[:, 1:3], weights.inputs[1:3], weights.outputs, (1, 1), (0, 0), {}
    )
    with pytest.raises(InputError, match="from all units of a, in order"):
        one_sided_nmf(part, 1)
    with pytest.raises(InputError, match="all zero"):
        one_sided_nmf(of(torch.zeros(1, 4, 3, 3)), 1)
