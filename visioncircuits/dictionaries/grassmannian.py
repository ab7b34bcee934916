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
    """An autoencoder of `k` orthogonal projections, each on the subspace that a block spans.

    The encoder is the decoder, without a bias, and each block's atoms are orthonormal: after every
    step they are replaced by the Q of their QR decomposition. (In the layer's own units they are
    orthonormal unless units were normalized one by one.)

    Examples
    --------
    >>> Grassmannian(8, 4)
    Grassmannian(k=8, block_size=4)
    """

    tied = True

    def constrain(self, parameters: Parameters) -> None:
        """Make each block's atoms orthonormal again after a step."""
        decoder = parameters["decoder"]
        blocks = decoder.reshape(-1, self.block_size, decoder.shape[1])
        # R by Cholesky: its diagonal is positive, so that atoms keep their sign
        lower = torch.linalg.cholesky(blocks @ blocks.mT)
        decoder.copy_(torch.linalg.solve_triangular(lower, blocks, upper=False).flatten(0, 1))
