"""Matched units in pairs, and how many pairs are of one family."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr


def pairs(found: xr.Dataset) -> pd.DataFrame:
    """List every unit with the one that it correlates with most on photographs.

    Parameters
    ----------
    found
        From `match`.

    Returns
    -------
    pandas.DataFrame
        A row a unit, those first whose `photographs` are furthest above `chance`: `unit`,
        `partner`, `photographs` (their correlation), `chance` (the unit's highest with any other
        unit on mismatched photographs), `mutual` (the partner has no better match than this unit),
        `stimuli` (their correlation), `rank` (the partner's place among all others by stimuli; 1
        is the best). From `match_nulls` there is a column a null, the unit's highest correlation
        with any unit of that network: `shuffled weights` and `Gabor energies`.

    Examples
    --------
    >>> both = ("unit", "other")
    >>> tables = {"photographs": [[0.9, 0.1], [0.8, 0.2]], "stimuli": [[0.7, 0.0], [0.1, 0.2]]}
    >>> found = xr.Dataset(
    ...     {name: (both, values) for name, values in tables.items()}
    ...     | {"mismatched": (both, [[0.1, 0.0], [0.0, 0.1]])},
    ...     coords={"unit": ["a:0", "a:1"], "other": ["b:0", "b:1"]},
    ... )
    >>> pairs(found)[["unit", "partner", "mutual", "rank"]].values.tolist()
    [['a:0', 'b:0', True, 1], ['a:1', 'b:0', False, 2]]
    """
    activity, tuning = found["photographs"].values, found["stimuli"].values
    best, every = activity.argmax(1), np.arange(len(activity))
    table = pd.DataFrame(
        {
            "unit": found["unit"].values,
            "partner": found["other"].values[best],
            "photographs": activity[every, best],
            "chance": found["mismatched"].values.max(1),
            "mutual": activity.argmax(0)[best] == every,
            "stimuli": tuning[every, best],
            "rank": 1 + (tuning > tuning[every, best][:, None]).sum(1),
        }
        | {name: values.to_numpy() for name, values in highest(found).items()}
    )
    # Units that respond to positions rather than to content match on mismatched pictures too.
    order = np.argsort(table["chance"] - table["photographs"], kind="stable")
    return table.iloc[order].reset_index(drop=True)


def highest(found: xr.Dataset) -> pd.DataFrame:
    """Return each unit's highest correlation with each null, a column a null; none from `match`."""
    if "highest" not in found:
        return pd.DataFrame(index=found["unit"].values)
    values = found["highest"].transpose("unit", "null").values
    return pd.DataFrame(values, found["unit"].values, found["null"].values.tolist())


@dataclass(frozen=True)
class Overlap:
    """How many of a family's partners are of the same family in the other network.

    Attributes
    ----------
    same, of
        So many of so many.
    chance
        How many there would be, were partners any units.

    Examples
    --------
    >>> Overlap(same=4, of=5, chance=0.2)
    Overlap(same=4, of=5, chance=0.2)
    """

    same: int
    of: int
    chance: float


def overlap(
    table: pd.DataFrame, units: Iterable[str], others: Iterable[str], *, width: int
) -> Overlap:
    """Count partners that are of the same family.

    Parameters
    ----------
    table
        From `pairs`.
    units, others
        The family in the one network, and in the other.
    width
        How many units the other layer has.

    Examples
    --------
    >>> table = pd.DataFrame({"unit": ["a:0", "a:1", "a:2"], "partner": ["b:7", "b:7", "b:1"]})
    >>> overlap(table, ["a:0", "a:2"], ["b:7", "b:8"], width=10)
    Overlap(same=1, of=2, chance=0.4)
    """
    wanted, family = set(units), set(others)
    partners = table.loc[table["unit"].isin(wanted), "partner"]
    return Overlap(
        int(partners.isin(family).sum()), len(partners), len(partners) * len(family) / width
    )
