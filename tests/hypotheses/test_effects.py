import numpy as np
import pytest

from visioncircuits.errors import InputError
from visioncircuits.hypotheses import Evidence, effects

ANGLES = np.arange(0, 360, 15.0)


def evidence(*answers: np.ndarray, radius=(10.0, 20.0, 40.0), controls=None, deviations=None):
    """Of one unit for each of the answers, (variants, orientations, radii)."""
    stacked = np.stack(answers).astype(np.float64)
    return Evidence(
        units=tuple(f"a:{unit}" for unit in range(len(stacked))),
        answers=stacked,
        axes={"orientation": ANGLES, "radius": np.asarray(radius)},
        controls=controls or {"lines": np.zeros(len(stacked))},
        deviations=deviations,
    )


def bump(at: float, *, variants: int = 3, radii=(1.0, 2.0, 1.0), kappa: float = 6.0) -> np.ndarray:
    around = np.exp(kappa * (np.cos(np.radians(ANGLES - at)) - 1))
    return np.broadcast_to(np.multiply.outer(around, radii), (variants, len(ANGLES), len(radii)))


SILENT = np.zeros((3, len(ANGLES), 3))


def test_a_unit_is_off_by_the_angle_to_its_peak():
    found = effects.off(evidence(bump(350.0), bump(20.0)), angle=5.0)
    assert found == pytest.approx([15, 15], abs=1)


def test_a_preference_is_the_best_among_some_values_over_the_best_among_others():
    tested = evidence(bump(90.0, radii=(1.0, 6.0, 2.0)), bump(90.0, radii=(0.0, 1.0, 0.0)))
    found = effects.preference(tested, axis="radius", among=(15, 25), over=(40, np.inf))
    assert found.tolist() == [3.0, np.inf]


def test_controls_are_told_by_the_strongest_of_them():
    controls = {"lines": np.array([1.0]), "noise": np.array([0.5])}
    tested = evidence(bump(0.0), controls=controls)
    assert effects.controls(tested) == pytest.approx([0.5])
    assert effects.controls(tested, names=("noise",)) == pytest.approx([0.25])


def test_variants_that_turn_the_tuning_do_not_agree():
    turned = np.concatenate([bump(0.0, variants=1), bump(180.0, variants=1)])
    same, other = effects.agreement(evidence(bump(0.0, variants=2), turned))
    assert same == pytest.approx(1)
    assert other < 0.8


def test_a_variant_that_drives_nothing_agrees_with_nothing():
    half = np.concatenate([bump(0.0, variants=1), np.zeros((1, len(ANGLES), 3))])
    assert effects.agreement(evidence(half)) == pytest.approx([0.5])


def test_strength_is_the_peak_in_standard_deviations():
    tested = evidence(bump(0.0), deviations=np.array([0.5]))
    assert effects.strength(tested) == pytest.approx([4.0])
    with pytest.raises(InputError, match="needs photographs"):
        effects.strength(evidence(bump(0.0)))


@pytest.mark.parametrize(
    ("effect", "options"),
    [
        (effects.off, {"angle": 0.0}),
        (effects.echo, {}),
        (effects.width, {}),
        (effects.elsewhere, {"beyond": 60.0}),
        (effects.controls, {}),
        (effects.agreement, {}),
        (effects.preference, {"axis": "radius", "among": (10, 10), "over": (40, 40)}),
    ],
)
def test_of_a_silent_unit_every_effect_is_nan(effect, options):
    assert np.isnan(effect(evidence(SILENT), **options)).all()


@pytest.mark.parametrize(
    ("effect", "options", "told"),
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
def test_an_effect_says_what_it_lacks(effect, options, told):
    with pytest.raises(InputError, match=told):
        effect(evidence(bump(0.0)), **options)
