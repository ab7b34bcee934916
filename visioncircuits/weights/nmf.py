"""Non-negative matrix factorization that states whether it converged."""

import warnings
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from sklearn.decomposition import NMF
from sklearn.exceptions import ConvergenceWarning


class Factorized(NamedTuple):
    """Amounts and factors, and how the fit ended."""

    amounts: Float[np.ndarray, "samples factors"]
    factors: Float[np.ndarray, "factors features"]
    iterations: int
    converged: bool


def factorized(
    values: Float[np.ndarray, "samples features"],
    count: int,
    *,
    init: str,
    iterations: int,
    tolerance: float,
    seed: int,
) -> Factorized:
    """Factorize, and state whether the fit came to its tolerance before its last iteration.

    Examples
    --------
    >>> values = np.outer([1.0, 2.0, 0.0], [3.0, 1.0])
    >>> found = factorized(values, 1, init="nndsvd", iterations=200, tolerance=1e-6, seed=0)
    >>> bool(np.allclose(found.amounts @ found.factors, values)), found.converged
    (True, True)
    """
    fit = NMF(count, init=init, max_iter=iterations, tol=tolerance, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # it is returned instead
        amounts = fit.fit_transform(values)
    return Factorized(amounts, fit.components_, fit.n_iter_, fit.n_iter_ < iterations)
