"""What was planted in activations is found: directions, and circles in superposition."""

import itertools

import pytest
import torch

from visioncircuits.dictionaries import (
    L1,
    BatchTopK,
    BlockTopK,
    Grassmannian,
    GroupLasso,
    Method,
    Settings,
    TopK,
    best_cosines,
    best_subspaces,
    block_r2,
    train,
)

ATOMS, UNITS, ACTIVE = 64, 32, 5
ROOM = 80
"""Atoms of the dictionary: with no more than were planted some of these share an atom."""

PLANTED = 1234
"""The seed of what is planted: with that of the training, atoms would start where they belong."""


def planted_atoms(samples: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw atoms, and activations that are sums of five with weights from 1 to 2."""
    generator = torch.Generator().manual_seed(PLANTED)
    drawn = torch.randn(ATOMS, UNITS, generator=generator)
    atoms = torch.nn.functional.normalize(drawn, dim=1)
    used = torch.rand(samples, ATOMS, generator=generator).argsort(1) < ACTIVE
    return atoms, (used * (1 + torch.rand(samples, ATOMS, generator=generator))) @ atoms


def recovered(method: Method, **settings: float) -> float:
    """Train on planted atoms; return the share of them that is found, at a cosine above .95."""
    atoms, values = planted_atoms(50_000)
    found = train(values, "planted", method, atoms=ROOM, settings=Settings(**settings))
    return float((best_cosines(atoms, found.atoms) > 0.95).float().mean())


@pytest.mark.slow
def test_planted_atoms_are_found_with_the_number_in_use() -> None:
    assert recovered(TopK(ACTIVE), steps=1000, batch=256, rate=1e-2) >= 0.95


@pytest.mark.slow
def test_most_planted_atoms_are_found_with_their_mean_number_in_use() -> None:
    assert recovered(BatchTopK(ACTIVE), steps=1000, batch=256, rate=1e-2) >= 0.8


@pytest.mark.slow
def test_planted_atoms_are_found_by_an_l1_penalty() -> None:
    assert recovered(L1(0.15), steps=1200, batch=256, rate=2e-2) >= 0.95


def test_atoms_are_not_found_before_training() -> None:
    assert recovered(TopK(ACTIVE), steps=1, batch=16) < 0.05


CIRCLES, PLANE, BOTH = 12, 20, 2


def planted_circles(samples: int, active: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Draw activations that are sums of points on a few of twelve circles, in twenty dimensions.

    Returns
    -------
    activations, points, planes
        `(samples, units)`; `(samples, circles, 2)`: the point on each circle, 0 for the others; and
        `(circles, units, 2)`.
    """
    generator = torch.Generator().manual_seed(PLANTED)
    planes = torch.linalg.qr(torch.randn(CIRCLES, PLANE, 2, generator=generator)).Q
    used = torch.rand(samples, CIRCLES, generator=generator).argsort(1) < active
    angles = 2 * torch.pi * torch.rand(samples, CIRCLES, generator=generator)
    points = used[:, :, None] * torch.stack([angles.cos(), angles.sin()], dim=2)
    return torch.einsum("scp,cup->su", points, planes), points, planes


def circle_r2(method: Method, active: int, *, atoms: int = 6 * CIRCLES) -> torch.Tensor:
    """Train on planted circles; return how much of each the best blocks, or two atoms, explain.

    With more blocks than circles several may span the plane of one, each in use for a part of it:
    they are read together.
    """
    values, points, planes = planted_circles(20_000, active)
    values, held_out = values.split([17_000, 3_000])
    settings = Settings(steps=1500, batch=256, rate=1e-2)
    found = train(values, "planted", method, atoms=atoms, settings=settings, held_out=held_out)
    codes, best = found.encode(held_out), []
    for plane, circle in zip(planes, points[-3_000:].unbind(1), strict=True):
        if method.block_size == 2:
            blocks = found.atoms.split(2)
            overlaps = torch.cat([best_subspaces(block, plane.T, 2) for block in blocks])
            same = overlaps >= min(0.9, overlaps.max())
            together = codes[:, same.repeat_interleave(2)]
            shared = block_r2(together, circle, together.shape[1])
            best += [torch.cat([shared, block_r2(codes, circle, 2)]).max()]
        else:  # any two of the eight atoms that explain most
            strongest = block_r2(codes, circle, 1).topk(8).indices.tolist()
            pairs = torch.tensor([*itertools.combinations(strongest, 2)])
            best += [block_r2(codes[:, pairs.flatten()], circle, 2).max()]
    return torch.stack(best)


@pytest.mark.slow
@pytest.mark.parametrize("method", [BlockTopK(BOTH, 2), Grassmannian(BOTH, 2)], ids=str)
def test_planted_circles_are_found_by_blocks(method: Method) -> None:
    found = circle_r2(method, BOTH)
    assert (found > 0.9).sum() >= CIRCLES - 1
    assert found.min() > 0.85


@pytest.mark.slow
def test_planted_circles_one_at_a_time_are_found_by_a_group_lasso() -> None:
    assert (
        circle_r2(GroupLasso(0.3, 2), 1).min() > 0.7
    )  # where codes are shortened to 0, less than 1


@pytest.mark.slow
def test_planted_circles_are_not_found_by_single_atoms() -> None:
    assert (circle_r2(TopK(2 * BOTH), BOTH) < 0.9).all()
