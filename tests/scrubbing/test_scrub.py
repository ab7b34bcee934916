"""Shares that can be computed by hand: sums of units of which some are claimed."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from visioncircuits.errors import InputError
from visioncircuits.networks import Network, Preprocessing, wrap
from visioncircuits.scrubbing import CausalHypothesis, Reading, Shown, Variable, scrub
from visioncircuits.scrubbing.hypothesis import Measure

Make = Callable[..., Network]
Show = Callable[[np.ndarray], Shown]
DRAWS = 40


def claiming(*variables: Variable) -> CausalHypothesis:
    return CausalHypothesis("sum", "1:0", tuple(v.name for v in variables), variables)


def test_what_is_not_claimed_costs_its_share_of_the_variance(
    network: Make, shown: Show, values: np.ndarray
) -> None:
    left = Variable("left", "0:0", values=(Reading("left"),))
    found = scrub(network(2.0, 1.0, 0.0), claiming(left), shown(values), draws=DRAWS)
    behavior = 2 * values[:, 0] + values[:, 1]
    expected = 1 - values[:, 1].var() / behavior.var()
    assert found.whole.share == pytest.approx(expected, abs=0.04)
    low, high = found.whole.interval
    assert low < expected < high
    inputs, own = found.claims
    assert inputs.shares == pytest.approx(found.whole.shares)  # the same draws of the rest
    assert own.shares == pytest.approx(np.ones((DRAWS, 60)))
    assert own.pictures > 10


def test_exchanges_within_bins_cost_the_variance_within_them(
    network: Make, shown: Show, values: np.ndarray
) -> None:
    halves = Reading("right", edges=(0.5,))
    right = Variable("right", "0:1", values=(halves,))
    found = scrub(network(0.0, 1.0, 0.0), claiming(right), shown(values), draws=DRAWS)
    sides = [values[:, 1][mask] for mask in (values[:, 1] < 0.5, values[:, 1] >= 0.5)]
    within = sum(side.var() * len(side) for side in sides) / len(values)
    assert found.whole.share == pytest.approx(1 - within / values[:, 1].var(), abs=0.04)


def test_each_use_of_a_variable_has_draws_of_its_own(shown: Show, values: np.ndarray) -> None:
    """The sum of two units, both equal to one source, of which each may be on any picture."""
    layers = [nn.Conv2d(*sizes, 1, bias=False) for sizes in ((3, 1), (1, 2), (2, 1))]
    with torch.no_grad():
        layers[0].weight.copy_(torch.tensor([0.0, 1.0, 0.0]).reshape(1, 3, 1, 1))
        layers[1].weight.fill_(1.0)
        layers[2].weight.fill_(1.0)
    network = wrap(nn.Sequential(*layers), Preprocessing(), size=3)
    source = Variable("source", "0", values=(Reading("right"),))
    one, other = (Variable(f"copy {n}", f"1:{n}", depends=("source",)) for n in (0, 1))
    claimed = CausalHypothesis("sum", "2:0", ("copy 0", "copy 1"), (one, other, source))
    found = scrub(network, claimed, shown(values), draws=DRAWS, alternatives={})
    # 2 s - s' - s'' has the variance 6, and 2 s - 2 s' the variance 8
    assert found.whole.share == pytest.approx(1 - 6 / 8, abs=0.08)


@pytest.mark.parametrize("equal", [False, True])
def test_claims_go_on_down_to_the_last_variable(
    network: Make, shown: Show, values: np.ndarray, equal: bool
) -> None:
    reading = (Reading("left"),)
    top = Variable("sum", "1:0", values=reading if equal else (), depends=("left",))
    claimed = CausalHypothesis(
        "rectified", "2:0", ("sum",), (top, Variable("left", "0:0", values=reading))
    )
    rectified = network(2.0, 1.0, 0.0, rectified=True)
    found = scrub(rectified, claimed, shown(values), draws=DRAWS, alternatives={})
    behavior = 2 * values[:, 0] + values[:, 1]
    expected = 1 - values[:, 1].var() / behavior.var() if equal else 0.0
    assert found.whole.share == pytest.approx(expected, abs=0.08)


def test_nothing_claimed_is_nothing_kept(network: Make, shown: Show, values: np.ndarray) -> None:
    empty = CausalHypothesis("nothing", "1:0")
    found = scrub(network(1.0, 1.0, 1.0), empty, shown(values), draws=DRAWS, alternatives={})
    low, high = found.whole.interval
    assert low < 0 < high
    assert abs(found.whole.share) < 0.05
    assert found.claims == ()


def test_units_and_positions_are_exchanged_by_themselves(shown: Show, values: np.ndarray) -> None:
    """A sum over positions of one unit, each exchanged by itself, has their own variances."""
    rng = np.random.default_rng(1)
    pictures = torch.from_numpy(rng.random((40, 3, 3, 3))).float()
    total = nn.Conv2d(3, 1, 3, bias=False)
    with torch.no_grad():
        total.weight.fill_(1.0)
    same = nn.Conv2d(3, 3, 1, bias=False)
    with torch.no_grad():
        same.weight.copy_(torch.eye(3)[:, :, None, None])
    network = wrap(nn.Sequential(same, total), Preprocessing(), size=3)
    units = Variable(
        "units", "0", values=(Reading("turn", relative=True),), orientations=(0.0, 10.0, 20.0)
    )
    known = {"turn": rng.integers(2, size=40) * 90.0}
    claimed = CausalHypothesis("sum", "1:0", ("units",), (units,))
    found = scrub(network, claimed, Shown(pictures, known), draws=DRAWS, alternatives={})
    by_unit = pictures.sum((2, 3)).numpy()
    behavior = by_unit.sum(1)
    # the exchanged sum is of three independent draws, one a unit, each within its own group
    loss = 0.0
    for turn in (0.0, 90.0):
        group = by_unit[known["turn"] == turn]
        apart = group.var(0).sum() + group.sum(1).var()
        loss += apart * len(group) / 40
    assert found.whole.share == pytest.approx(1 - loss / (2 * behavior.var()), abs=0.04)


def test_a_finer_hypothesis_is_listed_as_one_that_scores_as_well(
    network: Make, shown: Show, values: np.ndarray, tmp_path: Path
) -> None:
    left = Variable("left", "0:0", values=(Reading("left", step=0.25), Reading("rest", bins=2)))
    found = scrub(network(1.0, 0.0, 0.0), claiming(left), shown(values), draws=5)
    assert found.whole.share == pytest.approx(1.0)
    assert [other.name for other in found.rivals] == ["left: rest in 1 bins"]
    names = [other.name for other in found.alternatives]
    assert names == [
        "left: left in steps of 0.5",
        "left: rest in 1 bins",
        "as many other units",
        "nothing claimed",
    ]
    content = json.loads(found.save(tmp_path / "scrubbed.json").read_text())
    assert content["share"] == pytest.approx(1.0)
    assert content["rivals"] == ["left: rest in 1 bins"]
    assert content["record"]["hypothesis"]["depends"] == ["left"]


def test_a_measured_feature_is_a_value(network: Make, shown: Show, values: np.ndarray) -> None:
    left = Variable("left", "0:0", values=(Reading("0:0", step=0.25),))
    found = scrub(network(1.0, 0.0, 0.0), claiming(left), shown(values), draws=3, alternatives={})
    assert found.whole.share == pytest.approx(1.0)
    unknown = Variable("left", "0:0", values=(Reading("wheel below"),))
    with pytest.raises(InputError, match="'wheel below' is not known of these pictures"):
        scrub(network(1.0, 0.0, 0.0), claiming(unknown), shown(values), alternatives={})


@pytest.mark.parametrize("measure", ["divergence", "cross-entropy"])
def test_logits_are_scrubbed(measure: Measure) -> None:
    torch.manual_seed(0)
    layers = nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)
    with torch.no_grad():
        layers[4].weight.mul_(30)
        layers[4].bias.zero_()
    network = wrap(nn.Sequential(*layers), Preprocessing(), size=8)
    pictures = torch.rand(12, 3, 1, 1).expand(-1, -1, 8, 8).contiguous()
    classes = network(pictures).argmax(1)
    assert len(classes.unique()) > 1
    known = {"class": classes.double().numpy(), "picture": np.arange(12.0)}
    for values, expected in (("picture",), 1.0), ((), 0.0):
        pooled = Variable("pooled", "2", values=tuple(map(Reading, values)))
        claimed = CausalHypothesis("all", "4", ("pooled",), (pooled,), measure=measure)
        found = scrub(network, claimed, Shown(pictures, known), draws=DRAWS, alternatives={})
        low, high = found.whole.interval
        assert low - 0.02 <= expected <= high + 0.02


def test_the_same_seed_gives_the_same_shares(
    network: Make, shown: Show, values: np.ndarray
) -> None:
    left = Variable("left", "0:0", values=(Reading("left"),))
    one, same, other = (
        scrub(
            network(1.0, 1.0, 0.0), claiming(left), shown(values), draws=3, seed=s, alternatives={}
        )
        for s in (0, 0, 1)
    )
    assert (one.whole.shares == same.whole.shares).all()
    assert (one.whole.shares != other.whole.shares).any()


@pytest.mark.slow
def test_intervals_cover_the_expected_share_as_often_as_they_promise(
    network: Make, shown: Show, values: np.ndarray
) -> None:
    left = Variable("left", "0:0", values=(Reading("left"),))
    behavior = 2 * values[:, 0] + values[:, 1]
    expected = 1 - values[:, 1].var() / behavior.var()
    sums, pictures = network(2.0, 1.0, 0.0), shown(values)
    covered = []
    for seed in range(60):
        found = scrub(sums, claiming(left), pictures, draws=3, seed=seed, alternatives={})
        low, high = found.whole.interval
        covered.append(low <= expected <= high)
    assert 0.85 <= np.mean(covered) <= 1
