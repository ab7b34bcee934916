"""Preferred values at the edge of an axis are stated, and what lies beyond is measured."""

import numpy as np
import pytest

from visioncircuits import handwritten
from visioncircuits.hypotheses import Evidence, Hypothesis, Prediction, effects, judge
from visioncircuits.hypotheses.axis_edges import axis_edges
from visioncircuits.stimuli import StimulusSet, line
from visioncircuits.tuning import measure


def edges(values, best):
    (found,) = axis_edges(
        Evidence(("a:0",), np.array([[best]], float), {"any": np.array(values)}, {})
    )
    return found


@pytest.mark.parametrize(
    ("best", "found"),
    [([3, 2, 1], [5.0]), ([1, 2, 3], [20.0]), ([1, 3, 2], []), ([2, 1, 2], []), ([0, 0, 0], [])],
)
def test_a_value_is_at_the_edge_where_it_is_preferred_to_all_others(best, found):
    assert [edge.value for edge in edges([5.0, 10.0, 20.0], best)] == found


def test_axes_that_go_around_and_axes_of_colors_have_no_edges():
    assert edges(np.arange(0, 360, 90), [4, 3, 2, 1]) == ()
    assert edges(["red", "green"], [4, 3]) == ()


def wide(widths) -> Hypothesis:
    claim = Prediction("one way", effects.off_peak, most=0.4, options={"beyond": 40.0})
    grid = StimulusSet(line, {"orientation": range(0, 180, 15), "width": widths})
    return Hypothesis("wide line", grid, (claim,))


def test_what_lies_beyond_an_edge_is_measured():
    network = handwritten.load("lines")
    verdict = judge(network, "mixed3a:0", wide((8, 9, 10)))
    assert verdict.status == "supported"
    (edge,) = verdict.edges
    assert (edge.value, edge.first, edge.beyond) == (8, True, 7)
    thin, thick = measure(network, "mixed3a:0", wide((7, 8)).stimuli).values[0].max(0)
    assert edge.ratio == pytest.approx(thin / thick, rel=1e-4)
    assert ("again" in verdict.notes[0]) == edge.again == (thin > thick)
    record = verdict.record()["edges"][0]
    assert (record["axis"], record["beyond"]) == ("width", 7)


def test_an_edge_beyond_which_nothing_can_be_drawn_is_stated_alone():
    (edge,) = judge(handwritten.load("lines"), "mixed3a:0", wide((7, 14, 21))).edges
    assert edge.beyond is None  # a width of 0
    assert str(edge) == "width 7 is preferred, the first that was shown"
