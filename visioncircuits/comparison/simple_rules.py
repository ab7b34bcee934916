"""Rules without a circuit that likeness is held against: a bump of orientation, local contrast."""

import numpy as np
import xarray as xr
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from visioncircuits.comparison.families import correlations
from visioncircuits.networks import Layer
from visioncircuits.networks.network import Pictures
from visioncircuits.tuning import angular_distance
from visioncircuits.tuning.orientation import period

BUMP = 20.0
"""Degrees: the standard deviation of the bump."""

WINDOW = 33
"""Pixels that local contrast is measured over."""


def bump(trained: xr.DataArray, prefers: Float[np.ndarray, " units"]) -> xr.DataArray:
    """Correlate positive responses with a Gaussian bump in orientation, the same on all other axes.

    Parameters
    ----------
    trained
        Responses by `unit`, `orientation` and other axes.
    prefers
        The orientation that each unit prefers, degrees.

    Returns
    -------
    xarray.DataArray
        Of the positive responses over all axes, by `unit`, as `compare_tuning` has it of a
        handwritten counterpart.

    Examples
    --------
    >>> angles = np.arange(0.0, 360.0, 10.0)
    >>> peaked = np.exp(-0.5 * (np.abs(angles - 90) / 20) ** 2)
    >>> responses = xr.DataArray([peaked], {"orientation": angles}, ("unit", "orientation"))
    >>> bump(responses, np.array([90.0])).values.round(3).tolist()
    [1.0]
    """
    around = trained.transpose("unit", "orientation", ...)
    angles = around["orientation"].values.astype(float)
    apart = angular_distance(angles, np.asarray(prefers)[:, None], period=period(trained))
    shape = (*apart.shape, *[1] * (around.ndim - 2))
    ideal = np.broadcast_to(np.exp(-0.5 * (apart / BUMP) ** 2).reshape(shape), around.shape)
    found = correlations(around.clip(min=0), around.copy(data=ideal))
    return xr.DataArray(found, dims="unit")


def negative_contrast(pictures: Pictures, layer: Layer) -> Float[Tensor, "batch rows columns"]:
    """Compute the negative of local contrast, where the neurons of a layer look.

    It is the standard deviation of gray values over a square of `WINDOW` pixels.

    Examples
    --------
    >>> import torch
    >>> from visioncircuits.networks import untrained
    >>> layer = untrained("bvlc_googlenet").layer_at("mixed3b", (96, 96))
    >>> negative_contrast(torch.ones(1, 3, 96, 96), layer).abs().max() < 1e-3
    tensor(True)
    """
    gray = pictures.mean(1, keepdim=True)
    mean, square = _means(gray), _means(gray**2)
    contrast = (square - mean**2).clamp(min=0).sqrt()[:, 0]
    rows, columns = (
        [int(layer.center((place, place))[axis]) for place in range(layer.shape[axis])]
        for axis in (0, 1)
    )
    height, width = contrast.shape[1:]
    inside = [min(max(row, 0), height - 1) for row in rows]
    across = [min(max(column, 0), width - 1) for column in columns]
    return -contrast[:, inside][:, :, across]


def _means(maps: Float[Tensor, "batch 1 rows columns"]) -> Float[Tensor, "batch 1 rows columns"]:
    """Average over squares of `WINDOW` pixels, as far as they are inside: rows, then columns."""
    half = WINDOW // 2
    by_row = functional.avg_pool2d(maps, (WINDOW, 1), 1, (half, 0), count_include_pad=False)
    return functional.avg_pool2d(by_row, (1, WINDOW), 1, (0, half), count_include_pad=False)
