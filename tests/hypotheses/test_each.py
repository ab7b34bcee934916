"""Several hypotheses over one layer: the stimuli that they share are shown once."""

import pytest

from visioncircuits.errors import InputError
from visioncircuits.hypotheses import Hypothesis, Prediction, effects, find, find_each
from visioncircuits.hypotheses.measuring import Shown, measure_each
from visioncircuits.networks import untrained
from visioncircuits.stimuli import StimulusSet, curve, named
from visioncircuits.tuning.responses import distinct, measured, measured_together

EDGES = named("edges").isel(orientation=slice(0, None, 6))
LINES = named("lines").isel(width=0, orientation=slice(0, None, 9))
ONE_SIDED = Prediction("has no echo", effects.echo, most=0.1)


def test_hypotheses_together_have_the_verdicts_that_each_has_alone() -> None:
    network = untrained("bvlc_googlenet")
    several = [
        Hypothesis("edge", EDGES, (ONE_SIDED,), variants=({}, {"x": 1.0}), controls={"a": LINES}),
        Hypothesis("line", LINES, (ONE_SIDED,), controls={"b": EDGES, "c": LINES}),
    ]
    together = find_each(network, "conv2d2", several)
    assert list(together) == ["edge", "line"]
    for hypothesis in several:
        alone = find(network, "conv2d2", hypothesis)
        found = together[hypothesis.name]
        assert [(v.unit, v.status, v.p) for v in found.verdicts] == [
            (v.unit, v.status, v.p) for v in alone.verdicts
        ]


def test_a_set_under_another_name_is_shown_once(monkeypatch: pytest.MonkeyPatch) -> None:
    again = StimulusSet(EDGES.family, EDGES.axes, EDGES.fixed, name="again")
    assert len(distinct([EDGES, again, LINES])) == 2
    network = untrained("bvlc_googlenet")
    shown = 0

    def counted(count: int) -> None:
        nonlocal shown
        shown += count

    sets = [EDGES, LINES, again]
    found = measured_together(network, "conv2d1", sets, batch=5, advance=counted)
    assert shown == len(EDGES) + len(LINES)
    for values, each in zip(found, sets, strict=True):
        assert values.shape == (64, *each.shape)
        assert abs(values - measured(network, "conv2d1", each).values).max() < 1e-4


def test_sets_that_are_drawn_at_another_size_are_not_mixed_with_others() -> None:
    def plain(orientation: object) -> object:
        return curve(orientation=orientation, radius=9.0, size=64)

    own = StimulusSet(plain, {"orientation": (0, 90, 180)})
    first, second, third = measured_together(
        untrained("bvlc_googlenet"), "conv2d2", [EDGES, own, LINES], batch=64
    )
    assert first.shape[1:] == EDGES.shape
    assert second.shape == (192, 3)
    assert third.shape[1:] == LINES.shape


def test_controls_keep_the_names_that_each_hypothesis_gives_them() -> None:
    shown = [Shown(EDGES, ({},), {"a": LINES}), Shown(EDGES, ({},), {"b": LINES, "c": EDGES})]
    first, second = measure_each(untrained("bvlc_googlenet"), "conv2d1", shown)
    assert (list(first.controls), list(second.controls)) == (["a"], ["b", "c"])
    assert (first.controls["a"] == second.controls["b"]).all()
    assert (second.controls["c"] == second.values.reshape(64, -1)).all()


def test_two_hypotheses_of_one_name_are_refused() -> None:
    twice = [Hypothesis("edge", EDGES, (ONE_SIDED,))] * 2
    with pytest.raises(InputError, match="same name"):
        find_each(untrained("bvlc_googlenet"), "conv2d1", twice)
