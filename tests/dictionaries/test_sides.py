"""Sides of a unit agree where it detects one thing, and less where it is the sum of two."""

import numpy as np
import pytest
import torch
from torch import nn

from visioncircuits import handwritten
from visioncircuits.dictionaries import Sides, sides
from visioncircuits.errors import InputError
from visioncircuits.networks import Network, Unit, untrained, wrap
from visioncircuits.stimuli import curve

SIZE = 80


@pytest.fixture(scope="module")
def sums() -> Network:
    """Units over handwritten curves: 270° and 0°, each alone, and their sum."""
    base = handwritten.curves()
    layer = nn.Conv2d(36, 3, 1, bias=False)
    with torch.no_grad():
        layer.weight.zero_()
        layer.weight[0, 18] = layer.weight[1, 0] = 1.0
        layer.weight[2, [18, 0]] = 1.0
    module = nn.Sequential()
    module.add_module("curves", base.module)
    module.add_module("sums", layer)
    module.add_module("relu", nn.ReLU())
    return wrap(module, base.preprocessing, name="sums", size=SIZE)


def curves(radius: float, *orientations: float) -> torch.Tensor:
    angles = torch.tensor(orientations, dtype=torch.float64)
    return curve(orientation=angles, radius=radius, size=SIZE).picture


def test_agreement_is_the_mean_over_pairs_of_examples_by_a_loop() -> None:
    draw = torch.Generator().manual_seed(0)
    given = {name: torch.randn(count, 7, generator=draw) for name, count in (("a", 4), ("b", 3))}
    found = Sides(Unit("mixed3b", 0), "mixed3a", {**given, "c": torch.ones(1, 7)})
    a, b = (each.numpy() / np.linalg.norm(each, axis=1, keepdims=True) for each in given.values())
    table = found.table()
    assert table.loc["a", "b"] == pytest.approx(np.mean([x @ y for x in a for y in b]))
    within = [a[i] @ a[j] for i in range(4) for j in range(4) if i != j]
    assert table.loc["a", "a"] == pytest.approx(np.mean(within))
    assert np.isnan(table.loc["c", "c"])
    pairs = [table.loc["a", "b"], table.loc["a", "c"], table.loc["b", "c"]]
    assert found.agreement == pytest.approx(np.mean(pairs))


def test_sides_of_a_pure_unit_agree_and_those_of_a_sum_do_not(sums: Network) -> None:
    drawn = curves(50.0, *range(0, 360, 15))
    pictures = {"photographs": (drawn + 0.05 * torch.rand(drawn.shape)).clamp(0, 1)}
    first, second, both = (
        sides(sums, f"relu:{unit}", {**pictures, "stimuli": curves(70.0, preferred)}).agreement
        for unit, preferred in enumerate((270.0, 0.0, 270.0))
    )
    assert min(first, second) > 0.95
    assert both < 0.8


def test_a_side_that_does_not_activate_the_unit_is_left_out(sums: Network) -> None:
    pictures = {"curves": curves(50.0, 0.0), "opposite": curves(50.0, 180.0)}
    assert list(sides(sums, "relu:1", pictures).profiles) == ["curves", "weights"]


def test_one_side_alone_has_no_agreement() -> None:
    assert np.isnan(Sides(Unit("mixed3b", 0), "mixed3a", {"a": torch.eye(3)}).agreement)


@pytest.mark.parametrize("pictures", [{}, {"weights": torch.rand(1, 3, 224, 224)}])
def test_sides_without_a_name_of_their_own_are_refused(pictures: dict[str, torch.Tensor]) -> None:
    with pytest.raises(InputError, match="name of their side"):
        sides(untrained("bvlc_googlenet"), "mixed3b:200", pictures)
