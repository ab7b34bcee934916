"""How the projections of activations on a dictionary's encoder become its codes."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

Projections = Float[Tensor, "samples atoms"]
Codes = Float[Tensor, "samples atoms"]
Norms = Float[Tensor, "samples blocks"]


class Rule(ABC):
    """Turns `(samples, atoms)` projections into codes of the same shape, each sample by itself.

    A subclass is a frozen dataclass of numbers and tensors, which are saved with the dictionary.

    Attributes
    ----------
    block_size
        Atoms that are in use together or not at all; 1 where each is by itself.

    Examples
    --------
    >>> isinstance(Largest(32), Rule), Largest(32).block_size
    (True, 1)
    """

    block_size = 1

    @abstractmethod
    def __call__(self, projections: Projections) -> Codes:
        """Return the codes."""


@dataclass(frozen=True)
class Linear(Rule):
    """Codes are the projections, of either sign and not sparse: PCA, ICA.

    Examples
    --------
    >>> Linear()(torch.tensor([[-1.0, 2.0]]))
    tensor([[-1.,  2.]])
    """

    def __call__(self, projections: Projections) -> Codes:
        """Return the projections."""
        return projections


@dataclass(frozen=True)
class Rectified(Rule):
    """Codes are the projections above 0: autoencoders with an L1 penalty.

    Examples
    --------
    >>> Rectified()(torch.tensor([[-1.0, 2.0]]))
    tensor([[0., 2.]])
    """

    def __call__(self, projections: Projections) -> Codes:
        """Return the projections above 0."""
        return projections.relu()


@dataclass(frozen=True)
class Largest(Rule):
    """Codes are the `k` largest projections of each sample, where they are above 0: TopK.

    Examples
    --------
    >>> Largest(1)(torch.tensor([[1.0, 2.0], [-1.0, -2.0]]))
    tensor([[0., 2.],
            [0., 0.]])
    """

    k: int

    def __call__(self, projections: Projections) -> Codes:
        """Return the largest projections."""
        top = projections.relu().topk(self.k, dim=1)
        return torch.zeros_like(projections).scatter(1, top.indices, top.values)


@dataclass(frozen=True)
class AboveThreshold(Rule):
    """Codes are the projections above a threshold of 0 or more: BatchTopK after training.

    Examples
    --------
    >>> AboveThreshold(1.5)(torch.tensor([[1.0, 2.0]]))
    tensor([[0., 2.]])
    """

    threshold: float

    def __call__(self, projections: Projections) -> Codes:
        """Return the projections above the threshold."""
        return projections * (projections > self.threshold)


@dataclass(frozen=True)
class LargestBlocks(Rule):
    """Codes are the projections in the `k` blocks in which they have the largest norm.

    Examples
    --------
    >>> LargestBlocks(1, 2)(torch.tensor([[1.0, -2.0, 0.0, 2.0]]))
    tensor([[ 1., -2.,  0.,  0.]])
    """

    k: int
    block_size: int

    def __call__(self, projections: Projections) -> Codes:
        """Return the projections in the blocks of the largest norm."""
        norms = block_norms(projections, self.block_size)
        kept = torch.zeros_like(norms).scatter(1, norms.topk(self.k, dim=1).indices, 1.0)
        return projections * kept.repeat_interleave(self.block_size, dim=1)


@dataclass(frozen=True, eq=False)
class ShrunkBlocks(Rule):
    """The projections of a block, shortened by its threshold: codes of a group lasso.

    ``z = p · max(0, 1 − threshold / ‖p‖)`` for the projections p of each block.

    Examples
    --------
    >>> ShrunkBlocks(torch.tensor([1.0, 9.0]), 2)(torch.tensor([[0.0, -2.0, 3.0, 4.0]]))
    tensor([[ 0., -1.,  0.,  0.]])
    """

    thresholds: Float[Tensor, " blocks"]
    block_size: int

    def __call__(self, projections: Projections) -> Codes:
        """Return the shortened projections."""
        norms = block_norms(projections, self.block_size)
        left = (1 - self.thresholds / norms.clamp(min=1e-12)).relu()
        return projections * left.repeat_interleave(self.block_size, dim=1)


@dataclass(frozen=True, eq=False)
class NonNegative(Rule):
    """The non-negative codes of the least squared error: NMF.

    Coordinate descent (Cichocki and Phan 2009) on ``½ zᵀGz − pᵀz`` for projections p, over codes
    z ≥ 0.

    Attributes
    ----------
    overlap
        The matrix G of the atoms' dot products.
    tolerance
        Descent ends where a sweep over all atoms moves no code by more than this share of the
        largest.
    sweeps
        The most.

    Examples
    --------
    >>> NonNegative(torch.tensor([[1.0, 0.5], [0.5, 1.0]]))(torch.tensor([[1.0, 0.2]]))
    tensor([[1., 0.]])
    """

    overlap: Float[Tensor, "atoms atoms"]
    tolerance: float = 1e-6
    sweeps: int = 1000

    def __call__(self, projections: Projections) -> Codes:
        """Return the codes of the least error."""
        rows = projections.T.contiguous()  # an atom's codes lie together
        codes = torch.zeros_like(rows)
        diagonal = self.overlap.diagonal().clamp(min=1e-12)
        for _ in range(self.sweeps):
            before = codes.clone()
            for atom, own in enumerate(self.overlap):
                error = rows[atom] - own @ codes
                codes[atom] = (codes[atom] + error / diagonal[atom]).relu()
            if (codes - before).abs().max() <= self.tolerance * codes.max():
                break
        return codes.T.contiguous()


def block_norms(values: Float[Tensor, "samples atoms"], block_size: int) -> Norms:
    """Return the length of each block's values, which is what is sparse with blocks.

    Examples
    --------
    >>> block_norms(torch.tensor([[3.0, 4.0, 0.0, 1.0]]), 2)
    tensor([[5., 1.]])
    """
    norms: Tensor = torch.linalg.vector_norm(values.reshape(len(values), -1, block_size), dim=2)
    return norms


def in_use(codes: Codes, block_size: int) -> Bool[Tensor, "samples blocks"]:
    """Return which blocks have a code that is not 0.

    Examples
    --------
    >>> in_use(torch.tensor([[3.0, 0.0, 0.0, 0.0]]), 2)
    tensor([[ True, False]])
    """
    return (codes != 0).reshape(len(codes), -1, block_size).any(dim=2)
