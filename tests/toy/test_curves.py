"""Curve networks hold more orientations than they have units, and are what their kernels state."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from visioncircuits import toy
from visioncircuits.errors import InputError
from visioncircuits.toy.curves import GRID, SIDE, SPACING, curve_ink, drawn_curves, orientations_of


def trained(
    *sparsities: float, model: type[toy.CurveNetwork] = toy.CurveNetwork, steps: int = 3
) -> toy.Solutions:
    tasks = [toy.Task(features=8, hidden=3, sparsity=sparsity) for sparsity in sparsities]
    return toy.train(tasks, model=model, steps=steps, batch=64)


def test_units_are_a_convolution_of_the_picture_with_their_kernels() -> None:
    found = trained(0.9, 0.5)
    samples = toy.curve_samples(found, pictures=3)
    for instance in range(2):
        features = torch.tensor(samples.features.values[instance]).reshape(3, GRID, GRID, 8)
        ink = drawn_curves(features.permute(0, 3, 1, 2))
        one = found.isel(instance=instance)
        kernels, bias = torch.tensor(one["kernels"].values), torch.tensor(one.hidden_bias.values)
        maps = functional.conv2d(ink, kernels[:, None], bias, stride=SPACING).relu()
        expected = maps.permute(0, 2, 3, 1).reshape(-1, 3).numpy()
        assert np.allclose(samples.hidden.values[instance], expected, atol=2e-3 * expected.max())
        read = expected @ one.output_weights.values.T + one.bias.values
        assert np.allclose(samples.output.values[instance], read.clip(0), atol=0.01)


def test_pictures_are_the_curves_at_their_positions() -> None:
    features = torch.zeros(1, 8, GRID, GRID)
    features[0, 2, 1, 3] = 0.5
    ink = drawn_curves(features)[0, 0]
    alone = curve_ink(np.array([90.0]))[0, 0]
    top, left = SPACING, 3 * SPACING
    assert torch.allclose(ink[top : top + SIDE, left : left + SIDE], 0.5 * alone)
    assert float(ink.sum()) == pytest.approx(float(alone.sum()) / 2)


def test_a_direction_is_what_its_curve_adds_to_a_blank_picture() -> None:
    found = trained(0.9, steps=10)
    kernels = found["kernels"].values[0].reshape(3, -1)
    bias = found.hidden_bias.values[0][:, None]
    ink = curve_ink(orientations_of(8)).flatten(1).numpy().T
    expected = (kernels @ ink + bias).clip(0) - bias.clip(0)
    assert np.allclose(found.weights.values[0], expected, atol=5e-3)
    tuning = toy.curve_tuning(found, step=45).values[0]
    assert np.allclose(tuning - bias.clip(0), expected, atol=5e-3)


def test_a_network_is_the_same_alone_and_beside_others() -> None:
    together, alone = trained(0.5, 0.9), trained(0.9)
    assert np.allclose(together["kernels"].values[1], alone["kernels"].values[0], atol=1e-4)


def test_a_file_gives_the_network_back(tmp_path: Path) -> None:
    found = trained(0.9)
    read = toy.Solutions.load(found.save(tmp_path / "curves.nc"))
    first, second = (toy.curve_samples(each, pictures=2) for each in (found, read))
    assert first.identical(second)


def test_dimensionality_by_another_readout_is_as_by_hand_and_no_more_than_dimensions() -> None:
    rng = np.random.default_rng(0)
    weights, readout = rng.normal(size=(4, 3, 9)), rng.normal(size=(4, 9, 3))
    shares = toy.dimensionality(weights, readout)
    products = readout[2] @ weights[2]
    assert shares[2, 5] == pytest.approx(products[5, 5] ** 2 / (products[5] ** 2).sum())
    assert shares.sum(1).max() <= 3
    assert np.allclose(
        toy.dimensionality(weights), toy.dimensionality(weights, weights.transpose(0, 2, 1))
    )


def test_preferences_are_ranges_around_the_circle() -> None:
    angles = np.radians(np.arange(0, 360, 5))
    one, three = np.exp(4 * np.cos(angles)), 1 + np.cos(3 * angles)
    assert toy.preferences(np.stack([one, three, np.ones(72)])).tolist() == [1, 3, 1]


@pytest.mark.slow
def test_sparse_curves_are_in_superposition_and_dense_or_linear_ones_are_not() -> None:
    dense, sparse = (toy.explained(toy.curve_samples(trained(s, steps=500))) for s in (0.0, 0.95))
    linear = trained(0.95, model=toy.LinearCurveNetwork, steps=500)
    assert (sparse > 0.5).sum() >= 6
    assert (dense > 0.5).sum() <= 3
    assert (toy.explained(toy.curve_samples(linear)) > 0.5).sum() <= 4


def test_bad_input_is_refused_in_one_sentence() -> None:
    task = toy.Task(features=4, hidden=2)
    with pytest.raises(InputError, match="must be a multiple of 16, not 40"):
        toy.train([task], model=toy.CurveNetwork, batch=40)
    other = toy.train([task], steps=1, batch=8)
    with pytest.raises(InputError, match="these are solutions of ReLUOutput"):
        toy.curve_samples(other)
    with pytest.raises(InputError, match="step must be"):
        toy.curve_tuning(trained(0.5), step=0)
