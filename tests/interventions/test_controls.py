"""Controls have the branches and the firing rates of the units that they are controls of."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from visioncircuits import datasets
from visioncircuits.errors import InputError
from visioncircuits.examples import collect
from visioncircuits.interventions import (
    ablate,
    control_units,
    edited,
    score,
    unit_ablations,
    with_controls,
    zero,
)
from visioncircuits.interventions.controls import firing_rates
from visioncircuits.networks import Network, Preprocessing, untrained, wrap

BRANCHES = range(40), range(40, 60), range(60, 66)


class Thresholds(nn.Module):
    """Three branches of units that activate where a gray pixel is above a unit's own threshold."""

    def __init__(self) -> None:
        super().__init__()
        self.branches = nn.ModuleList(nn.Conv2d(1, len(span), 1) for span in BRANCHES)
        self.after = nn.ReLU()
        generator = torch.Generator().manual_seed(0)
        for branch in self.branches:
            assert isinstance(branch, nn.Conv2d)
            branch.weight.data.fill_(1)
            order = torch.randperm(branch.out_channels, generator=generator)
            branch.bias = nn.Parameter(-torch.linspace(0.05, 0.95, len(order))[order])
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(66, 3))

    def forward(self, pictures: Tensor) -> Tensor:
        joined = torch.cat([branch(pictures) for branch in self.branches], 1)
        out: Tensor = self.head(self.after(joined))
        return out


@pytest.fixture(scope="module")
def network() -> Network:
    torch.manual_seed(0)
    return wrap(Thresholds(), Preprocessing(channels=1), size=24, classes=["a", "b", "c"])


@pytest.fixture(scope="module")
def pictures() -> Tensor:
    return torch.rand(6, 1, 24, 24, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def layer(network: Network) -> str:
    return next(name for name in network.layers if network.branches(name))


def named(layer: str, *indices: int) -> list[str]:
    return [f"{layer}:{index}" for index in indices]


def in_branches(units: object) -> list[int]:
    indices = [int(str(unit).rpartition(":")[2]) for unit in units]  # type: ignore[attr-defined]
    return [sum(index in span for index in indices) for span in BRANCHES]


def rates_of(network: Network, layer: str, pictures: Tensor) -> np.ndarray:
    values = network.activations(pictures, [layer])[layer]
    return np.asarray((values > 0).double().mean((0, 2, 3)).numpy())


def test_each_branch_has_as_many_controls_as_units(network: Network, layer: str) -> None:
    for seed in range(5):
        drawn = control_units(network, named(layer, 3, 41, 44, 45, 62), seed=seed)
        assert in_branches(drawn) == [1, 3, 1]


def test_controls_of_inceptionv1_are_of_the_same_branches() -> None:
    network = untrained("bvlc_googlenet")
    curves = ["mixed3b:321", "mixed3b:335", "mixed3b:413", "mixed3b:138"]
    drawn = control_units(network, curves)
    assert not {*map(str, drawn)} & {*curves}
    assert [unit.index >= 320 for unit in drawn] == [False, True, True, True]
    assert 128 <= drawn[0].index < 320
    assert all(unit.index < 416 for unit in drawn)
    assert drawn == control_units(network, curves)
    assert drawn != control_units(network, curves, seed=1)


def test_what_a_branch_lacks_comes_from_the_nearest(network: Network, layer: str) -> None:
    four_of_six = named(layer, 60, 61, 62, 63)
    drawn = control_units(network, [*four_of_six, f"{layer}:0"])
    assert in_branches(drawn) == [1, 2, 2]
    assert len({*drawn}) == 5


def test_a_layer_of_too_few_others_has_no_controls(network: Network, layer: str) -> None:
    with pytest.raises(InputError, match="has only 26 units beside these; a control needs 40"):
        control_units(network, named(layer, *BRANCHES[0]))


def test_controls_activate_as_often(network: Network, layer: str, pictures: Tensor) -> None:
    rates = rates_of(network, layer, pictures)
    rarest = np.argsort(rates[:40])[:6]
    for seed in range(5):
        drawn = control_units(network, named(layer, *rarest), photographs=pictures, seed=seed)
        indices = [unit.index for unit in drawn]
        assert in_branches(drawn) == [6, 0, 0]
        # Of 40 units the 6 rarest; the 5 nearest others of each are among the 17 rarest.
        assert rates[indices].max() <= np.sort(rates[:40])[16]
    without = control_units(network, named(layer, *rarest))
    assert rates[[unit.index for unit in without]].max() > np.sort(rates[:40])[16]
    draws = {
        control_units(network, named(layer, *rarest), photographs=pictures, seed=seed)
        for seed in range(5)
    }
    assert len(draws) > 1


def test_firing_rates_are_shares_of_positions(
    network: Network, layer: str, pictures: Tensor
) -> None:
    shown = datasets.photographs(pictures)
    expected = rates_of(network, layer, shown.pictures(network.size))
    np.testing.assert_allclose(firing_rates(network, layer, shown), expected, atol=1e-12)
    found = collect(network, layer, shown, top=1)
    np.testing.assert_allclose(firing_rates(network, layer, found), expected, atol=1e-12)
    units = named(layer, 3, 41)
    assert control_units(network, units, photographs=found) == control_units(
        network, units, photographs=shown
    )


def test_examples_of_another_layer_are_refused(
    network: Network, layer: str, pictures: Tensor
) -> None:
    found = collect(network, layer, pictures, top=1)
    with pytest.raises(InputError, match="there are no examples of"):
        control_units(network, "head.2:1", photographs=found)


def test_an_ablation_records_what_its_controls_were_matched_in(
    network: Network, layer: str, pictures: Tensor
) -> None:
    units = named(layer, 60, 61, 62, 63)
    scores = ablate(network, units, pictures, controls=2)
    rates = rates_of(network, layer, datasets.photographs(pictures).pictures(network.size))
    matched = scores.record["matched"]
    counts = {name: sorted(each["branches"].values()) for name, each in matched.items()}
    assert counts == {"given": [4], "control 1": [2, 2], "control 2": [2, 2]}
    assert matched["given"]["firing"] == pytest.approx(np.median(rates[60:64]))
    assert ablate(network, units, pictures, controls=0).record["matched"] == {}


def test_one_seed_draws_the_same_controls_for_any_intervention(
    network: Network, layer: str, pictures: Tensor
) -> None:
    units = named(layer, 3, 41)
    scores = ablate(network, units, pictures, controls=2, seed=4)
    again = with_controls(
        network,
        units,
        lambda some: edited(network, some, zero()),
        controls=2,
        photographs=pictures,
        seed=4,
    )
    np.testing.assert_allclose(
        score(network, again, pictures)["logit"].values, scores["logit"].values, atol=1e-5
    )
    ablations = unit_ablations(network, units, controls=2, photographs=pictures, seed=4)
    np.testing.assert_allclose(
        score(network, ablations, pictures)["logit"].values, scores["logit"].values, atol=1e-5
    )
