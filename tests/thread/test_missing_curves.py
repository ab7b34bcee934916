"""Missing curves: what is hidden or planted is known, and doubt decides no row."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import xarray as xr

from visioncircuits.dictionaries import Dictionary, Linear, NewFeatures
from visioncircuits.dictionaries.gated import GATES
from visioncircuits.thread.articles.missing_curves.directions import HIDDEN, NEW, new, recovery
from visioncircuits.thread.articles.missing_curves.hidden import Recovery, Sought, hide
from visioncircuits.thread.articles.missing_curves.layer_samples import LayerSamples
from visioncircuits.thread.articles.missing_curves.methods import unconverged
from visioncircuits.thread.articles.missing_curves.reading import Reading, circle, read_off
from visioncircuits.thread.articles.missing_curves.rings import HOLDS, Compared, overlapping, plane
from visioncircuits.thread.claims import Row, Unavailable

UNITS = 24
DETECTORS = {3: 40.0, 5: 10.0, 8: 300.0, 11: 200.0}


def by_hand(atoms: torch.Tensor, **convergence: Any) -> Dictionary:
    zeros, ones = torch.zeros(len(atoms)), torch.ones(len(atoms))
    record = {"convergence": convergence} if convergence else {}
    return Dictionary(
        "mixed3b", atoms, atoms.T.contiguous(), zeros, Linear(), ones, torch.zeros(atoms.shape[1]),
        method="by hand", record=record,
    )  # fmt: skip


def test_hidden_detectors_are_no_units_and_keep_their_activations() -> None:
    found = hide(UNITS, DETECTORS, ("rotated", "superposed"), np.random.default_rng(0))
    assert found.orientations == (10.0, 200.0)  # every other one around the circle
    assert found.ways == ("rotated", "superposed")
    np.testing.assert_allclose(np.linalg.norm(found.directions, axis=1), 1)
    assert np.abs(found.directions).max() < 0.9
    values = np.abs(np.random.default_rng(1).standard_normal((50, UNITS)))
    altered = values @ found.change.T
    np.testing.assert_allclose(altered @ found.directions[0], values[:, 5])  # nothing overlaps
    assert not altered[:, 11].any()  # ablated
    np.testing.assert_allclose(altered[:, [3, 8]], values[:, [3, 8]])  # not hidden
    alone = np.zeros(UNITS)
    alone[11] = 1
    np.testing.assert_allclose(found.change @ alone @ found.directions[1], 1)
    assert sorted(found.directions[1])[-4:] == [0.5] * 4  # 60 degrees


def test_too_few_units_to_hide_among_are_reported() -> None:
    with pytest.raises(Unavailable, match="4 units are no curve detectors; 8 are needed"):
        hide(6, DETECTORS, ("rotated",), np.random.default_rng(0))


def test_samples_are_changed_as_responses_are() -> None:
    change = np.random.default_rng(0).standard_normal((3, 3))
    one = torch.tensor([[1.0, 2.0, 3.0]])
    mapped = LayerSamples(one, 2 * one).mapped(change)
    torch.testing.assert_close(mapped.training[0], torch.from_numpy(change).float() @ one[0])
    torch.testing.assert_close(mapped.held_out, 2 * mapped.training)


def test_shuffled_samples_keep_what_each_unit_does_alone() -> None:
    values = torch.arange(40.0).reshape(20, 2)
    shuffled = LayerSamples(values, values).shuffled(np.random.default_rng(0)).training
    assert shuffled.sort(0).values.equal(values)
    assert not torch.equal(shuffled[:, 1], shuffled[:, 0] + 1)


def test_dictionaries_that_did_not_converge_are_stated() -> None:
    converged = by_hand(torch.eye(2), converged=True, fall=0.001)
    moving = by_hand(torch.eye(2), converged=False, fall=0.123)
    assert unconverged(converged, by_hand(torch.eye(2))) == ""
    assert unconverged(converged, moving) == (
        "1 of 2 dictionaries did not converge; the loss still fell by 12.3%. "
    )


@pytest.fixture
def curves() -> xr.DataArray:
    """Responses to curves of three planes at random, one of which has the orientation."""
    rng, angles, radii = np.random.default_rng(0), np.arange(0, 360, 15), np.array([9, 15, 25])
    values = rng.standard_normal((6, len(angles), len(radii)))
    turned = np.radians(angles)[:, None] + np.zeros(len(radii))
    values[2:4] = np.stack([np.cos(turned), np.sin(turned)]) * np.array([1.0, 1.1, 0.9])
    coords = {"unit": [f"mixed3b:{unit}" for unit in range(6)], "orientation": angles}
    return xr.DataArray(values, {**coords, "radius": radii}, ("unit", "orientation", "radius"))


def test_a_block_with_the_plane_of_orientations_is_found_and_read(curves: xr.DataArray) -> None:
    dictionary = by_hand(torch.eye(6))
    block = read_off(dictionary, curves, circle(curves), 2)
    assert block.r2 > 0.98
    assert block.covered == 1
    single = read_off(dictionary, curves, circle(curves), 1)
    assert single.r2 < 0.55  # cosine or sine
    assert single.covered < 0.5


def test_what_is_read_is_of_radii_that_block_and_map_were_not_chosen_on() -> None:
    rng = np.random.default_rng(0)
    noise = xr.DataArray(
        rng.standard_normal((40, 12, 3)),
        {"unit": range(40), "orientation": np.arange(0, 360, 30), "radius": [9, 15, 25]},
        ("unit", "orientation", "radius"),
    )
    assert read_off(by_hand(torch.eye(40)), noise, circle(noise), 4).r2 < 0.1


def reading(r2: float) -> Reading:
    values = np.array([[1.0, 0], [-1, 0], [0, 1], [0, -1]])
    return Reading(values, values * (1 - (1 - r2) ** 0.5), radii=1)


@pytest.mark.parametrize(
    ("block", "atom", "doubt", "power", "status"),
    [
        (0.8, 0.3, "", True, "holds"),
        (0.8, 0.3, "It did not converge. ", True, "cannot be tested"),
        (0.8, 0.9, "", True, "does not hold"),
        (0.3, 0.1, "", True, "does not hold"),
        (0.3, 0.1, "", False, "cannot be tested"),
    ],
)
def test_a_block_counts_beyond_baselines_and_its_lack_where_a_planted_one_is_found(
    block: float, atom: float, doubt: str, power: bool, status: str
) -> None:
    found = Compared(reading(block), {"single atom": reading(atom)}, doubt)
    row = found.row(HOLDS, power)
    assert (row.status, row.measured) == (status, f"R² {block:.2f}")
    assert row.why.startswith(doubt)


def test_the_planted_plane_has_all_that_the_family_did_and_is_found() -> None:
    table = pd.DataFrame({"unit": ["a:1", "a:4", "a:5"], "orientation": [0.0, 120.0, 240.0]})
    change = plane(8, table, np.random.default_rng(0))
    assert np.linalg.matrix_rank(change[:, [1, 4, 5]]) == 2
    at = np.radians(table["orientation"].to_numpy())
    lengths = np.linalg.norm(change[:, [1, 4, 5]], axis=0)
    np.testing.assert_allclose(lengths, 1)
    np.testing.assert_allclose(
        change[:, [1, 4, 5]].T @ change[:, [1, 4, 5]], np.cos(at[:, None] - at), atol=1e-12
    )
    axes = np.linalg.svd(change[:, [1, 4, 5]])[0][:, :4].T
    held = by_hand(torch.from_numpy(np.concatenate([np.eye(8)[:4], axes])).float())
    assert overlapping(held, change) == pytest.approx(1)


def sought(*found: bool) -> tuple[Sought, ...]:
    return tuple(Sought("rotated", True, 0.95, each, each) for each in found)


def row(passing: int, power: Recovery, *, doubt: str = "", chance: int = 0) -> Row:
    gates = {name: [at < passing for at in range(100)] for name in GATES}
    found = NewFeatures(
        "mixed3b", "TopK", "curve", pd.DataFrame(gates), {"unit": 0.9, "recurs": 0.7}, 0.0,
        tuple(by_hand(torch.eye(100)).features[:passing]), {},
    )  # fmt: skip
    chances = {"permuted": (0, 100), "shuffled": (chance, 100)}
    return new(NEW["TopK"], found, chances, doubt, power, 1000)


@pytest.mark.parametrize(
    ("passing", "found", "doubt", "chance", "status"),
    [
        (10, [True, True], "", 0, "holds"),
        (10, [False, False], "", 0, "holds"),  # what is found needs no power
        (10, [True, True], "", 9, "does not hold"),
        (0, [True, False], "", 0, "does not hold"),
        (0, [False, False], "", 0, "cannot be tested"),
        (10, [True, True], "1 of 2 dictionaries did not converge. ", 0, "cannot be tested"),
    ],
)
def test_atoms_are_new_beyond_chance_and_their_lack_counts_where_hidden_ones_are_found(
    passing: int, found: Iterable[bool], doubt: str, chance: int, status: str
) -> None:
    given = row(passing, Recovery(sought(*found), ""), doubt=doubt, chance=chance)
    assert given.status == status
    assert given.why.startswith(doubt)
    (control,) = given.controls
    assert control.expected == "holds"


def test_detectors_are_hidden_from_a_dictionary_that_did_not_converge_for_nothing() -> None:
    doubtful = Recovery(sought(True, True), "2 of 2 dictionaries did not converge. ")
    assert not doubtful.powerful
    given = recovery(HIDDEN["TopK", "rotated"], doubtful, "rotated")
    assert given.status == "cannot be tested"
    assert given.measured == "2 of 2 found, 2 of their orientations; cosine 0.95"
    given = recovery(HIDDEN["TopK", "superposed"], doubtful, "superposed")
    assert given.status == "cannot be tested"
