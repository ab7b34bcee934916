"""What a transplant repairs of the damage that a removal does, and which removal is strictest."""

import xarray as xr

from visioncircuits.errors import InputError
from visioncircuits.interventions.effects import Effects, costs, labeled
from visioncircuits.interventions.intervals import resamples

BASELINES = ("zero", "mean", "resample")
"""Removals that the repair by a transplant is counted over, as `ablate` names them.

Units are set to zero; each to its mean over photographs; or to its maps from another photograph.
"""


def strictest(scores: xr.Dataset) -> str:
    """Name the baseline of a transplant that leaves least damage to repair.

    Of setting a family to zero, to its mean, and to its maps from another photograph, it is the one
    with the least divergence: what it does not damage is no merit of what a donor detects.

    Parameters
    ----------
    scores
        As `score_transplant` returns them; baselines that they lack are passed over.

    Raises
    ------
    InputError
        Where they have none.

    Examples
    --------
    >>> from visioncircuits.interventions import Scores
    >>> values = xr.DataArray([[0.0], [2.0], [1.0]], dims=("condition", "photograph"))
    >>> scores = Scores({"divergence": values}, {"condition": ["original", "zero", "mean"]})
    >>> strictest(scores)
    'mean'
    """
    divergence = scores["divergence"].mean("photograph")
    present = [name for name in BASELINES if name in divergence["condition"].values]
    if not present:
        raise InputError(f"the scores have none of the baselines {', '.join(BASELINES)}")
    return min(present, key=lambda name: float(divergence.sel(condition=name)))


def repair(scores: xr.Dataset, *, over: str | None = None, seed: int = 0) -> Effects:
    """Compute which share of the damage of a removal each condition repairs.

    1 is as good as original, 0 as bad as the removal; below 0 is worse.

    Parameters
    ----------
    scores, seed
        As for `damage`.
    over
        The condition whose damage is to be repaired; by default the `strictest` baseline.

    Returns
    -------
    Effects
        By `condition` and `bound`: `cross_entropy` and `divergence`.

    Examples
    --------
    Of the damage of setting a unit to zero, setting it to its mean leaves some.

    >>> import torch
    >>> from visioncircuits.datasets import photographs
    >>> from visioncircuits.interventions import ablate
    >>> from visioncircuits.networks import untrained
    >>> pictures = photographs(torch.rand(2, 3, 64, 64), labels=[281, 207])
    >>> scores = ablate(untrained("bvlc_googlenet"), "mixed5a:7", pictures, controls=1)
    >>> repair(scores, over="ablated")["divergence"].sel(bound="mean").values[:2]
    array([1., 0.])
    """
    removed = strictest(scores) if over is None else over
    weights = resamples(scores.sizes["photograph"], seed)
    found = {}
    for name in costs(scores):
        loss = scores[name] - scores[name].sel(condition="original")
        means = loss.values @ weights
        before = means[list(loss["condition"].values).index(removed)]
        share = 1 - means / before
        whole = 1 - loss.mean("photograph") / loss.sel(condition=removed).mean("photograph")
        found[name] = labeled(loss, whole.values, share)
    return Effects(found, attrs=scores.attrs)
