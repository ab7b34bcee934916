import numpy as np
import pytest

from visioncircuits.errors import InputError
from visioncircuits.hypotheses import Evidence, effects

ANGLES = np.arange(0, 360, 15.0)


def evidence(*responses: np.ndarray, radius=(10.0, 20.0, 40.0), controls=None, deviations=None):
    """One unit for each of the responses, (variants, orientations, radii)."""
    stacked = np.stack(responses).astype(np.float64)
    return Evidence(
        units=tuple(f"a:{unit}" for unit in range(len(stacked))),
        values=stacked,
        axes={"orientation": ANGLES, "radius": np.asarray(radius)},
        controls=controls or {"lines": np.zeros(len(stacked))},
        deviations=deviations,
    )


def bump(at: float, *, variants: int = 3, radii=(1.0, 2.0, 1.0), kappa: float = 6.0) -> np.ndarray:
    around = np.exp(kappa * (np.cos(np.radians(ANGLES - at)) - 1))
    return np.broadcast_to(np.multiply.outer(around, radii), (variants, len(ANGLES), len(radii)))


UNDRIVEN = np.zeros((3, len(ANGLES), 3))


def test_the_peak_distance_is_the_angle_to_the_peak():
    found = effects.peak_distance(evidence(bump(350.0), bump(20.0)), angle=5.0)
    assert found == pytest.approx([15, 15], abs=1)


def test_the_mean_distance_is_the_angle_to_the_mean_vector():
    plateau = np.zeros((1, len(ANGLES), 1))
    plateau[:, :13] = 1.0  # alike from 0 to 180 degrees, a little more at the end
    plateau[:, 12] = 1.01
    tested = evidence(plateau, radius=(10.0,))
    assert effects.mean_distance(tested, angle=95.0) == pytest.approx([5], abs=1)
    assert effects.peak_distance(tested, angle=95.0) == pytest.approx([85], abs=8)


def test_a_preference_is_the_best_among_some_values_over_the_best_among_others():
    tested = evidence(bump(90.0, radii=(1.0, 6.0, 2.0)), bump(90.0, radii=(0.0, 1.0, 0.0)))
    found = effects.preference(tested, axis="radius", among=(15, 25), over=(40, np.inf))
    assert found.tolist() == [3.0, np.inf]


def test_the_effect_of_controls_is_the_strongest_of_them_over_the_peak():
    controls = {"lines": np.array([1.0]), "noise": np.array([0.5])}
    tested = evidence(bump(0.0), controls=controls)
    assert effects.controls(tested) == pytest.approx([0.5])
    assert effects.controls(tested, names=("noise",)) == pytest.approx([0.25])


def test_variants_that_shift_the_tuning_lower_the_invariance():
    shifted = np.concatenate([bump(0.0, variants=1), bump(180.0, variants=1)])
    same, other = effects.invariance(evidence(bump(0.0, variants=2), shifted))
    assert same == pytest.approx(1)
    assert other < 0.8


def test_a_variant_that_drives_nothing_counts_as_zero():
    half = np.concatenate([bump(0.0, variants=1), np.zeros((1, len(ANGLES), 3))])
    assert effects.invariance(evidence(half)) == pytest.approx([0.5])


def test_strength_is_the_peak_in_standard_deviations():
    tested = evidence(bump(0.0), deviations=np.array([0.5]))
    assert effects.strength(tested) == pytest.approx([4.0])
    with pytest.raises(InputError, match="needs photographs"):
        effects.strength(evidence(bump(0.0)))


@pytest.mark.parametrize(
    ("effect", "options"),
    [
        (effects.peak_distance, {"angle": 0.0}),
        (effects.echo, {}),
        (effects.width, {}),
        (effects.off_peak, {"beyond": 60.0}),
        (effects.controls, {}),
        (effects.invariance, {}),
        (effects.preference, {"axis": "radius", "among": (10, 10), "over": (40, 40)}),
    ],
)
def test_every_effect_of_a_unit_that_nothing_drives_is_nan(effect, options):
    assert np.isnan(effect(evidence(UNDRIVEN), **options)).all()


@pytest.mark.parametrize(
    ("effect", "options", "message"),
    [
        (effects.echo, {"axis": "hue"}, "unknown axis"),
        (effects.echo, {"axis": "radius"}, "equal steps around 180 or 360"),
        (effects.controls, {"names": ("dots",)}, "unknown control"),
        (
            effects.preference,
            {"axis": "radius", "among": (50, 60), "over": (40, 40)},
            "no value from 50 to 60; it has 10, 20, 40",
        ),
    ],
)
def test_an_effect_without_its_axis_control_or_values_is_rejected(effect, options, message):
    with pytest.raises(InputError, match=message):
        effect(evidence(bump(0.0)), **options)
