"""What interventions cost a network, and what they repair, with intervals over photographs."""

import numpy as np
import xarray as xr
from jaxtyping import Float

RESAMPLES = 4000

LEVEL = 0.95


def damage(scores: xr.Dataset, *, seed: int = 0) -> xr.Dataset:
    """Compute how much worse a network is under each condition than without any.

    Parameters
    ----------
    scores
        As `ablate` and `score_transplant` return them.
    seed
        Of the bootstrap, which resamples photographs, the same for all conditions.

    Returns
    -------
    xarray.Dataset
        By `condition` and `bound` (`mean`, `low`, `high` of the 95 % interval): rise in
        `cross_entropy`, `divergence`, loss in `top1` and `top5`.
    """
    original = scores.sel(condition="original")
    original = scores.sel(condition="original")
    losses = {
        "cross_entropy": scores["cross_entropy"] - original["cross_entropy"],
        "divergence": scores["divergence"],
        "top1": -(scores["top1"] - original["top1"]),
        "top5": -(scores["top5"] - original["top5"]),
    }
    weights = _weights(scores.sizes["photograph"], seed)
    return xr.Dataset({name: _bounded(loss, weights) for name, loss in losses.items()})


def repair(scores: xr.Dataset, *, removed: str = "removed", seed: int = 0) -> xr.Dataset:
    """Compute which share of the damage of a removal each condition repairs.

    1 is as good as original, 0 as bad as removed; below 0 is worse.

    Parameters
    ----------
    scores, seed
        As for `damage`.
    removed
        The condition whose damage is to be repaired.

    Returns
    -------
    xarray.Dataset
        By `condition` and `bound`: `cross_entropy` and `divergence`.
    """
    weights = _weights(scores.sizes["photograph"], seed)
    found = {}
    for name in ("cross_entropy", "divergence"):
        loss = scores[name] - scores[name].sel(condition="original")
        means = loss.values @ weights
        before = means[list(loss["condition"].values).index(removed)]
        share = 1 - means / before
        whole = 1 - loss.mean("photograph") / loss.sel(condition=removed).mean("photograph")
        found[name] = _labelled(loss, whole.values, share)
    return xr.Dataset(found)


def advantage(scores: xr.Dataset, condition: str, *, seed: int = 0) -> xr.Dataset:
    """Compute how much more every other condition damages than one does, by photograph.

    Returns
    -------
    xarray.Dataset
        By `condition` and `bound`: `cross_entropy` and `divergence`; a positive `low` is clear
        of the other condition.
    """
    weights = _weights(scores.sizes["photograph"], seed)
    return xr.Dataset(
        {
            name: _bounded(scores[name] - scores[name].sel(condition=condition), weights)
            for name in ("cross_entropy", "divergence")
        }
    )


def changes(measured: xr.Dataset, *, seed: int = 0) -> xr.Dataset:
    """Compute how much features change under each condition.

    Parameters
    ----------
    measured
        As `observe` returns it.
    seed
        Of the bootstrap, which resamples photographs, the same for all conditions and features.

    Returns
    -------
    xarray.Dataset
        `mean` and `peak`, in activation, by `feature`, `condition` and `bound` (`mean`, `low`,
        `high` of the 95 % interval of the paired difference).
    """
    weights = _weights(measured.sizes["photograph"], seed)
    differences = measured - measured.sel(condition="original")
    return xr.Dataset(
        {
            name: xr.concat([_bounded(each, weights) for each in values], values["feature"])
            for name, values in differences.transpose("feature", ...).items()
        }
    )


def _weights(count: int, seed: int) -> Float[np.ndarray, "photographs resamples"]:
    """How often each photograph is drawn in each resample, over their number."""
    generator = np.random.default_rng(seed)
    return generator.multinomial(count, np.full(count, 1 / count), RESAMPLES).T / count


def _bounded(
    values: xr.DataArray, weights: Float[np.ndarray, "photographs resamples"]
) -> xr.DataArray:
    return _labelled(values, values.mean("photograph").values, values.values @ weights)


def _labelled(
    like: xr.DataArray,
    mean: Float[np.ndarray, " conditions"],
    resampled: Float[np.ndarray, "conditions resamples"],
) -> xr.DataArray:
    ends = np.quantile(resampled, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=1)
    return xr.DataArray(
        np.stack([mean, *ends], 1),
        dims=("condition", "bound"),
        coords={"condition": like["condition"].values, "bound": ["mean", "low", "high"]},
    )
