"""Joint tuning: photographs that turn."""

from collections.abc import Iterator

import numpy as np

from visioncircuits.thread import Plate, Row, Study, here, part
from visioncircuits.thread.articles.curve_detectors.activations import preferred_detector
from visioncircuits.thread.articles.curve_detectors.family import family
from visioncircuits.thread.claims import NEGATIVE
from visioncircuits.thread.intervals import interval, null
from visioncircuits.thread.photographs import strongest
from visioncircuits.tuning import (
    align,
    circular,
    in_deviations,
    joint_panel,
    measure,
    orientation_tuning,
    rotated_pictures,
)

JOINT = here(
    "as photographs turn, detectors activate one after another in the order of their orientations",
    "peaks within 15°",
)


@part(JOINT, stand_ins=(*NEGATIVE, "handwritten curves"))
def joint_tuning(study: Study) -> Iterator[Row | Plate]:
    """Joint tuning: photographs that turn.

    The strongest examples of one detector turn about its neuron; all are shifted to agree with
    their mean, whose angles are then counted from that detector's orientation.
    """
    curves = family(study)
    focus = preferred_detector(study)
    unit, most = curves.places[focus], study.of(20, quick=8)
    found, centers = strongest(study, curves.layer, unit, most=most)
    step = study.of(2, quick=8)
    measured = measure(study.network, curves.units, rotated_pictures(found, centers, step=step))
    spread = study.deviations("mixed3b").sel(unit=curves.units).values
    responses = in_deviations(measured.assign_coords(deviation=("unit", spread)))
    aligned = align(responses)
    first = float(orientation_tuning(aligned)["orientation"][focus])
    steps = round((curves.orientations[focus] - first) / step)
    aligned = aligned.roll(orientation=steps)
    peaks = orientation_tuning(aligned)["orientation"].values
    yield Plate(
        "joint",
        joint_panel(aligned, study.thumbnails(curves.units)),
        f"{len(found)} photographs that activate {curves.units[focus]} most turn about it; "
        "thin lines are photographs, the thick one their mean.",
    )
    others = np.arange(len(peaks)) != focus
    others &= np.isfinite(peaks)
    off = circular.angular_distance(peaks[others], curves.orientations[others])
    rng = study.rng("joint")
    by_chance = null(
        lambda drawn: float(np.median(circular.angular_distance(peaks[others], drawn))),
        curves.orientations[others],
        rng,
    )
    low, high = interval(off, rng)
    yield JOINT.found(
        f"median {np.median(off):.0f}°, {(off <= 15).sum()} of {len(off)} within 15°",
        holds=bool(high < by_chance[0] and np.median(off) <= 15),
        interval=f"{low:.0f}° to {high:.0f}°; exchanged, {by_chance[0]:.0f}° to "
        f"{by_chance[1]:.0f}°",
        why="From a detector's peak on turning photographs to its peak on synthetic "
        "curves; holds where the median is within 15° and the interval clear of chance.",
    )
