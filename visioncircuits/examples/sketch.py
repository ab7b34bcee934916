"""A histogram of any number of values in little memory, whose quantiles have a bounded error.

A bin is given by a float's sign, exponent and first five bits of mantissa, so bins are 1/32 to
1/64 of a value wide at any scale of the activations, and computing it takes no logarithm.
"""

import numpy as np
import torch
from jaxtyping import Float, Int16, Int64
from torch import Tensor

_MANTISSA = 5
_LOW, _HIGH = -20, 20
_HALF = (_HIGH - _LOW) << _MANTISSA

BINS = 2 * _HALF + 1
"""Negative values, then zero (magnitudes below 2**-20), then positive ones up to 2**20."""

ERROR = 2.0 ** -(_MANTISSA + 1)
"""The largest relative error of a quantile: 1.6 %."""

Counts = Int64[np.ndarray, "units bins"]


def bins(values: Float[Tensor, "*shape"]) -> Int16[Tensor, "*shape"]:
    """Return each value's bin.

    Examples
    --------
    >>> bins(torch.tensor([-1.0, 0.0, 1.0])).sub(_HALF).tolist() == [-641, 0, 641]
    True
    """
    # the upper half of a float: its sign, its exponent and seven bits of mantissa
    upper = values.float().contiguous().view(torch.int16)[..., 1::2]
    size = upper >> (7 - _MANTISSA)
    sign = size >> (8 + _MANTISSA)  # 0 or -1
    size &= (1 << (8 + _MANTISSA)) - 1
    size.sub_(((_LOW + 127) << _MANTISSA) - 1).clamp_(0, _HALF)
    return size.bitwise_xor_(sign).sub_(sign).add_(_HALF)


def counted(values: Float[Tensor, "units values"]) -> Counts:
    """Count each unit's values by bin."""
    places = bins(values)
    if places.device.type == "cpu":  # one unit at a time fits the cache
        counts = torch.cat([torch.bincount(unit, minlength=BINS) for unit in places])
    else:
        first = torch.arange(len(places), device=places.device, dtype=torch.int32)[:, None] * BINS
        counts = torch.bincount((places + first).flatten(), minlength=len(places) * BINS)
    return counts.reshape(len(places), BINS).cpu().numpy()


def positive(counts: Counts, values: Float[Tensor, "units values"]) -> Int64[np.ndarray, " units"]:
    """Count each unit's values above zero, mostly from the counts of bins.

    Parameters
    ----------
    counts
        Of the same values, from `counted`.

    Examples
    --------
    >>> values = torch.tensor([[-1.0, 0.0, 1e-30, 2.0]])
    >>> positive(counted(values), values).tolist()
    [2]
    """
    found: np.ndarray = counts[:, _HALF + 1 :].sum(1)
    if counts[:, _HALF].any():  # zeros and values near zero
        found += ((values > 0) & (values < 2.0**_LOW)).sum(1).cpu().numpy()
    return found


def middles() -> Float[np.ndarray, " bins"]:
    """Return the center of each bin.

    Examples
    --------
    >>> float(middles()[_HALF])
    0.0
    """
    low = edges_of_size()
    size = (low[:-1] + low[1:]) / 2
    return np.concatenate([-size[::-1], [0.0], size])


def edges() -> Float[np.ndarray, " edges"]:
    """Return the edges of the bins, one more than there are bins."""
    low = edges_of_size()
    return np.concatenate([-low[::-1], low])


def edges_of_size() -> Float[np.ndarray, " edges"]:
    """Return the edges of the positive bins."""
    steps = np.arange(_HALF + 1)
    return (1 + (steps % (1 << _MANTISSA)) / (1 << _MANTISSA)) * 2.0 ** (
        _LOW + (steps >> _MANTISSA)
    )


def quantiles(
    counts: Counts, shares: Float[np.ndarray, " shares"]
) -> Float[np.ndarray, "units shares"]:
    """Compute quantiles, each to a relative error of `ERROR`.

    Parameters
    ----------
    counts
        From `counted`, summed over batches.
    shares
        In [0, 1].

    Examples
    --------
    >>> counts = counted(torch.arange(1.0, 101.0)[None])
    >>> bool(abs(quantiles(counts, np.array([0.5]))[0, 0] - 50) <= 50 * ERROR)
    True
    """
    total = counts.sum(1, keepdims=True)
    ranks = np.ceil(np.asarray(shares)[None] * total).clip(1)
    cumulated = counts.cumsum(1)
    places = np.stack(
        [np.searchsorted(row, rank) for row, rank in zip(cumulated, ranks, strict=True)]
    )
    found: np.ndarray = middles()[places]
    return found


def rectified_deviations(counts: Counts) -> Float[np.ndarray, " units"]:
    """Compute the standard deviations of the positive parts, to a relative error of some `ERROR`.

    Parameters
    ----------
    counts
        From `counted`, summed over batches.

    Examples
    --------
    >>> counts = counted(torch.tensor([[-3.0, -1.0, 2.0, 2.0]]))
    >>> bool(abs(rectified_deviations(counts)[0] - 1) <= 2 * ERROR)
    True
    """
    values = middles().clip(0)
    total = counts.sum(1)
    mean = counts @ values / total
    variance = counts @ values**2 / total - mean**2
    return np.asarray(np.sqrt(variance.clip(0)))
