"""A histogram of any number of values in little memory, whose quantiles have a bounded error.

A bin is given by a float's sign, exponent and first five bits of mantissa, so bins are 1/32 to
1/64 of a value wide at any scale of the activations, and computing it takes no logarithm.
"""

from collections.abc import Sequence

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
    # of a float's bits: its sign, its exponent and the first of its mantissa
    size = (values.float().contiguous().view(torch.int32) >> (23 - _MANTISSA)).to(torch.int16)
    sign = size >> (8 + _MANTISSA)  # 0 or -1
    size &= (1 << (8 + _MANTISSA)) - 1
    size.sub_(((_LOW + 127) << _MANTISSA) - 1).clamp_(0, _HALF)
    return size.bitwise_xor_(sign).sub_(sign).add_(_HALF)


def counted(places: Sequence[Int16[Tensor, "_ units"]], counts: Counts | None = None) -> Counts:
    """Count each unit's values by bin.

    Parameters
    ----------
    places
        The `bins` of some values after those of others.
    counts
        Of earlier values, to which these are added in place; by default none.
    """
    units, device = places[0].shape[1], places[0].device
    counts = np.zeros((units, BINS), np.int64) if counts is None else counts
    first = torch.arange(units, device=device, dtype=torch.int32) * BINS
    if device.type == "cpu":
        # Bins of four units fit the cache, and a word of 64 bits; a count waits for the last one of
        # the same bin, which then belongs to another unit.
        together, word = (4, torch.int64) if units % 4 == 0 else (1, torch.int16)
        first = (first % (together * BINS)).to(torch.int16)
        rows = torch.cat([(part + first).view(word).T for part in places], 1).view(torch.int16)
        sums = torch.from_numpy(counts).view(-1, together * BINS)
        for own, row in zip(sums, rows, strict=True):
            own += torch.bincount(row, minlength=together * BINS)
    else:
        found = torch.bincount((torch.cat([*places]) + first).flatten(), minlength=units * BINS)
        counts += found.reshape(units, BINS).cpu().numpy()
    return counts


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
    >>> counts = counted([bins(torch.arange(1.0, 101.0)[:, None])])
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
    >>> counts = counted([bins(torch.tensor([[-3.0], [-1.0], [2.0], [2.0]]))])
    >>> bool(abs(rectified_deviations(counts)[0] - 1) <= 2 * ERROR)
    True
    """
    values = middles().clip(0)
    total = counts.sum(1)
    mean = counts @ values / total
    variance = counts @ values**2 / total - mean**2
    return np.asarray(np.sqrt(variance.clip(0)))
