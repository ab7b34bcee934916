"""Sums of two handwritten curve detectors come apart into the two; single ones stay whole."""

import numpy as np
import pytest
import torch
from torch import nn

from visioncircuits import handwritten
from visioncircuits.datasets import photographs
from visioncircuits.dictionaries import drivers
from visioncircuits.dictionaries.splitting import parted
from visioncircuits.networks import Network, wrap
from visioncircuits.stimuli import curve

CURVES, DRAWS, SIZE = 24, 50, 80


def tuned(orientation: float) -> torch.Tensor:
    """Weights on the curve detectors of an orientation and of its neighbors."""
    away = (torch.arange(CURVES) * 15 - orientation + 180) % 360 - 180
    return torch.exp(-(away**2) / 2 / 12**2)


def above(weights: torch.Tensor) -> Network:
    """Units over the handwritten curve detectors, with these weights."""
    base = handwritten.curves()
    sums = nn.Conv2d(36, len(weights), 1)
    with torch.no_grad():
        sums.weight.copy_(weights[..., None, None])
        sums.bias.zero_()
    module = nn.Sequential()
    module.add_module("hand", base.module)
    module.add_module("sums", sums)
    module.add_module("relu", nn.ReLU())
    return wrap(module, base.preprocessing, name="sums of curves", size=SIZE)


def pictures(count: int, seed: int) -> torch.Tensor:
    """Curves of all orientations, radii, places and contrasts, with noise."""
    draw = np.random.default_rng(seed)
    drawn = [
        curve(
            orientation=float(draw.uniform(0, 360)),
            radius=float(draw.uniform(40, 90)),
            width=float(draw.uniform(1.5, 4)),
            size=SIZE,
        ).picture[0]
        for _ in range(count)
    ]
    noise = torch.from_numpy(draw.normal(0, 0.06, (count, 3, SIZE, SIZE))).float()
    contrast = torch.from_numpy(draw.uniform(0.3, 1, (count, 1, 1, 1))).float()
    return (0.5 + (torch.stack(drawn) - 0.5) * contrast + noise).clamp(0, 1)


def planted(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return weights of sums and of single curves, with small weights on all else."""
    draw = torch.Generator().manual_seed(seed)
    first = torch.randint(CURVES, (DRAWS,), generator=draw) * 15.0
    noise = 0.03 * torch.rand(2 * DRAWS, 36, generator=draw)
    weights = noise.clone()
    for place, orientation in enumerate(first.tolist()):
        weights[place, :CURVES] += tuned(orientation) + tuned((orientation + 90) % 360)
        weights[DRAWS + place, :CURVES] += tuned(orientation)
    return weights, first


@pytest.fixture(scope="module")
def found():
    weights, first = planted(0)
    network, given = above(weights), photographs(pictures(300, 0))
    return first, [
        parted(network, each, given, draws=39) for each in drivers(network, "relu", given)
    ]


@pytest.mark.slow
def test_sums_of_two_curves_come_apart_into_the_two(found) -> None:
    first, splits = found
    right = 0
    for orientation, each in zip(first.tolist(), splits[:DRAWS], strict=True):
        truth = torch.stack([tuned(orientation), tuned((orientation + 90) % 360)])
        parents = torch.tensor([parent.weights for parent in each.parents])[:, :CURVES]
        alike = torch.cosine_similarity(parents[:, None], truth, dim=2)
        right += len(each) == 2 and bool((alike.amax(1) > 0.9).all()) and alike[:, 0].std() > 0.4
    assert right >= 45


@pytest.mark.slow
def test_single_curves_stay_whole(found) -> None:
    assert sum(len(each) == 1 for each in found[1][DRAWS:]) >= 45


@pytest.mark.slow
def test_each_part_of_a_sum_is_one_of_the_two_everywhere(found) -> None:
    first, splits = found
    each = next(each for each in splits[:DRAWS] if len(each) == 2)
    given = pictures(6, 1)
    curves = each.network.activations(given, ["hand"])["hand"][:, :CURVES]
    orientation = first[each.unit.index].item()
    parts = each.values(given).clamp_min(0)
    sums = torch.stack([
        torch.einsum("u,buyx->byx", tuned(turn), curves)
        for turn in (orientation, (orientation + 90) % 360)
    ], 1)  # fmt: skip
    one = torch.corrcoef(torch.cat([parts, sums], 1).transpose(0, 1).flatten(1))[:2, 2:]
    assert max(one[0, 0] * one[1, 1], one[0, 1] * one[1, 0]) > 0.9**2
