"""Rules make the codes that their formula states, sample by sample."""

import numpy as np
import pytest
import torch
from scipy.optimize import nnls

from visioncircuits.dictionaries import (
    AboveThreshold,
    Largest,
    LargestBlocks,
    Linear,
    NonNegative,
    Rectified,
    Rule,
    ShrunkBlocks,
)

PROJECTIONS = torch.randn(40, 12, generator=torch.Generator().manual_seed(0))
THRESHOLDS = torch.linspace(0, 2, 4)


def largest(row: np.ndarray) -> np.ndarray:
    kept = np.argsort(-row)[:5]
    return np.where(np.isin(np.arange(12), kept) & (row > 0), row, 0)


def largest_blocks(row: np.ndarray) -> np.ndarray:
    blocks = row.reshape(4, 3)
    kept = np.argsort(-np.linalg.norm(blocks, axis=1))[:2]
    return np.where(np.isin(np.arange(4), kept)[:, None], blocks, 0).ravel()


def shrunk(row: np.ndarray) -> np.ndarray:
    found = []
    for block, threshold in zip(row.reshape(4, 3), THRESHOLDS.numpy(), strict=True):
        length = np.linalg.norm(block)
        found += [block / length * max(length - threshold, 0)]
    return np.concatenate(found)


TWINS = {
    "linear": (Linear(), lambda row: row),
    "rectified": (Rectified(), lambda row: np.maximum(row, 0)),
    "largest": (Largest(5), largest),
    "threshold": (AboveThreshold(0.4), lambda row: np.where(row > 0.4, row, 0)),
    "largest blocks": (LargestBlocks(2, 3), largest_blocks),
    "shrunk blocks": (ShrunkBlocks(THRESHOLDS, 3), shrunk),
}


@pytest.mark.parametrize("name", TWINS)
def test_a_rule_is_its_formula(name: str) -> None:
    rule, twin = TWINS[name]
    expected = np.stack([twin(row) for row in PROJECTIONS.numpy()])
    np.testing.assert_allclose(rule(PROJECTIONS).numpy(), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("rule", [rule for rule, _ in TWINS.values()], ids=TWINS)
def test_a_samples_codes_do_not_depend_on_the_others(rule: Rule) -> None:
    alone = torch.cat([rule(row[None]) for row in PROJECTIONS])
    assert torch.equal(alone, rule(PROJECTIONS))


def test_shrunk_blocks_are_the_proximal_map_of_the_group_lasso() -> None:
    row, threshold = PROJECTIONS[0, :3].double(), 0.5
    codes = row.clone().requires_grad_(True)
    optimizer = torch.optim.LBFGS([codes], max_iter=200, tolerance_grad=1e-12)

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        value = (codes - row).square().sum() / 2 + threshold * codes.norm()
        value.backward()
        return value

    optimizer.step(loss)
    found = ShrunkBlocks(torch.tensor([threshold]), 3)(row.float()[None])[0]
    torch.testing.assert_close(found, codes.detach().float(), rtol=1e-4, atol=1e-4)


def test_non_negative_codes_are_those_of_scipy() -> None:
    generator = torch.Generator().manual_seed(1)
    atoms = torch.rand(6, 9, generator=generator, dtype=torch.float64)
    values = torch.rand(20, 9, generator=generator, dtype=torch.float64)
    codes = NonNegative(atoms @ atoms.T)(values @ atoms.T)
    expected = np.stack([nnls(atoms.T.numpy(), row)[0] for row in values.numpy()])
    np.testing.assert_allclose(codes.numpy(), expected, atol=1e-4)
    assert (expected == 0).any()
