"""Intervals of means over photographs: by bootstrap, and, against draws of controls, by t."""

import numpy as np
from jaxtyping import Float, Int
from scipy.special import digamma, polygamma
from scipy.stats import t

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


def beyond(
    losses: Float[np.ndarray, "conditions photographs classes"],
) -> tuple[
    Float[np.ndarray, " classes"],
    Float[np.ndarray, " classes"],
    Float[np.ndarray, "draws classes"],
]:
    """Return the loss beyond the controls', its variance over photographs, and each draw's loss."""
    changed, drawn = losses[0], losses[1:]
    paired = changed - drawn.mean(0) if len(drawn) else changed
    means = drawn.mean(1)
    around = means - means.mean(0) if len(drawn) else means
    return paired.mean(0), paired.var(0, ddof=1), around


def welch(
    effect: Float[np.ndarray, " classes"],
    variance: Float[np.ndarray, " classes"],
    freedom: Int[np.ndarray, " classes"],
    draws: Float[np.ndarray, "draws classes"],
) -> tuple[Float[np.ndarray, " classes"], ...]:
    """Return the ends of the intervals and p, by Welch's t.

    `variance` is that of the mean over photographs. Where nothing varies there is no interval, and
    p is 1.
    """
    inverse = variance**2 / freedom
    if len(draws):
        among, draws_freedom = shrunk(draws.var(0, ddof=1), len(draws) - 1)
        of_draws = among * (1 + 1 / len(draws))
        variance = variance + of_draws
        inverse = inverse + of_draws**2 / draws_freedom
    with np.errstate(invalid="ignore", divide="ignore"):
        freedom = variance**2 / inverse
        error = np.sqrt(variance)
        reach = t.ppf((1 + LEVEL) / 2, freedom) * error
        p = 2 * t.sf(np.abs(effect) / error, freedom)
    return effect - reach, effect + reach, np.where(variance > 0, p, 1.0)


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
