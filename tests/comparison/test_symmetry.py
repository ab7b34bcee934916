import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from visioncircuits import handwritten
from visioncircuits.comparison.symmetry import (
    centroids,
    mirrored,
    placement,
    rotated_template,
    sums_by_angle,
)
from visioncircuits.errors import InputError
from visioncircuits.weights import expanded_weights

Tiles = dict[tuple[int, int], np.ndarray]


def tiles(published: Path, figure: str) -> Tiles:
    """Kernels of a figure by source and target."""
    listed = json.loads((published / "weight_tiles.json").read_text())
    return {
        (tile["src_unit"], tile["dst_unit"]): np.array(tile["values"])
        for tile in listed
        if tile["figure"] == f"Equivariance {figure}" and not tile["note"]
    }


def facing(published: Path, layer: str, units: list[int]) -> np.ndarray:
    message = json.loads((published / "curve_preferred_orientations.json").read_text())["units"]
    return np.array([message[layer][str(unit)]["argmax_deg"] for unit in units])


def into(published: Path, unit: int, layer: str) -> dict[int, float]:
    """Where the curves that a published circle or evolute is made of lie."""
    found = tiles(published, "circle/evolute")
    sources = [source for source, target in found if target == unit]
    kernels = np.stack([found[source, unit] for source in sources])
    placed = placement(kernels, facing(published, layer, sources))
    return dict(zip(sources, placed, strict=True))


@pytest.mark.published
def test_the_curves_of_the_published_circle_lie_where_they_face(published: Path) -> None:
    placed = into(published, 402, "mixed3b")
    assert {unit: round(angle) for unit, angle in placed.items()} == {
        342: -5, 406: 0, 385: -4, 330: 15, 324: -3, 343: -4, 379: -6, 349: 4,
    }  # fmt: skip
    assert all(abs(round(angle)) <= 15 for angle in placed.values())


@pytest.mark.published
@pytest.mark.parametrize(("unit", "layer", "most"), [(408, "mixed3b", 35), (373, "mixed3a", 45)])
def test_the_curves_of_the_published_evolutes_turn_their_backs(
    published: Path, unit: int, layer: str, most: int
) -> None:
    angles = np.array(list(into(published, unit, layer).values()))
    assert len(angles) == 8
    assert (180 - np.abs(angles)).max().round() <= most


@pytest.mark.published
def test_published_curves_excite_and_inhibit_by_the_angle_between_them(published: Path) -> None:
    stored = np.load(published / "curves_3a_to_3b_fig5_weights.npz")
    late = facing(published, "mixed3b", stored["rows3b"].tolist())
    early = facing(published, "mixed3a", stored["cols3a"].tolist())
    table = sums_by_angle(stored["weights"], late, early)
    assert [f"{value:+.2f}" for value in table["sum"]] == [
        "+2.33", "+1.81", "+0.26", "+0.22", "-1.10", "-2.86",
    ]  # fmt: skip
    assert table["kernels"].sum() == 64


@pytest.mark.published
@pytest.mark.parametrize(
    ("template", "others", "message"),
    [
        ((147, 379), [(81, 385), (145, 342), (71, 330)], ["0.52", "0.59", "0.85"]),
        ((145, 379), [(71, 385), (147, 342), (81, 330)], ["0.67", "0.61", "0.91"]),
    ],
)
def test_one_published_kernel_turned_is_the_others(
    published: Path, template: tuple[int, int], others: list[tuple[int, int]], message: list[str]
) -> None:
    found = tiles(published, "curve-circuit matrix")
    alike = rotated_template(found[template], np.stack([found[pair] for pair in others]))
    assert alike.argmax(1).tolist() == [1, 2, 3]
    assert [
        f"{row[quarters]:.2f}" for row, quarters in zip(alike, (1, 2, 3), strict=True)
    ] == message


@pytest.mark.published
def test_the_natural_kernel_is_the_template(published: Path) -> None:
    natural = np.load(published / "natural_curve_circuit_kernels.npz")["mixed3b_379_from_147"]
    found = tiles(published, "curve-circuit matrix")
    assert rotated_template(natural, found[147, 379][None])[0, 0] > 0.9999
    assert rotated_template(natural, found[71, 330][None])[0, 3] == pytest.approx(0.85, abs=0.005)


@pytest.mark.published
def test_published_people_and_animals_are_each_others_mirror_images(published: Path) -> None:
    found = tiles(published, "human-animal")
    for source in (333, 450, 253, 445, 409, 462):
        assert mirrored(found[source, 427], found[source, 429]) > 0.94
    listed = json.loads((published / "weight_tiles.json").read_text())
    left, *right = (
        np.array(tile["values"]) for tile in listed if tile["figure"] == "ZoomIn OrientedDogHeads"
    )
    assert max(mirrored(left, each) for each in right) == pytest.approx(0.973, abs=0.001)


@pytest.mark.published
def test_published_contrasts_make_both_center_surrounds_by_one_pattern(published: Path) -> None:
    found = tiles(published, "contrast->center")
    for source in (172, 36, 56, 169):
        half_a_turn = rotated_template(found[source, 76], found[source, 119][None])[0, 2]
        assert half_a_turn > 0.95
    # "Literally the same weight pattern transposed."
    for source, other in ((172, 36), (36, 172)):
        assert rotated_template(found[source, 76].T, found[other, 119][None])[0, 0] > 0.96


def test_handwritten_curves_obey_the_rule_and_their_kernels_turn_exactly() -> None:
    network = handwritten.load("curves")
    weight = expanded_weights(network, "mixed3a", "mixed3b").weight.numpy()[:24, :24]
    angles = np.arange(24) * 15.0
    sums = sums_by_angle(weight, angles, angles)["sum"]
    assert sums[0] > 0 > sums[5]
    assert all(earlier >= later for earlier, later in pairwise(sums))
    turned = rotated_template(weight[0, 1], np.stack([weight[6 * k, 6 * k + 1] for k in range(4)]))
    np.testing.assert_allclose(turned[range(4), range(4)], 1, atol=1e-5)


def test_a_centroid_lies_right_and_down_and_only_what_excites_counts() -> None:
    kernel = np.zeros((2, 3, 5, 5))
    kernel[1, 2, 3, 4], kernel[1, 2, 0, 0] = 2.0, -9.0
    found = centroids(kernel)
    assert found.shape == (2, 3, 2)
    assert found[1, 2].tolist() == [2, 1]
    assert not found[0].any()


def test_steps_that_do_not_go_into_half_a_turn_are_refused() -> None:
    for step in (0.0, 50.0):
        with pytest.raises(InputError, match="do not go into 180"):
            sums_by_angle(np.zeros((1, 1, 3, 3)), np.zeros(1), np.zeros(1), step=step)
