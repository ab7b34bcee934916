"""Interchange interventions on sums whose right program is known."""

from collections.abc import Callable

import numpy as np
import pytest

from visioncircuits.errors import InputError
from visioncircuits.networks import Network
from visioncircuits.scrubbing import CausalHypothesis, Reading, Shown, Variable, interchange

Make = Callable[..., Network]
Show = Callable[[np.ndarray], Shown]


@pytest.fixture
def shown_bits(shown: Show) -> Shown:
    """Every combination of three bits, five times."""
    bits = np.array(np.unravel_index(np.arange(8), (2, 2, 2))).T
    return shown(np.tile(bits, (5, 1)).astype(float))


def sides(left: str, right: str) -> CausalHypothesis:
    variables = (
        Variable("left", "0:0", values=(Reading(left),)),
        Variable("right", "0:1", values=(Reading(right),)),
    )
    return CausalHypothesis("both", "1:0", ("left", "right"), variables)


def test_a_true_hypothesis_predicts_every_exchange(network: Make, shown_bits: Shown) -> None:
    both = network(1.0, 1.0, 0.0)
    for name in ("left", "right", ("left", "right")):
        found = interchange(both, sides("left", "right"), name, shown_bits, edges=(0.4, 0.9))
        assert found.accuracy == 1
        assert found.interval == (1, 1)
        assert found.correlation == pytest.approx(1)
        assert found.chance < 0.5
        assert len(found.found) == found.asked
    alone = interchange(both, sides("left", "right"), "left", shown_bits, edges=(0.4, 0.9))
    assert alone.unchanged == 0  # the sum differs whenever a side does


def test_a_hypothesis_that_takes_the_sides_for_others_does_not(
    network: Make, shown_bits: Shown
) -> None:
    found = interchange(
        network(1.0, 1.0, 0.0), sides("right", "left"), "left", shown_bits, edges=(0.4, 0.9)
    )
    low, high = found.interval
    assert low < found.accuracy < high < 0.9


def test_what_no_picture_has_together_is_not_predicted(network: Make, shown: Show) -> None:
    same = shown(np.array([[0.0, 0.0, 0.0], [1.0, 1.0, 0.0]] * 4))
    with pytest.raises(InputError, match="no picture has the values"):
        interchange(network(1.0, 1.0, 0.0), sides("left", "right"), "left", same)
    both = interchange(network(1.0, 1.0, 0.0), sides("left", "right"), ("left", "right"), same)
    assert both.accuracy == 1


def test_values_reach_the_behavior_through_what_depends_on_them(
    network: Make, shown_bits: Shown
) -> None:
    left, right = sides("left", "right").variables
    total = Variable("sum", "1:0", values=(Reading("1:0"),), depends=("left", "right"))
    claimed = CausalHypothesis("chain", "2:0", ("sum",), (total, left, right))
    rectified = network(1.0, -1.0, 0.0, rectified=True)
    found = interchange(rectified, claimed, "right", shown_bits)
    assert found.accuracy == 1
    assert 0 < found.unchanged < 1


def test_what_cannot_be_exchanged_is_refused(network: Make, shown_bits: Shown) -> None:
    both = network(1.0, 1.0, 0.0)
    with pytest.raises(InputError, match="unknown variable 'lft'"):
        interchange(both, sides("left", "right"), "lft", shown_bits)
    never = CausalHypothesis("none", "1:0", ("left",), (Variable("left", "0:0"),))
    with pytest.raises(InputError, match="the same value on all pictures"):
        interchange(both, never, "left", shown_bits)
