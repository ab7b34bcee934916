from pathlib import Path

import numpy as np
import pytest

from visioncircuits import handwritten
from visioncircuits.comparison import (
    Coverage,
    coverage_panel,
    covered_by_families,
    covered_by_stimuli,
)
from visioncircuits.errors import InputError
from visioncircuits.hypotheses import Hypothesis, Prediction, applicable, effects
from visioncircuits.networks import Families, untrained
from visioncircuits.stimuli import StimulusSet, curve


@pytest.fixture
def three() -> Coverage:
    holds = np.array([[1, 1, 0, 0, 0], [0, 1, 1, 0, 0], [0, 1, 0, 0, 0]], bool)
    return Coverage("a", ("curve", "line", "circle"), holds)


def test_every_unit_is_counted_once_in_the_whole(three: Coverage) -> None:
    table = three.table().set_index("explanation")
    assert table["units"].to_dict() == {"curve": 2, "line": 2, "circle": 1}
    assert table["alone"].to_dict() == {"curve": 1, "line": 1, "circle": 0}
    several = (three.holds.sum(0) > 1).sum()
    assert table["alone"].sum() + several + len(three.unexplained()) == 5
    assert three.explained == 0.6
    assert three.unexplained() == ["a:3", "a:4"]


def test_overlaps_are_of_every_pair(three: Coverage) -> None:
    assert three.overlaps().loc["curve", "line"] == 1
    assert three.overlaps().loc["curve", "curve"] == 2
    assert three.units()["explanations"].tolist() == [
        "curve",
        "curve; line; circle",
        "line",
        "",
        "",
    ]


def test_joining_explains_what_either_does(three: Coverage) -> None:
    both = three.joined(Coverage("a", ("fur",), np.array([[0, 0, 0, 1, 0]], bool)))
    assert both.explained == 0.8
    assert both.explanations == ("curve", "line", "circle", "fur")


def test_the_bar_is_as_long_as_the_layer(three: Coverage) -> None:
    (axes,) = coverage_panel(three).axes
    widths = [bar.get_width() for bars in axes.containers for bar in bars]
    assert sum(widths) == 5
    assert sorted(widths) == [1, 1, 1, 2]
    assert "60% of 5 units" in axes.get_title()


@pytest.mark.published
def test_the_published_taxonomy_leaves_the_other_units_unexplained(published: Path) -> None:
    families = Families.load(published / "families_early_vision.json").layers["mixed3b"]
    found = covered_by_families(untrained("inceptionv1"), "mixed3b", families)
    assert len(found.unexplained()) == len(families["Other Units"]) == 42
    assert found.explained == pytest.approx(1 - 42 / 480)


def test_a_taxonomy_of_another_network_is_refused() -> None:
    network = untrained("bvlc_googlenet")
    with pytest.raises(InputError, match=r"the family Curves has unit 300, .* units 0 to 255"):
        covered_by_families(network, "mixed3a", {"Curves": [300]})
    with pytest.raises(InputError, match="no family of mixed3a that explains units"):
        covered_by_families(network, "mixed3a", {"Other Units": [3]})


def test_only_hypotheses_that_a_layer_sees_enough_for_are_applicable() -> None:
    network = untrained("bvlc_googlenet")
    early = {tested.name for tested in applicable(network, "conv2d0")}
    late = {tested.name for tested in applicable(network, "mixed3a")}
    assert early < late
    assert {"curve", "line", "high-low"} <= late
    with pytest.raises(InputError, match="unknown layer 'mixed9'"):
        applicable(network, "mixed9")


@pytest.mark.slow
def test_handwritten_curves_are_explained_and_lines_are_not_by_what_curves_predict() -> None:
    network = handwritten.load("curves")
    bent = StimulusSet(curve, {"orientation": range(0, 360, 15), "radius": (30.0, 60.0)})
    one_way = Prediction("answers one orientation only", effects.off_peak, most=0.5,
                         options={"beyond": 60.0})  # fmt: skip
    no_echo = Prediction("is silent half a turn on", effects.echo, most=0.3)
    tested = Hypothesis("curve", bent, (one_way, no_echo), ({"width": 1.67}, {"width": 3.0}))
    found = covered_by_stimuli(network, "mixed3b", [tested])
    assert found.holds[0, :24].mean() > 0.9
    assert not found.holds[0, 24:].any()


def test_without_a_hypothesis_there_is_no_coverage() -> None:
    with pytest.raises(InputError, match="needs a hypothesis"):
        covered_by_stimuli(untrained("bvlc_googlenet"), "mixed3a", [])


@pytest.mark.parametrize("suffix", [".npz", ".nc"])
def test_coverage_shows_its_bar_and_is_read_back(
    three: Coverage, tmp_path: Path, suffix: str
) -> None:
    assert three._repr_png_() == coverage_panel(three)._repr_png_()
    again = Coverage.load(three.save(tmp_path / f"found{suffix}"))
    assert (again.layer, again.explanations) == (three.layer, three.explanations)
    assert np.array_equal(again.holds, three.holds)


def test_coverage_by_nothing_shows_itself() -> None:
    assert Coverage("a", (), np.zeros((0, 3), bool))._repr_png_()
