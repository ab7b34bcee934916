import pytest

from visioncircuits.errors import InputError
from visioncircuits.handwritten import Label, around


def test_labels_of_a_family_are_rotations_of_one_another() -> None:
    curves = around("curve", 24, radius=60.0)
    assert [curves[0].rotated(15.0 * step) for step in range(24)] == curves


@pytest.mark.parametrize(
    "label",
    [
        Label("curve", 285.0, radius=60.0),
        Label("line", 150.0, 180.0),
        Label("gabor", 120.0, 180.0, phase=90.0, wavelength=10.0),
        Label("circle", radius=24.0),
    ],
)
def test_a_full_rotation_changes_nothing(label: Label) -> None:
    rotated = label
    for _ in range(4):
        rotated = rotated.rotated(90)
    assert rotated == label


def test_half_a_turn_preserves_a_line_and_reverses_a_wave() -> None:
    line = Label("line", 30.0, 180.0)
    wave = Label("gabor", 30.0, 180.0, phase=90.0, wavelength=10.0)
    assert line.rotated(180) == line
    assert wave.rotated(180).phase == 270.0


def test_normal_is_across_a_line_and_towards_the_apex_of_a_curve() -> None:
    assert Label("line", 30.0, 180.0).normal == 120.0
    assert Label("curve", 30.0).normal == 30.0


def test_curvature_is_one_over_the_radius() -> None:
    assert Label("curve", 0.0, radius=50.0).curvature == 0.02
    assert Label("line", 0.0, 180.0).curvature == 0.0


def test_a_label_is_restored_from_its_record() -> None:
    label = Label("gabor", 120.0, 180.0, phase=90.0, wavelength=10.0, hue=60.0)
    assert Label(**label.record()) == label


def test_a_missing_attribute_raises() -> None:
    with pytest.raises(InputError, match=r"a rule needs the radius of 'curve 0°', which has none"):
        Label("curve", 0.0).need("radius")
