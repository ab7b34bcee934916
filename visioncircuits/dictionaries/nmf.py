"""Non-negative factors as a dictionary.

Sources: Lee and Seung (1999); Olah et al., "The Building Blocks of Interpretability" (2018), which
groups a layer's units so.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from visioncircuits.dictionaries.dictionary import Dictionary
from visioncircuits.dictionaries.factors import described, normalized
from visioncircuits.dictionaries.rules import NonNegative
from visioncircuits.errors import InputError
from visioncircuits.networks import Network
from visioncircuits.weights.nmf import factorized


def nmf(
    activations: Float[Tensor, "samples units"],
    layer: str,
    *,
    atoms: int,
    normalization: str = "none",
    iterations: int = 1000,
    tolerance: float = 1e-4,
    seed: int = 0,
    network: Network | None = None,
) -> Dictionary:
    """Find non-negative directions of which activations are a non-negative sum.

    Takes memory for three times the activations. Codes are those of the least squared error, found
    again for each sample (`NonNegative`).

    Parameters
    ----------
    activations
        A layer's, none below 0.
    layer
        Its name.
    atoms
        How many directions.
    normalization
        "none", "scale" or "units", which here divides by the standard deviations alone, so that
        activations stay non-negative.
    iterations
        The most.
    tolerance
        The fit ends where an iteration moves the factors by this share of what the first moved
        them.
    seed
        For the start.
    network
        That they are of, for the record.

    Returns
    -------
    Dictionary
        Its record has `convergence`.

    Raises
    ------
    InputError
        For activations below 0, not finite or all the same, another number of atoms, or an unknown
        normalization.

    Examples
    --------
    >>> found = nmf(torch.rand(60, 5), "mixed3a", atoms=2)
    >>> bool((found.atoms >= 0).all())
    True
    """
    if (activations < 0).any():
        raise InputError(
            "NMF needs activations of 0 or more: pass those after the rectifier, or choose pca"
        )
    values, undone = normalized(activations, atoms, normalization, centered=False)
    fit = factorized(
        values, atoms, init="nndsvda", iterations=iterations, tolerance=tolerance, seed=seed
    )
    reached = {"iterations": fit.iterations, "converged": fit.converged}
    directions = torch.nn.functional.normalize(torch.tensor(fit.factors), dim=1)
    settings = {
        "normalization": normalization,
        "iterations": iterations,
        "tolerance": tolerance,
        "seed": seed,
    }
    return undone.undone(
        layer,
        decoder=directions,
        encoder=directions,
        bias=torch.zeros(atoms),
        offset=torch.zeros(directions.shape[1]),
        rule=NonNegative((directions @ directions.T).float()),
        method="NMF",
        record=described(layer, "NMF", atoms, settings, network) | {"convergence": reached},
    )
