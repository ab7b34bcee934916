"""Whether the orientations of a family span the circle."""

import numpy as np
from jaxtyping import Float

from visioncircuits.thread.claims import Claim, Row
from visioncircuits.tuning import circular


def spanned(
    claim: Claim, orientations: Float[np.ndarray, " units"], rng: np.random.Generator
) -> Row:
    """Make the row of a claim that orientations span the circle.

    A dozen random orientations leave no quarter of it out more often than not, so that the largest
    gap is compared with that of as many random ones.

    Examples
    --------
    >>> from visioncircuits.thread.claims import here
    >>> claim, rng = here("curve detectors span all orientations", "68°"), np.random.default_rng(0)
    >>> spanned(claim, np.arange(0, 360, 30.0), rng).status
    'holds'
    >>> spanned(claim, rng.uniform(0, 360, 12), rng).status
    'does not hold'
    """
    gap = circular.largest_gap(orientations)
    draws = rng.uniform(0, 360, (2000, len(orientations)))
    chance = np.array([circular.largest_gap(drawn) for drawn in draws])
    p = float((chance <= gap).mean())
    return claim.found(
        f"largest gap {gap:.0f}°",
        holds=p < 0.05,
        interval=f"as many at random: median {np.median(chance):.0f}°, 5 % below "
        f"{np.quantile(chance, 0.05):.0f}°; P = {p:.2g}",
        why=f"{len(orientations)} orientations; holds where fewer than 5 % of random draws of as "
        "many leave as small a largest gap.",
    )
