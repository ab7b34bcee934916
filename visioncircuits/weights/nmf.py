"""Non-negative matrix factorization that states whether it converged."""

import warnings

import numpy as np
from jaxtyping import Float
from sklearn.decomposition import NMF
from sklearn.exceptions import ConvergenceWarning

Factorized = tuple[
    Float[np.ndarray, "samples factors"], Float[np.ndarray, "factors features"], bool
]


def factorized(
    values: Float[np.ndarray, "samples features"],
    count: int,
    *,
    init: str,
    iterations: int,
    tolerance: float,
    seed: int,
) -> Factorized:
    """Return amounts and factors, and whether the fit came to its tolerance.

    Examples
    --------
    >>> values = np.outer([1.0, 2.0, 0.0], [3.0, 1.0])
    >>> amounts, factors, converged = factorized(
    ...     values, 1, init="nndsvd", iterations=200, tolerance=1e-6, seed=0
    ... )
    >>> bool(np.allclose(amounts @ factors, values)), converged
    (True, True)
    """
    fit = NMF(count, init=init, max_iter=iterations, tol=tolerance, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # it is returned instead
        amounts = fit.fit_transform(values)
    return amounts, fit.components_, fit.n_iter_ < iterations
