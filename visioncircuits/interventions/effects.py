"""What interventions cost a network, with intervals over photographs."""

import numpy as np
import pandas as pd
import xarray as xr
from jaxtyping import Float

from visioncircuits.interventions.intervals import ends, resamples
from visioncircuits.labeled import LabeledTable

BOUNDS = ("mean", "low", "high")

_ROWS = 24
"""Rows of a summary that a notebook shows."""


class _Summarized(LabeledTable):  # type: ignore[no-untyped-call]
    """A table whose means and intervals a notebook shows above the values."""

    __slots__ = ()

    def summary(self) -> pd.DataFrame | None:
        """Return the means with their intervals as text; None where parts of the table are gone."""
        raise NotImplementedError

    def _repr_html_(self) -> str:
        values, summary = super()._repr_html_(), self.summary()
        return values if summary is None else summary[:_ROWS].to_html(border=0) + values


class Effects(_Summarized):  # type: ignore[no-untyped-call]
    """Means over photographs, by `condition` and `bound`: `mean`, and `low` to `high`, 95 %.

    Examples
    --------
    >>> import torch
    >>> from visioncircuits.interventions import changes, observe, unit_ablations
    >>> from visioncircuits.networks import untrained
    >>> network, pictures = untrained("bvlc_googlenet"), torch.rand(2, 3, 64, 64)
    >>> ablations = unit_ablations(network, "conv2d1:7", controls=1)
    >>> effects = changes(observe(network, "conv2d2:9", pictures, ablations))
    >>> effects.summary().index.tolist()
    [('conv2d2:9', 'original'), ('conv2d2:9', 'ablated'), ('conv2d2:9', 'control 1')]
    """

    __slots__ = ()
    contents = "effects"
    dimensions = ("condition", "bound")

    def summary(self) -> pd.DataFrame | None:
        """Return a row a condition; None where parts of the table are gone."""
        whole = self.sizes.get("bound") == len(BOUNDS) and "condition" in self.dims
        if (
            not self.data_vars
            or not whole
            or any({*each.dims} != {*self.dims} for each in self.values())
        ):
            return None
        rows = [dim for dim in next(iter(self.values())).dims if dim != "bound"]
        index = pd.MultiIndex.from_product([self[dim].values for dim in rows], names=rows)
        return pd.DataFrame(
            {
                name: [
                    f"{mean:+.3g} ({low:+.3g} … {high:+.3g})"
                    for mean, low, high in each.transpose(*rows, "bound").values.reshape(-1, 3)
                ]
                for name, each in self.items()
            },
            index.get_level_values(0) if len(rows) == 1 else index,
        )


class Scores(_Summarized):  # type: ignore[no-untyped-call]
    """What a classifier scores on each photograph, by `condition` and `photograph`.

    `cross_entropy` is in nats, `divergence` that of Kullback and Leibler from the original
    network, in nats; `top1` and `top5` are 0 or 1. `logit` has every class's too, by `label`; the
    coordinate `class` is each photograph's own. Of photographs without classes there are
    `divergence` and `logit` alone. A notebook shows the `damage` above them.

    Examples
    --------
    >>> import torch
    >>> from visioncircuits.datasets import photographs
    >>> from visioncircuits.interventions import ablate
    >>> from visioncircuits.networks import untrained
    >>> pictures = photographs(torch.rand(2, 3, 64, 64), labels=[281, 207])
    >>> scores = ablate(untrained("bvlc_googlenet"), "mixed5a:7", pictures, controls=0)
    >>> scores["cross_entropy"].dims, scores["logit"].sel(label="tabby").dims
    (('condition', 'photograph'), ('condition', 'photograph'))
    >>> list(scores)
    ['cross_entropy', 'divergence', 'top1', 'top5', 'logit']
    """

    __slots__ = ()
    contents = "scores"
    dimensions = ("condition", "photograph")

    def summary(self) -> pd.DataFrame | None:
        """Return the `damage` of each condition; None where parts of the table are gone."""
        if "divergence" not in self:
            return None
        return damage(self).summary() if _comparable(self) else None


class Observed(_Summarized):  # type: ignore[no-untyped-call]
    """Activations of features, by `condition`, `feature` and `photograph`.

    They are the `mean` over a feature's positions, and the `peak`. A notebook shows the `changes`
    above them.

    Examples
    --------
    >>> import torch
    >>> from visioncircuits.interventions import observe
    >>> from visioncircuits.networks import untrained
    >>> pictures = torch.rand(2, 3, 64, 64)
    >>> observed = observe(untrained("bvlc_googlenet"), ["conv2d2:9", "mixed3a:7"], pictures, {})
    >>> dict(observed.sizes)
    {'condition': 1, 'feature': 2, 'photograph': 2}
    """

    __slots__ = ()
    contents = "observed activations"
    dimensions = ("condition", "feature", "photograph")

    def summary(self) -> pd.DataFrame | None:
        """Return the `changes` of each feature; None where parts of the table are gone."""
        return changes(self).summary() if _comparable(self) and "feature" in self.dims else None


def _comparable(table: _Summarized) -> bool:
    """Check that a table has its dimensions, and the original network among its conditions."""
    whole = all({*table.dimensions} <= {*each.dims} for each in table.values())
    shown = bool(table.data_vars) and whole and table.sizes["photograph"] > 0
    return shown and "original" in table["condition"].values


def damage(scores: xr.Dataset, *, seed: int = 0) -> Effects:
    """Compute how much worse a network is under each condition than without any.

    Parameters
    ----------
    scores
        As `ablate` and `score_transplant` return them.
    seed
        Of the bootstrap, which resamples photographs, the same for all conditions.

    Returns
    -------
    Effects
        By `condition` and `bound` (`mean`, `low`, `high` of the 95 % interval): rise in
        `cross_entropy`, `divergence`, loss in `top1` and `top5`, as far as they were scored.

    Examples
    --------
    >>> import torch
    >>> from visioncircuits.datasets import photographs
    >>> from visioncircuits.interventions import ablate
    >>> from visioncircuits.networks import untrained
    >>> pictures = photographs(torch.rand(2, 3, 64, 64), labels=[281, 207])
    >>> scores = ablate(untrained("bvlc_googlenet"), "mixed5a:7", pictures, controls=0)
    >>> damage(scores)["divergence"].sel(bound="mean").values > 0
    array([False,  True])
    """
    original = scores.sel(condition="original")
    signs = {"cross_entropy": 1, "divergence": 1, "top1": -1, "top5": -1}
    weights = resamples(scores.sizes["photograph"], seed)
    found = {
        name: _bounded(sign * (scores[name] - original[name]), weights)
        for name, sign in signs.items()
        if name in scores
    }
    return Effects(found, attrs=scores.attrs)


def advantage(scores: xr.Dataset, condition: str, *, seed: int = 0) -> Effects:
    """Compute how much more every other condition damages than one does, by photograph.

    Returns
    -------
    Effects
        By `condition` and `bound`: `cross_entropy` and `divergence`; a positive `low` is clear
        of the other condition.

    Examples
    --------
    >>> import torch
    >>> from visioncircuits.datasets import photographs
    >>> from visioncircuits.interventions import ablate
    >>> from visioncircuits.networks import untrained
    >>> pictures = photographs(torch.rand(2, 3, 64, 64), labels=[281, 207])
    >>> scores = ablate(untrained("bvlc_googlenet"), "mixed5a:7", pictures, controls=1)
    >>> advantage(scores, "control 1")["divergence"].sel(condition="control 1").values
    array([0., 0., 0.])
    """
    weights = resamples(scores.sizes["photograph"], seed)
    found = {
        name: _bounded(scores[name] - scores[name].sel(condition=condition), weights)
        for name in costs(scores)
    }
    return Effects(found, attrs=scores.attrs)


def changes(observed: xr.Dataset, *, seed: int = 0) -> Effects:
    """Compute how much features change under each condition.

    Parameters
    ----------
    observed
        As `observe` returns it.
    seed
        Of the bootstrap, which resamples photographs, the same for all conditions and features.

    Returns
    -------
    Effects
        `mean` and `peak`, in activation, by `feature`, `condition` and `bound` (`mean`, `low`,
        `high` of the 95 % interval of the paired difference).

    Examples
    --------
    >>> import torch
    >>> from functools import partial
    >>> from visioncircuits.interventions import observe, path_patched, scale
    >>> from visioncircuits.networks import untrained
    >>> network, pictures = untrained("bvlc_googlenet"), torch.rand(2, 3, 64, 64)
    >>> weaker = partial(path_patched, network, "conv2d1:5", "conv2d2:9", scale(0.5))
    >>> observed = observe(network, "conv2d2:9", pictures, {"weaker": weaker})
    >>> changes(observed)["mean"].sel(condition="weaker").dims
    ('feature', 'bound')
    """
    weights = resamples(observed.sizes["photograph"], seed)
    differences = observed - observed.sel(condition="original")
    found = {
        str(name): xr.concat([_bounded(each, weights) for each in values], values["feature"])
        for name, values in differences.transpose("feature", ...).items()
    }
    return Effects(found, attrs=observed.attrs)


def costs(scores: xr.Dataset) -> list[str]:
    """Name what is scored in nats."""
    return [name for name in ("cross_entropy", "divergence") if name in scores]


def _bounded(
    values: xr.DataArray, weights: Float[np.ndarray, "photographs resamples"]
) -> xr.DataArray:
    return labeled(values, values.mean("photograph").values, values.values @ weights)


def labeled(
    like: xr.DataArray,
    mean: Float[np.ndarray, " conditions"],
    resampled: Float[np.ndarray, "conditions resamples"],
) -> xr.DataArray:
    """Return means with their intervals, by `condition` and `bound`."""
    return xr.DataArray(
        np.stack([mean, *ends(resampled)], 1),
        dims=("condition", "bound"),
        coords={"condition": like["condition"].values, "bound": list(BOUNDS)},
    )
