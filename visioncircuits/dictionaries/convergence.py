"""Whether a training came to its end: by how much the held-out loss still fell."""

from collections.abc import Mapping
from typing import Any

TOLERANCE = 0.01
"""Largest relative fall of the loss in the last quarter with which training has converged."""

_POINTS = 40


def schedule(steps: int, decay: float) -> list[int]:
    """Return the numbers of steps after which the held-out loss is measured.

    Examples
    --------
    >>> schedule(100, decay=0.2)[::8]
    [2, 18, 34, 50, 66, 82, 98]
    """
    every = max(steps // _POINTS, 1)
    return sorted({*range(every, steps + 1, every), *_last_quarter(steps, decay), steps})


def convergence(measured: Mapping[int, float], steps: int, decay: float) -> dict[str, Any]:
    """Judge a training by ``fall = 1 − L(b) / L(a)`` of the held-out loss L.

    Steps a to b are the last quarter of those at the full learning rate: a rate that falls to 0
    stops any training, converged or not.

    Examples
    --------
    >>> found = convergence({60: 0.50, 80: 0.40, 100: 0.39}, 100, decay=0.2)
    >>> round(found["fall"], 3), found["converged"]
    (0.2, False)
    """
    begin, end = _last_quarter(steps, decay)
    fall = 1 - measured[end] / measured[begin] if measured[begin] > 0 else 0.0
    return {
        "held_out_loss": [[step, round(loss, 6)] for step, loss in sorted(measured.items())],
        "steps": [begin, end],
        "fall": fall,
        "tolerance": TOLERANCE,
        "converged": fall <= TOLERANCE,
    }


def _last_quarter(steps: int, decay: float) -> tuple[int, int]:
    end = max(round(steps * (1 - decay)), 1)
    return max(round(end * 0.75), 1), end
