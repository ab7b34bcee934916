"""Intervals of means over photographs, by bootstrap; variances of a few draws, shrunk."""

import numpy as np
from jaxtyping import Float
from scipy.special import digamma, polygamma

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


def shrunk(
    variances: Float[np.ndarray, " *classes"], freedom: int
) -> tuple[Float[np.ndarray, " *classes"], float]:
    """Shrink variances of a few draws to what they have in common, and return their freedom.

    The empirical Bayes estimate of Smyth, "Linear models and empirical Bayes methods for assessing
    differential expression in microarray experiments" (2004): the prior's scale and degrees of
    freedom are those that fit the mean and the variance of the logarithms.

    Examples
    --------
    The variances of 4 draws each, which differ no more than chance makes them, are shrunk to one:

    >>> draws = np.random.default_rng(0).normal(0, 2, (4, 1000))
    >>> variances, freedom = shrunk(draws.var(0, ddof=1), 3)
    >>> np.ptp(variances).round(1), variances.mean().round(1), freedom > 100
    (np.float64(0.0), np.float64(4.0), True)
    """
    positive = variances[variances > 0]
    if len(positive) < 2:
        return variances, freedom
    logs = np.log(positive) - digamma(freedom / 2) + np.log(freedom / 2)
    excess = float(logs.var(ddof=1) - polygamma(1, freedom / 2))
    if excess <= 0:
        return np.full_like(variances, np.exp(logs.mean())), np.inf
    prior = 2 * _inverse_trigamma(excess)
    scale = float(np.exp(logs.mean() + digamma(prior / 2) - np.log(prior / 2)))
    return (prior * scale + freedom * variances) / (prior + freedom), prior + freedom


def _inverse_trigamma(value: float) -> float:
    """Solve trigamma(x) = value by Newton's method, as Smyth does.

    Examples
    --------
    >>> round(_inverse_trigamma(float(polygamma(1, 2.5))), 6)
    2.5
    """
    x = 0.5 + 1 / value
    for _ in range(50):
        at = polygamma(1, x)
        x += at * (1 - at / value) / polygamma(2, x)
    return float(x)
