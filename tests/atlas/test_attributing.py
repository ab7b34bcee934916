"""What samples led classes to: by one class after another, and all at once."""

import numpy as np
import pytest
import torch

from visioncircuits.atlas import attributed, grids, of_samples, sample
from visioncircuits.atlas.attributing import _drawn
from visioncircuits.attribution import Gradient, IntegratedGradient, RelaxedGradient, Slope
from visioncircuits.datasets import Photographs
from visioncircuits.errors import InputError
from visioncircuits.networks import Network

LAYER = "1"


@pytest.mark.parametrize("slope", [Gradient(), RelaxedGradient(), IntegratedGradient(3)])
def test_all_classes_at_once_are_as_one_after_another(
    network: Network, photographs: Photographs, slope: Slope
) -> None:
    drawn = sample(network, LAYER, photographs, per_photograph=20)
    points = np.random.default_rng(0).random((len(drawn), 2)).astype(np.float32)
    found = grids(points, drawn.values, sides=[2, 4], least=1)
    every, names = attributed(network, drawn, found, photographs, slope=slope, of_each=None)
    some, same = attributed(
        network, drawn, found, photographs, classes=["beer glass", 1, "pug"], slope=slope
    )
    assert names == same == ("beer glass", "tabby", "pug")
    for one, other in zip(every, some, strict=True):
        assert np.allclose(one.attribution, other.attribution, atol=1e-6)
        assert np.abs(one.attribution).max() > 1e-4


def test_all_positions_add_up_to_gradient_times_activation(
    network: Network, photographs: Photographs
) -> None:
    """Of torch's own gradient of each logit, through a module that the toolkit does not know."""
    drawn = sample(network, LAYER, photographs, per_photograph=196, edge=0)
    led = of_samples(network, drawn, photographs, [0, 1, 2], slope=Gradient())
    sums = led.reshape(len(photographs), 196, 3).sum(1)
    module = network.module
    inputs = network.preprocessing(photographs.pictures(network.size))
    values = module[1](module[0](inputs)).detach().requires_grad_()
    logits = values
    for part in list(module)[2:]:
        logits = part(logits)
    for number in range(3):
        (slope,) = torch.autograd.grad(logits[:, number].sum(), values, retain_graph=True)
        total = (slope * values).sum((1, 2, 3)).detach()
        assert np.allclose(sums[:, number], total, atol=1e-5)


def test_a_cells_attribution_is_of_a_few_of_its_samples_at_random(
    network: Network, photographs: Photographs
) -> None:
    drawn = sample(network, LAYER, photographs, per_photograph=50)
    points = np.random.default_rng(0).random((len(drawn), 2)).astype(np.float32)
    (grid,) = grids(points, drawn.values, sides=[3], least=1)
    used = _drawn(grid, 7, 0)
    assert np.bincount(grid.member[used]).tolist() == [7] * 9
    assert not np.array_equal(used, _drawn(grid, 7, 1))
    led = of_samples(network, drawn, photographs, range(3))
    (found,), _ = attributed(network, drawn, [grid], photographs, of_each=7)
    for cell in range(9):
        own = used & (grid.member == cell)
        assert np.allclose(found.attribution[cell], led[own].mean(0), atol=1e-6)


def test_classes_are_all_or_some(network: Network, photographs: Photographs) -> None:
    drawn = sample(network, LAYER, photographs, per_photograph=5)
    found = grids(np.zeros((60, 2), np.float32), drawn.values, sides=[1])
    with pytest.raises(InputError, match="classes are 'all', or a list"):
        attributed(network, drawn, found, photographs, classes="pug")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="unknown class 'dog'"):
        attributed(network, drawn, found, photographs, classes=["dog"])
