"""Capacity: which share of a dimension each feature has to itself.

Source: Scherlis et al., "Polysemanticity and Capacity in Neural Networks" (2022).
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from visioncircuits.errors import InputError


def capacity(weights: Float[Tensor, "features ..."] | Any) -> Float[Tensor, " features"]:
    """Compute each feature's capacity, `C_i = (w_i · w_i)² / Σ_j (w_i · w_j)²`.

    It is 1 for a feature whose weights are orthogonal to those of all others, and less the more it
    shares; all together have at most as much as there are dimensions. Units that compute different
    things from the same inputs in superposition have low capacities, but so have units that are
    merely alike, such as neighboring orientations of a curve detector: it counts what is
    shared, and not whether that is confused.

    Parameters
    ----------
    weights
        A row for each feature: directions, or `ExpandedWeights.weight`, whose other axes are taken
        as one. In any units.

    Returns
    -------
    Tensor
        In [0, 1]; 0 for a feature without weights.

    Raises
    ------
    InputError
        For weights without features or that are not finite.

    Examples
    --------
    Three directions in a plane have two thirds each, two dimensions in all.

    >>> angles = torch.arange(3) * 2 * torch.pi / 3
    >>> shares = capacity(torch.stack([angles.cos(), angles.sin()], 1))
    >>> [round(share, 4) for share in shares.tolist()]
    [0.6667, 0.6667, 0.6667]
    """
    rows = torch.as_tensor(weights)
    if rows.ndim < 2 or not rows.numel() or not rows.isfinite().all():
        raise InputError(
            "capacity needs finite weights with a row for each feature, (features, dimensions), "
            f"not of shape {tuple(rows.shape)}"
        )
    flat = rows.detach().flatten(1).double()
    products = (flat @ flat.T).square()
    return (products.diagonal() / products.sum(1).clamp_min(torch.finfo().tiny)).float()
