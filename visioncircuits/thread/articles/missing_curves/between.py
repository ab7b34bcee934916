"""Whether the units beside a gap sum to a detector of what is between them."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float

from visioncircuits.hypotheses import find
from visioncircuits.networks import Direction
from visioncircuits.thread import Plate, Row, Study, here, part
from visioncircuits.thread.articles.missing_curves.curve_stimuli import (
    curve_hypothesis,
    hypothesis_responses,
)
from visioncircuits.thread.articles.missing_curves.family import Coverage, along, curve_responses
from visioncircuits.thread.claims import NEGATIVE, OWN
from visioncircuits.thread.units import numbers
from visioncircuits.tuning import orientation_tuning

BETWEEN = here(
    "the sum of the two units beside the largest gap is a detector of the orientation between",
    OWN,
)


@part(BETWEEN, stand_ins=NEGATIVE)
def between(study: Study) -> Iterator[Row | Plate]:
    """The sum of two neighbors.

    The simplest direction that could fill a gap is the sum of the two units beside it, each over
    its standard deviation.
    """
    layer = study.layer("mixed3b")
    table = study.detectors("curve", "mixed3b")
    detectors = numbers(table["unit"])
    measured = curve_responses(study)
    family = Coverage.of(measured.sel(unit=table["unit"].tolist()))
    beside = neighbors(family, table["orientation"].to_numpy(float))
    vector = np.zeros(len(measured))
    pair = [detectors[place] for place in beside]
    vector[pair] = 1 / study.deviations("mixed3b").values.clip(1e-6)[pair]
    summed = Direction(layer, tuple(vector.tolist()), name="pair")
    found = find(
        study.network, [summed], curve_hypothesis(study), responses=hypothesis_responses(study),
        seed=study.seed,
    )  # fmt: skip
    tuned = orientation_tuning(along(measured, [summed]))
    passes = found.verdicts[0].status == "supported"
    peak = float(tuned["orientation"][0])
    start, end = table["orientation"].to_numpy(float)[list(beside)]
    inside = (peak - start) % 360 / max((end - start) % 360, 1e-9)
    yield BETWEEN.found(
        f"{start:.0f}° and {end:.0f}°: peaks at {peak:.0f}°, width "
        f"{float(tuned['width'][0]):.0f}°; {'passes' if passes else 'does not pass'}",
        holds=passes and 0.25 <= inside <= 0.75,
        why="Each over its standard deviation; holds where the sum passes as a curve detector and "
        "peaks in the middle half between the two.",
    )


def neighbors(family: Coverage, orientations: Float[np.ndarray, " units"]) -> tuple[int, int]:
    """Find the two units beside the longest stretch that is missing, or else the widest gap."""
    order = np.argsort(orientations)
    gaps = np.diff(orientations[order], append=orientations[order[0]] + 360)
    widest = int(gaps.argmax())
    if stretches := family.stretches():
        start, length = stretches[0]
        middle_of = (start + length / 2) % 360
        widest = int(np.searchsorted(orientations[order], middle_of) - 1) % len(order)
    return int(order[widest]), int(order[(widest + 1) % len(order)])
