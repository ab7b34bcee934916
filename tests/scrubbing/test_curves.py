"""The handwritten curves, whose circuit is known: true, wrong and incomplete hypotheses."""

from collections.abc import Callable

import pytest

from visioncircuits.errors import InputError
from visioncircuits.handwritten import load
from visioncircuits.networks import Network
from visioncircuits.scrubbing import (
    CausalHypothesis,
    Contour,
    Reading,
    Shown,
    Variable,
    drawn_stimuli,
    from_labels,
    interchange,
    other_units,
    scrub,
)
from visioncircuits.stimuli import named

ARCH = "mixed3b:18"
EARLY, LINES = "early curve at mixed3a", "line at mixed3a"
SHARES = {"draws": 8, "alternatives": {}}


@pytest.fixture(scope="module")
def curves() -> Network:
    return load("curves")


@pytest.fixture(scope="module")
def shown(curves: Network) -> Shown:
    """Curves in 12 orientations, two radii, dark on gray and light on gray."""
    arcs = named("curves").vary(
        orientation=range(0, 360, 30), radius=(40, 80), ink=("black", "white")
    )
    return drawn_stimuli(curves, ARCH, arcs.fix(width=4, ground="gray"))


@pytest.mark.slow
def test_the_true_hypothesis_keeps_the_behavior_through_every_stage(
    curves: Network, shown: Shown
) -> None:
    true = from_labels(curves, ARCH)
    assert len(true.variables) == 5
    found = scrub(curves, true, shown, **SHARES)
    assert found.whole.share >= 0.99
    assert min(claim.share for claim in found.claims) >= 0.99
    assert all(claim.pictures is None or claim.pictures >= 2 for claim in found.claims)


@pytest.mark.slow
def test_turned_by_90_degrees_it_does_not(curves: Network, shown: Shown) -> None:
    found = scrub(curves, from_labels(curves, ARCH, turned=90.0), shown, **SHARES)
    assert found.whole.share <= 0.3


@pytest.mark.slow
def test_each_unit_at_each_position_depends_on_the_curve_there(
    curves: Network, shown: Shown
) -> None:
    """The variable of the article: the direction of the curve here, against the unit's own."""
    turns = {3 + n: 45.0 + 15 * n for n in range(7)} | {15 + n: 225.0 + 15 * n for n in range(7)}
    here = Contour(step=5, within=12, apart=2, relative=True)
    early = Variable(
        EARLY,
        tuple(f"mixed3a:{unit}" for unit in turns),
        positions=5,
        values=(here, Reading("radius")),
        orientations=tuple(turns.values()),
    )
    whole = from_labels(curves, ARCH, depth=1)
    claimed = whole.replacing(early)
    assert scrub(curves, claimed, shown, **SHARES).whole.share >= 0.99
    anywhere = early.__class__(EARLY, early.features, 5, (Reading("radius"),))
    assert scrub(curves, whole.replacing(anywhere), shown, **SHARES).whole.share <= 0.5


def test_an_empty_hypothesis_keeps_nothing(curves: Network, shown: Shown) -> None:
    found = scrub(curves, CausalHypothesis("nothing", ARCH), shown, draws=20, alternatives={})
    low, high = found.whole.interval
    assert low <= 0 <= high


@pytest.mark.slow
def test_an_incomplete_one_lies_between_and_a_wrong_one_of_the_same_size_below(
    curves: Network, shown: Shown
) -> None:
    true = from_labels(curves, ARCH, depth=1)
    others = {name: true.without(name) for name in (EARLY, LINES)}
    wrong = {str(n): other_units(curves, true, seed=n) for n in range(20)}
    found = scrub(curves, true, shown, draws=8, alternatives=others | wrong)
    parts = [each for each in found.alternatives if each.name in others]
    for part in parts:
        assert part.interval[0] > 0
        assert part.interval[1] < found.whole.interval[0]
    below = [each.share < found.whole.share for each in found.alternatives if each.name in wrong]
    assert below == [True] * 20


@pytest.mark.slow
def test_exchanges_of_curves_are_predicted(curves: Network, shown: Shown) -> None:
    true, turned = (from_labels(curves, ARCH, depth=1, turned=turn) for turn in (0.0, 90.0))
    found, wrong = (
        interchange(curves, each, (EARLY, LINES), shown, pairs=200) for each in (true, turned)
    )
    assert found.accuracy == 1
    assert found.correlation > 0.99
    assert abs(wrong.correlation) < 0.3
    with pytest.raises(InputError, match="no picture has the values"):
        interchange(curves, true, EARLY, shown, pairs=20)


def test_labels_are_of_handwritten_units_with_an_orientation(
    curves: Network, network: Callable[..., Network]
) -> None:
    with pytest.raises(InputError, match="is not handwritten"):
        from_labels(network(1, 1, 1), "1:0")
    with pytest.raises(InputError, match="not a unit with an orientation"):
        from_labels(curves, "mixed3b")
    with pytest.raises(InputError, match="depth must be a whole number from 1 to 4"):
        from_labels(curves, ARCH, depth=5)
