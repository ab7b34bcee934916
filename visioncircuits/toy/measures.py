"""How much superposition there is: what each feature has of a dimension, and interference.

All take W of a toy model, whose columns W_i are its features' directions, or W of many models.
"""

import numpy as np
import xarray as xr
from jaxtyping import Bool, Float

from visioncircuits import numbers

Weights = Float[np.ndarray, "*instances hidden features"] | xr.DataArray
Readout = Float[np.ndarray, "*instances features hidden"] | xr.DataArray
PerFeature = Float[np.ndarray, "*instances features"]

REPRESENTED = 0.5
"""Length of a direction from which its feature is represented: learned ones are about 1 long."""


def dimensionality(weights: Weights, readout: Readout | None = None) -> PerFeature:
    """Measure which share of a dimension every feature has: ``|W_i|² / Σ_j (Ŵ_i·W_j)²``.

    Ŵ_i is the direction W_i at length 1, and j runs over all features, i too. It is 1 for a feature
    that shares its dimension with none, 1/2 for each of two that are opposite, and 0 for one
    without a direction.

    Parameters
    ----------
    weights
        Directions as columns, such as `solutions.weights`.
    readout
        Rows R_i by which features are read, such as `solutions.output_weights`, where these are not
        the directions themselves: the measure is then ``(R_i·W_i)² / Σ_j (R_i·W_j)²``, which is the
        same where R is Wᵀ.

    Notes
    -----
    With m dimensions RW has the rank m, and ``(R_i·W_i)² / Σ_j (R_i·W_j)²`` is the squared cosine
    of the i-th axis with a vector in the space of its rows, so that no readout has a sum above m.

    From "Toy Models of Superposition" (Elhage et al., 2022), which finds that it sums up to about
    the number of dimensions. It does exactly where the features form a tight frame, WWᵀ ∝ I.

    Examples
    --------
    >>> dimensionality(np.array([[1.0, -1.0, 0.0], [0.0, 0.0, 1.0]])).tolist()
    [0.5, 0.5, 1.0]
    """
    directions = np.asarray(weights)
    rows = np.swapaxes(directions, -1, -2) if readout is None else np.asarray(readout)
    squares = (rows @ directions) ** 2
    own, every = np.diagonal(squares, axis1=-2, axis2=-1), squares.sum(-1)
    shares: PerFeature = np.divide(own, every, out=np.zeros_like(every), where=every > 0)
    return shares


def interference(weights: Weights) -> PerFeature:
    """Measure how much of other features is read as each: Σ_{j≠i} (Ŵ_i·W_j)².

    It is 0 for a feature that is orthogonal to all others, and 1 for each of two that are opposite.

    Parameters
    ----------
    weights
        Directions as columns.

    Examples
    --------
    >>> interference(np.array([[1.0, -1.0, 0.0], [0.0, 0.0, 1.0]])).tolist()
    [1.0, 1.0, 0.0]
    """
    squares = _projections(np.asarray(weights)) ** 2
    own = np.diagonal(squares, axis1=-2, axis2=-1)
    return np.asarray(squares.sum(-1) - own)


def represented(
    weights: Weights, *, least: float = REPRESENTED
) -> Bool[np.ndarray, "*instances features"]:
    """Return which features have a direction of at least a length.

    Parameters
    ----------
    weights
        Directions as columns.
    least
        The length; features that were learned are about 1 long, others near 0.

    Raises
    ------
    InputError
        If the length is not positive.

    Examples
    --------
    >>> represented(np.array([[1.0, 0.02], [0.0, 0.0]])).tolist()
    [True, False]
    """
    numbers.real("least", least, least=0, open=True)
    return np.asarray(np.linalg.norm(np.asarray(weights), axis=-2) >= least)


def _projections(
    directions: Float[np.ndarray, "*instances hidden features"],
) -> Float[np.ndarray, "*instances features features"]:
    """Return Ŵ_i·W_j in row i, column j; 0 where W_i has no direction."""
    lengths = np.linalg.norm(directions, axis=-2, keepdims=True)
    units = np.divide(directions, lengths, out=np.zeros_like(directions), where=lengths > 0)
    return np.asarray(np.swapaxes(units, -1, -2) @ directions)
