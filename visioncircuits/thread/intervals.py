"""Intervals of a statistic: by bootstrap, of draws, of a share."""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float


def interval(
    values: Float[np.ndarray, "draws *rest"],
    rng: np.random.Generator,
    *,
    statistic: Callable[[np.ndarray], float] = lambda drawn: float(np.median(drawn)),
    draws: int = 1000,
) -> tuple[float, float]:
    """Compute the middle 95 % of a statistic over draws of `values` with replacement.

    Parameters
    ----------
    values
        Of units, or photographs; drawn along the first axis. Where there is no other, NaN are left
        out: units that do not respond have no preference. Fewer than three have no interval: NaN.
    rng
        Draws the samples.
    statistic
        By default the median.
    draws
        How many.

    Examples
    --------
    >>> low, high = interval(np.arange(100.0), np.random.default_rng(0))
    >>> bool(low < 49.5 < high), bool(high - low < 40)
    (True, True)
    """
    if values.ndim == 1:
        values = values[~np.isnan(values)]
    if (count := len(values)) < 3:
        return np.nan, np.nan
    return middle([statistic(values[rng.integers(0, count, count)]) for _ in range(draws)])


def middle(drawn: Sequence[float] | Float[np.ndarray, " draws"]) -> tuple[float, float]:
    """Return the 2.5th and the 97.5th percentile.

    Examples
    --------
    >>> middle(np.arange(201.0))
    (5.0, 195.0)
    """
    low, high = np.quantile(drawn, (0.025, 0.975)).tolist()
    return low, high


def null(
    statistic: Callable[[np.ndarray], float],
    values: Float[np.ndarray, "count *rest"],
    rng: np.random.Generator,
    *,
    draws: int = 1000,
) -> tuple[float, float]:
    """Compute the middle 95 % of a statistic over permutations of `values`.

    Parameters
    ----------
    statistic
        Is called with the permuted values.
    values
        Permuted along the first axis.
    rng
        Draws the permutations.
    draws
        How many.

    Examples
    --------
    >>> ramp, rng = np.arange(100.0), np.random.default_rng(0)
    >>> low, high = null(lambda drawn: np.corrcoef(ramp, drawn)[0, 1], ramp, rng)
    >>> bool(-0.3 < low < 0 < high < 0.3)
    True
    """
    return middle([statistic(rng.permutation(values)) for _ in range(draws)])


def share_interval(count: int, total: int) -> tuple[float, float]:
    """Compute the 95 % interval of a share, `count` of `total` (Wilson, 1927).

    Examples
    --------
    >>> low, high = share_interval(10, 100)
    >>> round(low, 3), round(high, 3)
    (0.055, 0.174)
    """
    share, spread = count / total, 1.96**2 / total
    half = 1.96 * (share * (1 - share) / total + spread / (4 * total)) ** 0.5
    low, high = (share + spread / 2 + sign * half for sign in (-1, 1))
    return low / (1 + spread), high / (1 + spread)
