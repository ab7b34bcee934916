"""Measures of agreement are their formulas, and what they call the same is the same."""

import numpy as np
import torch

from visioncircuits.dictionaries import (
    agreement,
    best_cosines,
    best_subspaces,
    block_r2,
    unit_cosines,
)


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_best_cosines_are_those_of_a_loop() -> None:
    one, two = random(5, 7), random(9, 7, seed=1)
    expected = [
        max(np.dot(a, b) / np.linalg.norm(a) / np.linalg.norm(b) for b in two.numpy())
        for a in one.numpy()
    ]
    np.testing.assert_allclose(best_cosines(one, two).numpy(), expected, rtol=1e-5)
    np.testing.assert_allclose(agreement(one, two), np.mean(expected), atol=1e-5)


def test_order_and_length_make_no_difference() -> None:
    atoms = random(6, 8)
    assert agreement(atoms, 3 * atoms.flip(0)) == 1
    assert agreement(atoms, -atoms) < 0.9


def test_an_atom_of_one_unit_has_the_cosine_1_of_either_sign() -> None:
    atoms = torch.tensor([[0.0, -3.0, 0.0], [1.0, 1.0, 0.0]])
    torch.testing.assert_close(unit_cosines(atoms), torch.tensor([1.0, 0.5**0.5]))


def test_a_subspace_is_the_same_by_whatever_atoms() -> None:
    atoms = random(6, 9)
    mixed = torch.cat([random(2, 2, seed=2) @ block for block in atoms.split(2)]).flip(0)
    torch.testing.assert_close(best_subspaces(atoms, mixed, 2), torch.ones(3))


def test_overlap_is_the_mean_squared_cosine_of_principal_angles() -> None:
    one, two = random(3, 8), random(3, 8, seed=1)
    frames = [np.linalg.qr(each.numpy().T)[0] for each in (one, two)]
    cosines = np.linalg.svd(frames[0].T @ frames[1])[1]
    np.testing.assert_allclose(best_subspaces(one, two, 3).item(), (cosines**2).mean(), rtol=1e-5)


def test_block_r2_is_that_of_least_squares() -> None:
    codes, values = random(50, 6), random(50, 2, seed=1)
    values = values + codes[:, :2] @ random(2, 2, seed=3)
    for block, found in enumerate(block_r2(codes, values, 2)):
        design = np.column_stack([np.ones(50), codes[:, 2 * block : 2 * block + 2].numpy()])
        fit = design @ np.linalg.lstsq(design, values.numpy(), rcond=None)[0]
        error = ((values.numpy() - fit) ** 2).sum()
        expected = 1 - error / ((values.numpy() - values.numpy().mean(0)) ** 2).sum()
        np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_a_block_of_constant_codes_explains_nothing() -> None:
    codes = torch.cat([torch.zeros(30, 2), torch.ones(30, 2)], dim=1)
    assert block_r2(codes, random(30, 1), 2).tolist() == [0, 0]
