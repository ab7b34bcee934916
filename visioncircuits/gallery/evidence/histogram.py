"""The histogram of a unit's activations: its steps, its bars, and their drawing as SVG."""

from collections.abc import Sequence
from math import ceil, floor, log10

import numpy as np
from jaxtyping import Float
from matplotlib.ticker import MaxNLocator

from visioncircuits.examples import LayerExamples, sketch
from visioncircuits.gallery.evidence.kind import rounded

STEPS = 14
"""The most steps of activation."""

BARS = 5
"""Bars in a step."""


def steps(found: LayerExamples, unit: int) -> Float[np.ndarray, " edges"]:
    """Choose round steps of activation, from its lowest values, but for a few, to the highest."""
    low = float(found.quantiles(np.array([0.0005]))[unit, 0])
    high = float(np.nanmax(found.tops.values[unit]))
    ticks = MaxNLocator(STEPS, steps=[1, 2, 2.5, 5, 10]).tick_values(min(low, high), high)
    return np.asarray(ticks)


def spread(
    values: Float[np.ndarray, " bins"], edges: Float[np.ndarray, " edges"], *, per: float = 1.0
) -> tuple[float, ...]:
    """Move values from the sketch's bins to others, as if they lay evenly within each."""
    cumulated = np.concatenate([[0.0], np.cumsum(values)])
    return tuple(map(rounded, np.diff(np.interp(edges, sketch.edges(), cumulated)) / per))


def logarithmic(density: Sequence[float]) -> str:
    """Draw bars on a logarithmic scale, as an SVG path."""
    low, high = _range(density)
    return _bars([(log10(value) - low) / (high - low) if value else 0.0 for value in density])


def decades(density: Sequence[float]) -> list[tuple[int, str]]:
    """List the powers of ten on the axis of `logarithmic`, at most six, and their heights in %."""
    low, high = _range(density)
    return [
        (power, f"{100 * (power - low) / (high - low):.4g}")
        for power in range(low, high + 1, ceil((high - low) / 5))
    ]


def _range(density: Sequence[float]) -> tuple[int, int]:
    powers = [log10(value) for value in density if value]
    return floor(min(powers)), max(ceil(max(powers)), floor(min(powers)) + 1)


def linear(values: Sequence[float]) -> str:
    """Draw bars on a linear scale up to the highest, as an SVG path."""
    highest = max(values)
    return _bars([value / highest if highest else 0.0 for value in values])


def _bars(heights: Sequence[float]) -> str:
    """Draw bars, each 1 wide and at most 1 high, with their feet at 1."""
    drawn = (
        f"M{place} 1V{1 - height:.4g}h1V1z" for place, height in enumerate(heights) if height > 0
    )
    return "".join(drawn)
