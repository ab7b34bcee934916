"""Block-sparse autoencoders: the k blocks of the largest norm are in use, with codes of any sign.

Source: Fel et al., "Structuring Sparsity: Block-Sparse Featurizers Capture Visual Concept
Manifolds" (2026), which calls this one vanilla.
"""

from dataclasses import dataclass

import torch

from visioncircuits.dictionaries.method import Coded, Method, Parameters, Values, gathered
from visioncircuits.dictionaries.rules import LargestBlocks, block_norms
from visioncircuits.numbers import whole


@dataclass(frozen=True)
class BlockTopK(Method):
    """An autoencoder whose codes are the projections in the `k` blocks of the largest norm.

    A block of a few atoms holds what varies together, such as the orientation of a curve.

    Attributes
    ----------
    k
        Number of blocks in use.
    block_size
        Atoms in each.

    Raises
    ------
    InputError
        If a number is not a whole number of 1 or more.

    Examples
    --------
    >>> BlockTopK(8, 4)
    BlockTopK(k=8, block_size=4)
    """

    k: int
    block_size: int

    def __post_init__(self) -> None:
        for name in ("k", "block_size"):
            object.__setattr__(self, name, whole(name, getattr(self, name), least=1))

    def coded(self, projections: Values, parameters: Parameters) -> Coded:
        """Return what the projections in the blocks of the largest norm give."""
        norms = block_norms(projections.detach(), self.block_size)
        blocks = norms.topk(self.k, dim=1, sorted=False).indices
        within = torch.arange(self.block_size, device=blocks.device)
        places = (blocks[:, :, None] * self.block_size + within).flatten(1)
        coded = gathered(places, projections.gather(1, places), parameters)
        used = torch.zeros_like(norms[0], dtype=torch.bool)
        used[blocks.flatten()] = True
        return coded._replace(used=used)

    def largest(self, projections: Values, count: int) -> Values:
        """Return the codes of the `count` blocks of the largest norm."""
        return LargestBlocks(count, self.block_size)(projections)

    def rule(self, parameters: Parameters, projections: Values) -> LargestBlocks:
        """Return the rule of the blocks of the largest norm."""
        return LargestBlocks(self.k, self.block_size)
