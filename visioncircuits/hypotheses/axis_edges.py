"""Preferred values at the edge of an axis, where the true preference may lie beyond it."""

from dataclasses import dataclass

import numpy as np

from visioncircuits.hypotheses import effects
from visioncircuits.hypotheses.evidence import Evidence


@dataclass(frozen=True)
class AxisEdge:
    """A value that a unit prefers, and that is the first or last of its axis.

    Attributes
    ----------
    axis
        Of the stimuli; one that goes around has no edges.
    value
        The preferred one.
    first
        Whether it is the axis' first value, or else its last.
    beyond
        The value that was measured beyond it; None where none was, or none can be drawn.
    ratio
        The best response at `beyond`, over that at `value`; NaN without.

    Examples
    --------
    >>> edge = AxisEdge("radius", 11.4, first=True, beyond=5.1, ratio=0.6)
    >>> print(edge)
    radius 11.4 is preferred, the first that was shown; 5.1, beyond it, activates it 0.6 times as
    strongly
    >>> edge.again
    False
    """

    axis: str
    value: float
    first: bool
    beyond: float | None = None
    ratio: float = float("nan")

    @property
    def again(self) -> bool:
        """Whether the value beyond is preferred, so that it is at the edge of the longer axis."""
        return self.ratio > 1

    def __str__(self) -> str:
        end = "first" if self.first else "last"
        text = f"{self.axis} {self.value:.3g} is preferred, the {end} that was shown"
        if self.beyond is None:
            return text
        also = ", and is at the edge again" if self.again else ""
        return (
            f"{text}; {self.beyond:.3g}, beyond it, activates it {self.ratio:.3g} times as "
            f"strongly{also}"
        )


def axis_edges(evidence: Evidence) -> list[tuple[AxisEdge, ...]]:
    """Find the axes of which each unit prefers the first or last value to all others.

    Examples
    --------
    >>> responses = np.array([[[4.0, 2.0, 1.0]]])
    >>> axis_edges(Evidence(("a:0",), responses, {"radius": np.array([5.0, 9.0, 16.0])}, {}))
    [(AxisEdge(axis='radius', value=5.0, first=True, beyond=None, ratio=nan),)]
    """
    found: list[list[AxisEdge]] = [[] for _ in evidence.units]
    for axis, values in evidence.axes.items():
        if values.dtype.kind not in "fiu" or len(values) < 2 or effects.circle(values) is not None:
            continue
        best = evidence.best(axis)
        for at, rest in ((0, best[:, 1:]), (-1, best[:, :-1])):
            for unit in np.flatnonzero(best[:, at] > rest.max(1)):
                found[unit].append(AxisEdge(axis, float(values[at]), first=at == 0))
    return list(map(tuple, found))
