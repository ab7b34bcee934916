"""The area under the ROC curve of several units at once, with an interval.

The area (AUC) is the probability that a unit is stronger in one of the positives than in one of the
negatives, where equal values count half. Its variance is that of DeLong, DeLong and Clarke-Pearson
(1988), over positives and negatives as they were drawn. The area plus or minus some of its roots is
no honest interval for a selective unit: of an area of 0.99 with 20 positives and 20 negatives such
intervals hold it in 60 % of samples, not 95, and at 1 they have no width.

So the variance is expressed as a number of independent trials, `area · (1 - area) / variance`, and
the interval is that of Clopper and Pearson (1934) for a share among so many. Theory has this number
at least at the count of the rarer kind (Birnbaum and Klose, 1957), and for well separated values it
tends to twice that (Hanley and McNeil, 1982); it is kept between these. Such intervals are rather
too wide than too narrow, at 95 % and at the levels that hundreds of units ask for; the tests count
how often they hold.
"""

import numpy as np
from jaxtyping import Float
from scipy.stats import beta, rankdata

Positives = Float[np.ndarray, "positives units"]
Negatives = Float[np.ndarray, "negatives units"]

_TINY = 1e-9
"""In place of 0, for which the distribution is not defined."""


def auc(positives: Positives, negatives: Negatives) -> Float[np.ndarray, " units"]:
    """Compute each unit's area: the share of pairs in which it is higher in the positive.

    Examples
    --------
    >>> auc(np.array([[3.0], [1.0]]), np.array([[0.0], [1.0], [2.0]]))
    array([0.75])
    """
    above, _ = _placements(positives, negatives)
    found: np.ndarray = above.mean(0)
    return found


def intervals(
    positives: Positives, negatives: Negatives, *, level: float = 0.95
) -> tuple[Float[np.ndarray, " units"], Float[np.ndarray, " units"]]:
    """Compute where each unit's area lies, at a level, for two of each kind or more."""
    above, below = _placements(positives, negatives)
    counts = len(positives), len(negatives)
    area = above.mean(0)
    variance = above.var(0, ddof=1) / counts[0] + below.var(0, ddof=1) / counts[1]
    spread = area * (1 - area)
    trials = np.divide(spread, variance, out=np.full_like(area, np.inf), where=variance > 0)
    trials = trials.clip(min(counts), 2 * min(counts))
    tail, hits = (1 - level) / 2, area * trials
    low = np.where(area > 0, beta.ppf(tail, np.maximum(hits, _TINY), trials - hits + 1), 0)
    high = np.where(area < 1, beta.isf(tail, hits + 1, np.maximum(trials - hits, _TINY)), 1)
    return low, high


def _placements(positives: Positives, negatives: Negatives) -> tuple[np.ndarray, np.ndarray]:
    """Return the share of negatives below each positive, and of positives above each negative."""
    ranks = rankdata(np.concatenate([positives, negatives]), axis=0)
    count = len(positives)
    above = (ranks[:count] - rankdata(positives, axis=0)) / len(negatives)
    below = 1 - (ranks[count:] - rankdata(negatives, axis=0)) / count
    return above, below
