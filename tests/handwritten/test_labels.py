import pytest

from visioncircuits.errors import InputError
from visioncircuits.handwritten import Label, around


def test_siblings_are_turns_of_one_another() -> None:
    curves = around("curve", 24, radius=60.0)
    assert [curves[0].turned(15.0 * step) for step in range(24)] == curves


@pytest.mark.parametrize(
    "label",
    [
        Label("curve", 285.0, radius=60.0),
        Label("line", 150.0, 180.0),
        Label("gabor", 120.0, 180.0, phase=90.0, wavelength=10.0),
        Label("circle", radius=24.0),
    ],
)
def test_a_whole_turn_changes_nothing(label: Label) -> None:
    turned = label
    for _ in range(4):
        turned = turned.turned(90)
    assert turned == label


def test_half_a_turn_leaves_a_line_and_mirrors_a_wave() -> None:
    line = Label("line", 30.0, 180.0)
    wave = Label("gabor", 30.0, 180.0, phase=90.0, wavelength=10.0)
    assert line.turned(180) == line
    assert wave.turned(180).phase == 270.0


def test_the_normal_of_a_line_is_across_it_and_of_a_curve_towards_its_apex() -> None:
    assert Label("line", 30.0, 180.0).normal == 120.0
    assert Label("curve", 30.0).normal == 30.0


def test_curvature_is_one_over_the_radius() -> None:
    assert Label("curve", 0.0, radius=50.0).curvature == 0.02
    assert Label("line", 0.0, 180.0).curvature == 0.0


def test_a_record_makes_the_label_again() -> None:
    label = Label("gabor", 120.0, 180.0, phase=90.0, wavelength=10.0, hue=60.0)
    assert Label(**label.record()) == label


def test_what_a_rule_needs_and_a_label_lacks_is_named() -> None:
    with pytest.raises(InputError, match=r"a rule needs the radius of 'curve 0°', which has none"):
        Label("curve", 0.0).need("radius")
