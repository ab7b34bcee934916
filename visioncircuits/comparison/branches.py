"""Branch specialization: families that sit together in one branch of a layer.

Source: Voss et al., "Branch Specialization" (2021).
"""

from collections.abc import Mapping, Sequence
from math import comb

import numpy as np
import pandas as pd
import xarray as xr
from jaxtyping import Float
from scipy.stats import false_discovery_control, rankdata
from torch import Tensor

from visioncircuits.errors import InputError
from visioncircuits.networks import Network
from visioncircuits.weights import ExpandedWeights

SHUFFLES = 10_000


def odds(inside: int, family: int, branch: int, layer: int) -> float:
    """Return the chance that so much of a family is in a branch, were units dealt at random.

    The exact upper tail of the hypergeometric distribution.

    Parameters
    ----------
    inside
        How many of the family's units are in the branch.
    family, branch, layer
        How many units each has.

    Returns
    -------
    float
        The chance of `inside` units or more.

    Examples
    --------
    The article's two: all nine detectors of black and white against color in mixed3a, and all
    thirty that have to do with curves in mixed3b.

    >>> f"{odds(9, 9, 32, 256):.1e}, {odds(30, 30, 96, 480):.1e}"
    '2.5e-09, 1.7e-23'
    """
    ways = sum(
        comb(branch, count) * comb(layer - branch, family - count)
        for count in range(inside, min(family, branch) + 1)
    )
    return ways / comb(layer, family)


def branch_table(
    network: Network, layer: str, families: Mapping[str, Sequence[int]]
) -> pd.DataFrame:
    """Count how much of each family is in each branch of a layer.

    Parameters
    ----------
    network
        One with branches; which units each holds is read off the network itself.
    layer
        Where branches meet, such as `mixed3b`.
    families
        Units by family, as a taxonomy's `layers[layer]`.

    Returns
    -------
    pandas.DataFrame
        A row for every family and branch that share a unit, the least likely first: `family`,
        `branch`, `inside` (units of the family in the branch), `of` (units of the family),
        `width` (units of the branch), `p` (`odds`), and `q`, which is p corrected for all pairs of
        a family and a branch (Benjamini and Hochberg, 1995).

    Raises
    ------
    InputError
        For a layer without branches, or a family that is empty or has units that are not there.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> curves = [379, 406, 385, 343, 342, 388, 340, 330, 349, 324]
    >>> table = branch_table(untrained("inceptionv1"), "mixed3b", {"Curves": curves})
    >>> table[["branch", "inside", "of", "width"]].values.tolist()
    [['mixed3b_5x5', 10, 10, 96]]
    """
    branches = network.branches(layer)
    if not branches:
        raise InputError(f"{layer} of {network.name} has no branches; take one such as mixed3b")
    total = network.layer(layer).units
    rows = []
    for family, listed in families.items():
        units = set(listed)
        if not units or not units <= set(range(total)):
            raise InputError(
                f"the family {family} needs units of {layer}, 0 to {total - 1}, not {sorted(units)}"
            )
        for branch, places in branches.items():
            inside = len(units.intersection(places))
            chance = odds(inside, len(units), len(places), total)
            rows.append((family, branch, inside, len(units), len(places), chance))
    table = pd.DataFrame(rows, columns=["family", "branch", "inside", "of", "width", "p"])
    table["q"] = false_discovery_control(table["p"]) if rows else []
    return table[table["inside"] > 0].sort_values("p", kind="stable", ignore_index=True)


def absolute_axes(weights: ExpandedWeights, *, count: int = 2) -> xr.DataArray:
    """Find along which axes a layer's units differ in where their weights go.

    Singular vectors of the weights' absolute values, summed over space: units at the same end of
    an axis feed the same units.

    Parameters
    ----------
    weights
        Between two layers.
    count
        How many axes, the strongest first.

    Returns
    -------
    xarray.DataArray
        float64, by `axis` and `unit` (of the source). Each axis is of length 1, and its largest
        entry is positive. The coordinate `share` is how much of the sum of squares it accounts
        for. No entry of the first axis is negative, for no entry of the matrix is.

    Raises
    ------
    InputError
        For more axes than the matrix has, or none.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> from visioncircuits.weights import expanded_weights
    >>> weights = expanded_weights(untrained("bvlc_googlenet"), "conv2d0", "conv2d1")
    >>> dict(absolute_axes(weights).sizes)
    {'axis': 2, 'unit': 64}
    """
    matrix = weights.weight.abs().sum((2, 3)).cpu().double().numpy()
    if not 1 <= count <= min(matrix.shape):
        raise InputError(f"these weights have 1 to {min(matrix.shape)} axes, not {count}")
    _, values, rows = np.linalg.svd(matrix, full_matrices=False)
    rows = rows[:count]
    largest = np.take_along_axis(rows, np.abs(rows).argmax(1, keepdims=True), 1)
    return xr.DataArray(
        rows * np.sign(largest),
        dims=("axis", "unit"),
        coords={
            "axis": np.arange(count),
            "unit": [str(feature) for feature in weights.inputs],
            "share": ("axis", values[:count] ** 2 / np.square(values).sum()),
        },
    )


def filter_preferences(filters: Float[Tensor, "units 3 height width"]) -> xr.Dataset:
    """Measure how colored the filters on a picture are, and how fine.

    Parameters
    ----------
    filters
        Weights from the three channels of a picture, such as `expanded_weights` gives from
        `"input"`.

    Returns
    -------
    xarray.Dataset
        By `unit`: `color`, the share of the sum of squares that is not alike in the three
        channels, 0 for gray filters to 1; and `frequency`, cycles a pixel, the mean over the
        filter's spectrum, each frequency as much as it has power.

    Raises
    ------
    InputError
        For a filter that is zero everywhere: it prefers nothing.

    Examples
    --------
    >>> import torch
    >>> filters = torch.tensor([[1.0, 1.0, 1.0], [1.0, 0.0, -1.0]])[:, :, None, None]
    >>> filter_preferences(filters)["color"].values.round(3).tolist()
    [0.0, 1.0]
    """
    values = filters.cpu().double().numpy()
    whole = np.square(values).sum((1, 2, 3))
    if not whole.all():
        raise InputError(f"filter {whole.argmin()} is zero everywhere, so it prefers nothing")
    gray = values.mean(1, keepdims=True)
    color = np.square(values - gray).sum((1, 2, 3)) / whole
    side = 8 * max(values.shape[2:])  # zeros around it: a filter has few frequencies of its own
    power = np.square(np.abs(np.fft.fft2(values, (side, side)))).sum(1)
    steps = np.fft.fftfreq(side)
    frequency = (power * np.hypot(steps[:, None], steps)).sum((1, 2)) / power.sum((1, 2))
    return xr.Dataset({"color": ("unit", color), "frequency": ("unit", frequency)})


def axis_correlations(
    axes: xr.DataArray, preferences: xr.Dataset, *, seed: int = 0, shuffles: int = SHUFFLES
) -> pd.DataFrame:
    """Correlate axes with what units prefer, and with what they prefer dealt out at random.

    Parameters
    ----------
    axes
        From `absolute_axes`.
    preferences
        Of the same units in the same order, as `filter_preferences` gives them.
    seed
        Of the shuffles.

    Returns
    -------
    pandas.DataFrame
        A row for each axis and preference: `axis`, `preference`, `correlation` (Spearman's, whose
        sign is no more than the axis's), `chance` (the correlation, whatever its sign, that 95 %
        of the shuffles stay below) and `p`, the share of shuffles that correlate as much.

    Examples
    --------
    >>> axes = xr.DataArray(np.arange(6.0)[None], dims=("axis", "unit"))
    >>> found = axis_correlations(axes, xr.Dataset({"size": ("unit", np.arange(6.0) ** 2)}))
    >>> found["correlation"].round(3).tolist()
    [1.0]
    """
    generator = np.random.default_rng(seed)
    rows = []
    for number, axis in enumerate(axes.values):
        along = _standardized(rankdata(axis))
        for name, values in preferences.items():
            own = _standardized(rankdata(values.values))
            dealt = generator.permuted(np.tile(own, (shuffles, 1)), axis=1) @ along
            found = float(own @ along)
            as_much = int((np.abs(dealt) >= abs(found) - 1e-12).sum())
            chance = float(np.quantile(np.abs(dealt), 0.95))
            rows.append((number, name, found, chance, (1 + as_much) / (1 + shuffles)))
    return pd.DataFrame(rows, columns=["axis", "preference", "correlation", "chance", "p"])


def _standardized(values: Float[np.ndarray, " units"]) -> Float[np.ndarray, " units"]:
    """Take off the mean and give them length 1, so that a product is a correlation."""
    centered = values - values.mean()
    return np.asarray(centered / np.linalg.norm(centered))
