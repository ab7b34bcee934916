"""Block-sparse autoencoders by a penalty on the norms of blocks: the group lasso.

Source: Fel et al., "Structuring Sparsity: Block-Sparse Featurizers Capture Visual Concept
Manifolds" (2026); the penalty is that of Yuan and Lin (2006).
"""

from dataclasses import dataclass

import torch

from visioncircuits.dictionaries.method import Coded, Method, Parameters, Values, dense
from visioncircuits.dictionaries.rules import LargestBlocks, ShrunkBlocks, block_norms
from visioncircuits.numbers import real, whole


@dataclass(frozen=True)
class GroupLasso(Method):
    """An autoencoder with a penalty on the sum of its blocks' norms.

    Projections of a block are shortened by a threshold, which is learned, as the proximal map of
    the penalty shortens them; those shorter than it are 0.

    Attributes
    ----------
    penalty
        Weight of ``Σ ‖z_block‖ / √V``; see `L1`.
    block_size
        Atoms in each block.

    Raises
    ------
    InputError
        If the penalty is not above 0, or the size no whole number of 1 or more.

    Examples
    --------
    >>> GroupLasso(0.05, 4)
    GroupLasso(penalty=0.05, block_size=4)
    """

    penalty: float
    block_size: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "penalty", real("penalty", self.penalty, least=0, open=True))
        object.__setattr__(self, "block_size", whole("block_size", self.block_size, least=1))

    def start(self, units: int, atoms: int, generator: torch.Generator) -> Parameters:
        """Draw the parameters; thresholds begin at 0."""
        thresholds = torch.zeros(atoms // self.block_size)
        return super().start(units, atoms, generator) | {"thresholds": thresholds}

    def constrain(self, parameters: Parameters) -> None:
        """Give atoms length 1 and thresholds at least 0 again after a step."""
        super().constrain(parameters)
        if "thresholds" in parameters:
            parameters["thresholds"].clamp_(min=0)

    def coded(self, projections: Values, parameters: Parameters) -> Coded:
        """Return what the shortened projections give."""
        codes = ShrunkBlocks(parameters["thresholds"], self.block_size)(projections)
        penalty = self.penalty * block_norms(codes, self.block_size).sum(1)
        return dense(codes, parameters, penalty, self.block_size)

    def largest(self, projections: Values, count: int) -> Values:
        """Return the codes of the `count` blocks of the largest norm."""
        return LargestBlocks(count, self.block_size)(projections)

    def rule(self, parameters: Parameters, projections: Values) -> ShrunkBlocks:
        """Return the rule of the thresholds that were learned."""
        return ShrunkBlocks(parameters["thresholds"].detach().clone(), self.block_size)
