"""Independent components as a dictionary.

Source: Hyvärinen and Oja, "Independent component analysis: algorithms and applications" (2000).
"""

import warnings

import torch
from jaxtyping import Float
from sklearn.decomposition import FastICA
from sklearn.exceptions import ConvergenceWarning
from torch import Tensor

from visioncircuits.dictionaries.dictionary import Dictionary
from visioncircuits.dictionaries.factors import described, normalized
from visioncircuits.dictionaries.rules import Linear
from visioncircuits.networks import Network


def ica(
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
    """Find directions whose codes are as independent as a linear map makes them (FastICA).

    Takes memory for four times the activations. Codes are of either sign and none is 0; an atom's
    sign means nothing.

    Parameters
    ----------
    activations
        A layer's.
    layer
        Its name.
    atoms
        How many directions, at most as many as units and as samples.
    normalization
        "none", "scale" or "units"; see `Settings`. It makes no difference with as many atoms as
        units.
    iterations
        The most.
    tolerance
        The fit ends where an iteration turns no component by more.
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
        For activations that are not finite or all the same, another number of atoms, or an unknown
        normalization.

    Examples
    --------
    >>> found = ica(torch.rand(500, 3), "mixed3a", atoms=3)
    >>> found
    Dictionary('mixed3a', ICA, 3 atoms of 3 units)
    """
    values, undone = normalized(activations, atoms, normalization)
    fit = FastICA(
        atoms, whiten="unit-variance", max_iter=iterations, tol=tolerance, random_state=seed
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # it is recorded instead
        fit.fit(values)
    reached = {"iterations": fit.n_iter_, "converged": fit.n_iter_ < fit.max_iter}
    settings = {
        "normalization": normalization,
        "iterations": iterations,
        "tolerance": tolerance,
        "seed": seed,
    }
    return undone.undone(
        layer,
        decoder=torch.tensor(fit.mixing_).T,
        encoder=torch.tensor(fit.components_),
        bias=torch.zeros(atoms),
        offset=torch.tensor(fit.mean_),
        rule=Linear(),
        method="ICA",
        record=described(layer, "ICA", atoms, settings, network) | {"convergence": reached},
    )
