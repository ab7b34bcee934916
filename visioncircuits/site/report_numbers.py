"""The numbers of a comparison's report, and the goals that they are compared with."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from visioncircuits.comparison import Comparison, sign_table
from visioncircuits.comparison.controls import BESIDE, HANDWRITTEN
from visioncircuits.comparison.simple_rules import bump
from visioncircuits.interventions import advantage, damage, repair, strictest
from visioncircuits.interventions.repairs import BASELINES

ALIGNED = 1 / 6
"""Of half a period: units whose orientations differ by less are aligned, curves by 30 degrees."""

EACH, BOTH = ("surface", "orientation"), ("width", "echo")
"""Numbers of tuning that a pair of counterparts has, and that each of the two has."""


def summary(comparison: Comparison) -> dict[str, Any]:
    """Collect every number of the report, as plain data."""
    tuning = {
        name: {
            **{key: _median(each.numbers[key]) for key in EACH if key in each.numbers},
            **{key: _both(each.numbers[key]) for key in BOTH if key in each.numbers},
        }
        for name, each in comparison.tuning.items()
    }
    found: dict[str, Any] = {
        "trained": comparison.trained.network.record(),
        "handwritten": comparison.handwritten.network.name,
        "layer": comparison.trained.layer,
        "units": list(comparison.trained.places),
        "counterparts": list(comparison.handwritten.places),
        "hypothesis": comparison.trained.hypothesis.name,
        "period": comparison.trained.period,
        "tuning": tuning,
        "units_tuning": _by_unit(next(iter(comparison.tuning.values())).numbers),
        "maps": {"median": _median(comparison.maps), "units": _listed(comparison.maps.values)},
        "photographs": comparison.scores.sizes["photograph"],
        "damage": _table(damage(comparison.scores)),
        "strictest": strictest(comparison.scores),
        "repair": _table(repair(comparison.scores)),
        "repair_over": {
            baseline: _table(repair(comparison.scores, over=baseline))
            for baseline in BASELINES
            if baseline in comparison.scores["condition"].values
        },
        "advantage": _table(advantage(comparison.scores, HANDWRITTEN)),
        "accuracy": _accuracy(comparison.scores),
    }
    if "prefers" in (own := next(iter(comparison.tuning.values()))).numbers:
        prefers = own.numbers["prefers"].sel(which="trained").values
        found["bump"] = _median(bump(own.trained, prefers))
    if comparison.contrast is not None:
        found["maps"]["contrast"] = _median(comparison.contrast)
    if comparison.selectivity is not None:
        found["selectivity"] = _rows(comparison.selectivity, "family")
    if comparison.without is not None and comparison.scores_without is not None:
        found |= {
            "without": _rows(comparison.without, "without"),
            "photographs_without": comparison.scores_without.sizes["photograph"],
            "repair_without": _table(repair(comparison.scores_without)),
        }
    if comparison.kernels is not None:
        kernels = comparison.kernels.numbers
        half = comparison.trained.period / 2
        aligned = kernels["apart"].values < half * ALIGNED
        opposed = kernels["apart"].values > half * (1 - ALIGNED)
        signs, sums = sign_table(kernels), ("trained", "handwritten")
        found["kernels"] = {
            "sources": [str(name) for name in kernels["source"].values],
            "aligned": _middle(kernels["correlation"].values[aligned]),
            "aligned_pairs": int(aligned.sum()),
            "opposed": _middle(kernels["correlation"].values[opposed]),
            "opposed_pairs": int(opposed.sum()),
            "sums": float(np.corrcoef([kernels[which].values.ravel() for which in sums])[0, 1]),
            "signs": signs.values.tolist(),
            "sign_names": [str(name) for name in signs["trained"].values],
        }
    return found


def _middle(values: np.ndarray) -> float | None:
    """Compute the median; None of no values."""
    return float(np.median(values)) if values.size else None


@dataclass(frozen=True)
class Goal:
    """A number that a faithful circuit should reach, and the one measured, as text.

    Attributes
    ----------
    what
        What the number is.
    least, found
        The goal and the measurement.
    reached
        Whether the measurement reaches the goal.
    short
        By how much it does not, or beside which donors.
    """

    what: str
    least: str
    found: str
    reached: bool
    short: str


def goals(numbers: Mapping[str, Any]) -> list[Goal]:
    """Compare the numbers of `summary` with what a faithful circuit should reach."""
    own, repaired = next(iter(numbers["tuning"].values())), numbers["repair"][HANDWRITTEN]
    found = [_goal("tuning correlates over all axes, median", 0.85, own["surface"])]
    if "orientation" in own:
        found.append(_goal("tuning correlates over orientation, median", 0.9, own["orientation"]))
    if "bump" in numbers:
        more = "tuning correlates more than with a bump of orientation, median"
        found.append(_goal(more, numbers["bump"], own["surface"]))
    if "contrast" in numbers["maps"]:
        more = "maps correlate more than with negative local contrast, median"
        found.append(_goal(more, numbers["maps"]["contrast"], numbers["maps"]["median"]))
    kernels = numbers.get("kernels")
    if kernels and kernels["aligned"] is not None:
        found.append(_goal("kernels of aligned pairs correlate, median", 0.6, kernels["aligned"]))
    for measure, title in (("cross_entropy", "cross-entropy"), ("divergence", "divergence")):
        found.append(_goal(f"share of the damage repaired, {title}", 0.5, repaired[measure][0]))
        ahead = {name: row[measure] for name, row in numbers["advantage"].items() if name in BESIDE}
        clear = sum(low > 0 for _, low, _ in ahead.values())
        found.append(
            Goal(
                f"better than controls and alternatives by more than the interval, {title}",
                f"all {len(ahead)}",
                f"{clear}",
                clear == len(ahead),
                ", ".join(name for name, (_, low, _) in ahead.items() if low <= 0),
            )
        )
    return found


def _goal(what: str, least: float, found: float) -> Goal:
    return Goal(what, f"{least:.2f}", f"{found:.2f}", found >= least, f"{least - found:.2f}")


def _rows(table: xr.Dataset, dim: str) -> dict[str, dict[str, float]]:
    return {
        str(name): {str(key): float(table[key].sel({dim: name})) for key in table.data_vars}
        for name in table[dim].values
    }


def _median(values: xr.DataArray) -> float:
    return float(values.median())


def _both(values: xr.DataArray) -> dict[str, float]:
    return {str(w): float(values.sel(which=w).median()) for w in values["which"].values}


def _listed(values: np.ndarray) -> list[float]:
    return [float(value) for value in values]


def _by_unit(numbers: xr.Dataset) -> dict[str, dict[str, Any]]:
    return {
        str(unit): {
            str(name): _listed(values.values) if values.ndim else float(values)
            for name, values in numbers.sel(unit=unit).data_vars.items()
        }
        for unit in numbers["unit"].values
    }


def _table(found: xr.Dataset) -> dict[str, dict[str, list[float]]]:
    """Map condition and measure to mean, low and high."""
    return {
        str(condition): {
            str(name): _listed(found[name].sel(condition=condition).values)
            for name in found.data_vars
        }
        for condition in found["condition"].values
        if condition != "original"
    }


def _accuracy(scores: xr.Dataset) -> dict[str, dict[str, float]]:
    return {
        str(condition): {
            name: float(scores[name].sel(condition=condition).mean()) for name in ("top1", "top5")
        }
        for condition in scores["condition"].values
    }
