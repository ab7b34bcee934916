"""What a correlation of two networks is worth: how far it is beyond that with untaught ones.

A unit's highest correlation among hundreds of others is well above zero by itself: positions, local
contrast and coarse orientation are enough for that. Networks that have these, and nothing that the
other network learned, give the correlation that a match must exceed.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr

from visioncircuits import datasets
from visioncircuits.comparison.map_correlations import Side, correlate_maps
from visioncircuits.comparison.matching import Matches, match
from visioncircuits.datasets import Source
from visioncircuits.handwritten import gabors
from visioncircuits.networks import Features, Network, shuffled
from visioncircuits.stimuli import StimulusSet

MISMATCHED = "mismatched photographs"
SHUFFLED = "shuffled weights"
GABORS = "Gabor energies"

RESAMPLES = 2000


def match_nulls(
    network: Network,
    features: Features,
    other: Network,
    other_features: Features,
    photographs: Source,
    *,
    stimuli: Sequence[StimulusSet] | None = None,
    batch: int = 16,
    seed: int = 0,
    progress: bool = False,
) -> Matches:
    """Match two networks, and match the first with networks that learned nothing of the second.

    These are the other network with shuffled weights, whose same features are matched
    (`networks.shuffled`), and Gabor energies over 12 orientations, 6 wavelengths and 3 axes of
    color (`handwritten.gabors`). Photographs are seen three times.

    Parameters and errors are those of `match`; `seed` is of the shuffled weights too.

    Returns
    -------
    Matches
        As from `match`, and `highest`, by `null` ("shuffled weights", "Gabor energies") and `unit`.
        `beyond_nulls` gives the differences with intervals, `pairs` a column a null.

    Examples
    --------
    >>> import torch
    >>> from visioncircuits.networks import untrained
    >>> from visioncircuits.stimuli import named
    >>> few = [named("lines").isel(orientation=slice(0, None, 6), width=0)]
    >>> network, other = untrained("bvlc_googlenet"), untrained("bvlc_googlenet", seed=1)
    >>> pictures = torch.rand(2, 3, 64, 64)
    >>> found = match_nulls(network, "conv2d0:7", other, "conv2d0", pictures, stimuli=few)
    >>> found["highest"].sel(null="shuffled weights").sizes
    Frozen({'unit': 1})
    """
    given = datasets.photographs(photographs)
    found = match(
        network, features, other, other_features, given,
        stimuli=stimuli, batch=batch, seed=seed, progress=progress,
    )  # fmt: skip
    energies = gabors()
    nulls = {
        SHUFFLED: Side.of(shuffled(other, seed=seed), other_features),
        GABORS: Side.of(energies.to(other.device), energies.output),
    }
    one = Side.of(network, features)
    values = [
        correlate_maps(one, side, given, batch=batch, progress=progress).matched.max(1)
        for side in nulls.values()
    ]
    return Matches(
        {**found.data_vars, "highest": (("null", "unit"), np.stack(values))},
        coords={**found.coords, "null": list(nulls)},
        attrs=found.attrs,
    )


def beyond_nulls(found: xr.Dataset, *, seed: int = 0) -> pd.DataFrame:
    """Compute how much better units match their partners than they match networks of nulls.

    Parameters
    ----------
    found
        From `match_nulls`; from `match`, mismatched photographs are the only null. Some units of it
        are `found.sel(unit=[...])`.
    seed
        Of the bootstrap, which resamples units.

    Returns
    -------
    pandas.DataFrame
        A row a null, the strictest last: `null`, the median over units of the highest correlation
        that it gives; `beyond`, the median of the paired difference, a unit's correlation with its
        partner less this; and `low` to `high`, the 95 % interval of that median.

    Examples
    --------
    >>> both = ("unit", "other")
    >>> found = xr.Dataset(
    ...     {"photographs": (both, [[0.9, 0.1], [0.2, 0.7]])}
    ...     | {"mismatched": (both, [[0.1, 0.0], [0.0, 0.1]])}
    ...     | {"highest": (("null", "unit"), [[0.5, 0.4]])},
    ...     coords={"unit": ["a:0", "a:1"], "other": ["b:0", "b:1"], "null": ["shuffled weights"]},
    ... )
    >>> beyond_nulls(found)["beyond"].round(2).to_dict()
    {'mismatched photographs': 0.7, 'shuffled weights': 0.35}
    """
    best = found["photographs"].max("other").values
    nulls = {MISMATCHED: found["mismatched"].max("other").values}
    if "highest" in found:
        nulls |= {
            str(null): found["highest"].sel(null=null).values for null in found["null"].values
        }
    drawn = np.random.default_rng(seed).integers(0, len(best), (RESAMPLES, len(best)))
    rows = {}
    for name, null in nulls.items():
        above = best - null
        low, high = np.quantile(np.median(above[drawn], 1), (0.025, 0.975))
        rows[name] = (np.median(null), np.median(above), low, high)
    columns = ["null", "beyond", "low", "high"]
    table = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
    return table.sort_values("beyond", ascending=False)
