import numpy as np
import pytest

from visioncircuits.handwritten import Label
from visioncircuits.handwritten.contours import (
    arc,
    inward_ring,
    opposing_arc,
    opposing_rays,
    rays,
    ring,
)
from visioncircuits.handwritten.plane import Positions
from visioncircuits.handwritten.rules import (
    Rule,
    along,
    center_surround,
    hue_similarity,
    pooled,
    sided,
    straight,
    wave,
)

POSITIONS = Positions.grid(5, 8.0)
BEND = along(arc, against=opposing_arc, spread=5.0, tolerance=20.0, inhibition=1.0)


def curve(orientation: float) -> Label:
    return Label("curve", orientation, radius=60.0)


def line(orientation: float) -> Label:
    return Label("line", orientation % 180.0, 180.0)


GABOR = Label("gabor", 15.0, 180.0, phase=90.0, wavelength=10.0, hue=60.0)
CASES: dict[str, tuple[Rule, Label, Label]] = {
    "wave": (wave(length=2.0, width=2.4), Label("pixel", hue=120.0), GABOR),
    "curve to curve": (BEND, curve(30.0), curve(45.0)),
    "line to curve": (BEND, line(135.0), curve(45.0)),
    "curve to circle": (
        along(ring, against=inward_ring, spread=6.0, tolerance=20.0, inhibition=0.8),
        curve(15.0),
        Label("circle", radius=16.0),
    ),
    "line to divergence": (
        along(rays, against=opposing_rays, spread=1.0, tolerance=15.0, inhibition=1.0),
        line(15.0),
        Label("line divergence", 75.0, radius=16.0),
    ),
    "line to line": (straight(spread=3.0, tolerance=10.0, inhibition=1.0), line(15.0), line(30.0)),
    "pooled": (pooled(width=4.0), Label("hue", hue=0.0), Label("hue", hue=45.0)),
    "sided": (sided(width=8.0), Label("hue", hue=0.0), Label("color contrast", 60.0, hue=45.0)),
    "center_surround": (center_surround(width=6.0), Label("hue", hue=0.0), Label("spot", hue=45.0)),
}


@pytest.mark.parametrize("case", CASES)
def test_rotating_both_units_by_90_rotates_the_kernel_exactly(case: str) -> None:
    rule, source, target = CASES[case]
    upright = rule(source, target, POSITIONS)
    assert np.abs(upright).max() > 1e-3
    rotated = rule(source.rotated(90), target.rotated(90), POSITIONS)
    np.testing.assert_array_equal(rotated, np.rot90(upright, -1))


class TestCurves:
    def test_matching_curves_excite_opposite_ones_inhibit_and_others_do_nothing(self) -> None:
        target = curve(270.0)
        assert BEND(curve(270.0), target, POSITIONS).sum() > 1
        assert BEND(curve(90.0), target, POSITIONS).sum() < -1
        for across in (curve(0.0), curve(180.0)):
            assert abs(BEND(across, target, POSITIONS).sum()) < 0.1

    def test_exciting_sources_lie_on_the_arc(self) -> None:
        rows, columns = np.nonzero(BEND(curve(270.0), curve(270.0), POSITIONS) > 0.5)
        x, y = POSITIONS.x[rows, columns], POSITIONS.y[rows, columns]
        distance = np.hypot(x, y - 60.0) - 60.0  # an arch through the origin has its center below
        assert len(distance) >= 3
        assert np.abs(distance).max() < 6.0

    def test_rotated_curves_lie_farther_along_the_arc(self) -> None:
        def middle(orientation: float) -> float:
            weights = BEND(curve(orientation), curve(270.0), POSITIONS).clip(min=0)
            return float((POSITIONS.x * weights).sum() / weights.sum())

        assert middle(285.0) == pytest.approx(-middle(255.0))
        assert 4 < middle(285.0) < 16  # they are 60 px times sin 15° away, at 15.5 px

    def test_a_line_distinguishes_opposite_arcs_only_off_center(self) -> None:
        weights = BEND(line(0.0), curve(270.0), POSITIONS)
        assert weights[2, 2] == 0
        tilted = BEND(line(15.0), curve(270.0), POSITIONS)
        assert tilted[2:, 3:].sum() > 0 > tilted[:2, :2].sum()

    def test_without_a_radius_the_arc_is_its_tangent(self) -> None:
        u, v = POSITIONS.frame(0.0)
        distance, normal = arc(Label("curve", 0.0), u, v)
        np.testing.assert_array_equal(distance, u)
        assert not normal.any()


def test_a_wave_does_not_respond_to_uniform_color() -> None:
    for phase in (0.0, 90.0):
        target = Label("gabor", 15.0, 180.0, phase=phase, wavelength=10.0)
        weights = wave(length=2.0, width=2.4)(Label("pixel"), target, Positions.grid(7, 1.0))
        assert abs(weights.sum()) < 1e-12 < np.abs(weights).max()


def test_lines_of_all_orientations_together_excite_nothing() -> None:
    rule = straight(spread=3.0, tolerance=15.0, inhibition=1.0)
    total = sum(rule(line(15.0 * step), line(30.0), POSITIONS) for step in range(12))
    assert np.abs(total).max() < 1e-6


def test_weights_of_sides_and_of_center_surround_sum_to_zero() -> None:
    spot = Label("spot", hue=0.0)
    assert abs(center_surround(width=6.0)(Label("hue", hue=0.0), spot, POSITIONS).sum()) < 1e-12
    ahead = sided(width=8.0)(Label("hue"), Label("edge", 0.0), POSITIONS)
    assert (ahead[:, 3:] > 0).all()
    np.testing.assert_array_equal(ahead, -ahead[:, ::-1])


@pytest.mark.parametrize(("angle", "expected"), [(0.0, 1.0), (90.0, 0.0), (180.0, -1.0)])
def test_similarity_of_hues_is_the_cosine_of_their_angle(angle: float, expected: float) -> None:
    assert hue_similarity(Label("a", hue=30.0), Label("b", hue=30.0 + angle)) == expected
