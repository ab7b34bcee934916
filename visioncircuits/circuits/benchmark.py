"""The measures of the Mechanistic Interpretability Benchmark: areas of faithfulness over size."""

from collections.abc import Mapping

import numpy as np
import xarray as xr
from jaxtyping import Float

SHARES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Of all edges, at which the benchmark evaluates circuits."""


def benchmark_sizes(edges: int) -> list[int]:
    """Return the numbers of edges at the shares of the benchmark, of at least one.

    Examples
    --------
    >>> benchmark_sizes(400)
    [1, 2, 4, 8, 20, 40, 80, 200, 400]
    """
    return sorted({max(round(share * edges), 1) for share in SHARES})


def performance_ratio(
    shares: Float[np.ndarray, " sizes"], faithfulness: Float[np.ndarray, " sizes"]
) -> float:
    """Return the integrated circuit performance ratio, CPR: the higher the better.

    It is `∫ f(C_k) dk` over the share `k` of edges from 0 to 1, by the trapezoid rule, with `f` the
    faithfulness (Mueller et al., "MIB: A Mechanistic Interpretability Benchmark", 2025). Circuits
    that do better than the network can take it above 1.

    Examples
    --------
    >>> performance_ratio(np.array([0.0, 0.5, 1.0]), np.array([0.0, 1.0, 1.0]))
    0.75
    """
    return float(np.trapezoid(faithfulness, shares))


def model_distance(
    shares: Float[np.ndarray, " sizes"], faithfulness: Float[np.ndarray, " sizes"]
) -> float:
    """Return the integrated circuit-model distance, CMD: the lower the better.

    It is `∫ |1 − f(C_k)| dk` over the share `k` of edges from 0 to 1, by the trapezoid rule, with
    `f` the faithfulness (Mueller et al., "MIB: A Mechanistic Interpretability Benchmark", 2025); 0
    for circuits that do as the network does at every size.

    Examples
    --------
    >>> model_distance(np.array([0.0, 0.5, 1.0]), np.array([0.0, 1.0, 1.0]))
    0.25
    """
    return float(np.trapezoid(np.abs(1 - faithfulness), shares))


def areas(found: xr.Dataset) -> dict[str, Mapping[str, Mapping[str, float]]]:
    """Return CPR and CMD of curves, by ablation and kind.

    Examples
    --------
    >>> from torch import nn, rand
    >>> from visioncircuits.circuits import candidates, curves, measured, score
    >>> from visioncircuits.networks import Preprocessing, wrap
    >>> layers = nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 2, 3)
    >>> network = wrap(nn.Sequential(*layers), Preprocessing(), size=24)
    >>> study = measured(candidates(network, "2:0", ["1"]), rand(4, 3, 24, 24))
    >>> list(areas(curves(study, score(study), draws=1))["mean"]["found"])
    ['CPR', 'CMD']
    """
    share = found["share"].values
    middle = found["faithfulness"].sel(bound="mean")
    return {
        str(ablation): {
            str(kind): {
                "CPR": performance_ratio(share, middle.sel(ablation=ablation, kind=kind).values),
                "CMD": model_distance(share, middle.sel(ablation=ablation, kind=kind).values),
            }
            for kind in found["kind"].values
        }
        for ablation in found["ablation"].values
    }
