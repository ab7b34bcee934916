"""Block-sparse autoencoders whose blocks are subspaces: points of a Grassmannian.

Source: Fel et al., "Structuring Sparsity: Block-Sparse Featurizers Capture Visual Concept
Manifolds" (2026).
"""

from dataclasses import dataclass

import torch

from visioncircuits.dictionaries.block_topk import BlockTopK
from visioncircuits.dictionaries.method import Parameters


@dataclass(frozen=True)
class Grassmannian(BlockTopK):
    """An autoencoder whose `k` blocks in use are each a point in the subspace that they span.

    As `BlockTopK`, with atoms that are orthonormal within each block: after every step they are
    replaced by the Q of their QR decomposition. (In the layer's own units they are orthonormal
    unless units were normalized one by one.)

    Attributes
    ----------
    tied
        Whether the encoder is the decoder, without a bias: codes are orthogonal projections on the
        subspaces. That is what they are if these are orthogonal to each other, not in
        superposition.

    Examples
    --------
    >>> Grassmannian(8, 4)
    Grassmannian(k=8, block_size=4, tied=False)
    """

    tied: bool = False

    def constrain(self, parameters: Parameters) -> None:
        """Make each block's atoms orthonormal again after a step."""
        decoder = parameters["decoder"]
        blocks = decoder.reshape(-1, self.block_size, decoder.shape[1])
        # R by Cholesky: its diagonal is positive, so that atoms keep their sign
        lower = torch.linalg.cholesky(blocks @ blocks.mT)
        decoder.copy_(torch.linalg.solve_triangular(lower, blocks, upper=False).flatten(0, 1))
