"""One value beyond the edges of axes: whether a unit that prefers the last value prefers more."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from visioncircuits.errors import InputError
from visioncircuits.hypotheses.axis_edges import AxisEdge
from visioncircuits.hypotheses.evidence import VariantResponses
from visioncircuits.hypotheses.hypothesis import Hypothesis
from visioncircuits.hypotheses.verdicts import Verdict
from visioncircuits.stimuli import StimulusSet


def beyond_edges(
    verdicts: Sequence[Verdict],
    hypothesis: Hypothesis,
    tested: Sequence[int],
    measured: Callable[[StimulusSet], VariantResponses],
) -> list[Verdict]:
    """Measure one value beyond each edge of an axis that a unit which stimuli support prefers.

    Parameters
    ----------
    verdicts
        By synthetic stimuli.
    hypothesis
        Of all of them.
    tested
        The place of each verdict's feature among those that are measured.
    measured
        Measures a layer's responses to stimuli.
    """
    found = {
        (edge.axis, edge.first)
        for verdict in verdicts
        if verdict.by_stimuli == "supported"
        for edge in verdict.edges
    }
    beyond = {}
    for axis, first in sorted(found):
        try:
            longer = hypothesis.stimuli.extended(axis, before=int(first), after=int(not first))
            responses = measured(longer.isel(**{axis: [0 if first else -1]}))
        except InputError:  # what lies beyond cannot be drawn, such as a negative width
            continue
        beyond[axis, first] = float(responses.axes[axis][0]), responses.evidence().peak

    def extended(edge: AxisEdge, verdict: Verdict, place: int) -> AxisEdge:
        if verdict.by_stimuli != "supported" or (edge.axis, edge.first) not in beyond:
            return edge
        value, peaks = beyond[edge.axis, edge.first]
        return replace(edge, beyond=value, ratio=float(peaks[place] / verdict.evidence.peak[0]))

    return [
        replace(verdict, edges=tuple(extended(edge, verdict, place) for edge in verdict.edges))
        for verdict, place in zip(verdicts, tested, strict=True)
    ]
