"""Principal components as a dictionary."""

from typing import Any

import torch
from jaxtyping import Float
from sklearn.decomposition import PCA
from torch import Tensor

from visioncircuits.dictionaries.dictionary import Dictionary
from visioncircuits.dictionaries.factors import described, normalized
from visioncircuits.dictionaries.rules import Linear
from visioncircuits.networks import Network


def pca(
    activations: Float[Tensor, "samples units"],
    layer: str,
    *,
    atoms: int,
    normalization: str = "none",
    network: Network | None = None,
) -> Dictionary:
    """Find the orthogonal directions of the largest variance, the largest first.

    Takes memory for three times the activations. Codes are of either sign and none is 0.

    Parameters
    ----------
    activations
        A layer's.
    layer
        Its name.
    atoms
        How many directions, at most as many as units and as samples.
    normalization
        "none", "scale" or "units"; see `Settings`.
    network
        That they are of, for the record.

    Returns
    -------
    Dictionary
        Its record has the share of the variance that each atom `explained`.

    Raises
    ------
    InputError
        For activations that are not finite or all the same, another number of atoms, or an unknown
        normalization.

    Examples
    --------
    >>> found = pca(torch.rand(50, 4) * torch.tensor([9.0, 1, 1, 1]), "mixed3a", atoms=1)
    >>> float(found.atoms[0, 0].abs()) > 0.99
    True
    """
    values, undone = normalized(activations, atoms, normalization)
    fit = PCA(atoms, svd_solver="full").fit(values)
    directions = torch.tensor(fit.components_)
    settings: dict[str, Any] = {"normalization": normalization}
    return undone.undone(
        layer,
        decoder=directions,
        encoder=directions,
        bias=torch.zeros(atoms),
        offset=torch.tensor(fit.mean_),
        rule=Linear(),
        method="PCA",
        record=described(layer, "PCA", atoms, settings, network)
        | {"explained": [round(float(share), 6) for share in fit.explained_variance_ratio_]},
    )
