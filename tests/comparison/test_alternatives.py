import numpy as np
import pytest
import torch
import xarray as xr

from visioncircuits import handwritten
from visioncircuits.comparison import family
from visioncircuits.comparison.alternatives import (
    NINE_PLACES,
    ONE_PLACE,
    SIBLING,
    TANGENT,
    alternatives,
    standing,
)
from visioncircuits.comparison.families import Family
from visioncircuits.comparison.simple_rules import WINDOW, bump, negative_contrast
from visioncircuits.handwritten import labels
from visioncircuits.interventions.donors import combined
from visioncircuits.networks import untrained


@pytest.fixture(scope="module")
def two() -> Family:
    return family(handwritten.load("curves"), ["mixed3b:0", "mixed3b:3"], "curve")


def test_the_tangent_energy_of_a_curve_is_across_what_it_faces(two: Family) -> None:
    donor = alternatives(two)[TANGENT]
    units = labels(donor.network, donor.layer)
    turns = [units[place].orientation for place in donor.units]
    np.testing.assert_allclose(turns, [90, 135], atol=7.5)


def test_sums_that_stand_alone_are_those_of_the_transplant(two: Family) -> None:
    generator = torch.Generator().manual_seed(0)
    fits = {f"{SIBLING}/kernels": np.eye(36, dtype=np.float32)[[5, 7]][:, :, None, None]}
    for name, width in ((ONE_PLACE, 1), (NINE_PLACES, 3)):
        kernels = torch.randn(2, 216, width, width, generator=generator)
        fits |= {f"{name}/kernels": kernels.numpy(), f"{name}/threshold": np.float32([0.5, 1])}
    found = standing(two, fits)
    assert [unit.index for unit in found[SIBLING].units] == [5, 7]
    picture = torch.rand(1, 3, 64, 64, generator=generator)
    for name in (ONE_PLACE, NINE_PLACES):
        network = found[name].network
        values = network.activations(picture, ["energies", "sums"])
        kernels = torch.from_numpy(fits[f"{name}/kernels"])
        expected = combined(values["energies"], kernels) - torch.tensor([0.5, 1])[:, None, None]
        ours = values["sums"][:, [unit.index for unit in found[name].units]]
        inner = [each[:, :, 1:-1, 1:-1] for each in (ours, expected.relu())]
        torch.testing.assert_close(*inner, atol=1e-4, rtol=1e-4)


def test_a_bump_is_correlated_by_hand() -> None:
    angles = np.arange(0.0, 360.0, 10.0)
    values = np.random.default_rng(0).normal(size=(1, 36, 2))
    responses = xr.DataArray(values, {"orientation": angles}, ("unit", "orientation", "radius"))
    apart = np.minimum(np.abs(angles - 350), 360 - np.abs(angles - 350))
    ideal = np.repeat(np.exp(-(apart**2) / 800), 2)
    expected = np.corrcoef(values.clip(0).ravel(), ideal)[0, 1]
    assert float(bump(responses, np.array([350.0]))[0]) == pytest.approx(expected)


def test_local_contrast_is_the_spread_of_gray_around_a_neuron() -> None:
    layer = untrained("bvlc_googlenet").layer_at("mixed3b", (96, 96))
    picture = torch.rand(1, 3, 96, 96, generator=torch.Generator().manual_seed(0))
    row, column = (int(x) for x in layer.center((5, 6)))
    half = WINDOW // 2
    patch = picture.mean(1)[0, row - half : row + half + 1, column - half : column + half + 1]
    found = negative_contrast(picture, layer)[0, 5, 6]
    assert float(found) == pytest.approx(-float(patch.std(correction=0)), abs=1e-4)
