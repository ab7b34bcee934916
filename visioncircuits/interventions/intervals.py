"""Intervals of means over photographs, by bootstrap."""

import numpy as np
from jaxtyping import Float

RESAMPLES = 4000

LEVEL = 0.95

_MOST = 2**25
"""Numbers drawn at most: of very many photographs fewer resamples are taken."""


def resamples(count: int, seed: int) -> Float[np.ndarray, "photographs resamples"]:
    """Return how often each photograph is drawn in each resample, over their number.

    Its product with values by photograph is their mean in each resample.

    Examples
    --------
    >>> resamples(10, seed=0).sum(0).round(9).min()
    np.float64(1.0)
    """
    generator = np.random.default_rng(seed)
    draws = min(RESAMPLES, max(_MOST // count, RESAMPLES // 10))
    return generator.multinomial(count, np.full(count, 1 / count), draws).T / count


def ends(resampled: Float[np.ndarray, "*rest resamples"]) -> Float[np.ndarray, "2 *rest"]:
    """Return the lower and the upper end of the 95 % interval.

    Examples
    --------
    >>> ends(np.arange(201.0)).round(9).tolist()
    [5.0, 195.0]
    """
    levels = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
    return np.asarray(np.quantile(resampled, levels, axis=-1))
