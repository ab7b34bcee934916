"""The published units, in Google's network."""

from collections.abc import Iterator
from dataclasses import replace

from visioncircuits.thread import Plate, Row, Study, inception, part
from visioncircuits.thread.articles.missing_curves.decomposition import (
    activations,
    as_directions,
    components,
    verdicts,
)
from visioncircuits.thread.articles.missing_curves.family import along, curve_responses
from visioncircuits.tuning import orientation_tuning

PUBLISHED_GAPS = ((181.0, 243.0), (290.0, 358.0), (22.5, 66.5))
THERE = inception(
    "directions of NMF on mixed3b fill the published gaps, 181° to 243°, 290° to 358°, 22.5° to "
    "66.5°",
    "62°, 68°, 44°",
)


@part(THERE)
def inception5h(study: Study) -> Iterator[Row | Plate]:
    """Google's own network."""
    google = replace(study, network=study.inceptionv1())
    spread = google.deviations("mixed3b").values.clip(1e-6)
    vectors = components("NMF", activations(google), google)
    features = as_directions("mixed3b", vectors / spread, "NMF")
    judged = verdicts(google, features)
    mine = [feature for feature in features if judged[str(feature)]]
    if not mine:
        yield THERE.found("no curves", holds=False)
        return
    peaks = orientation_tuning(along(curve_responses(google), mine))["orientation"].values
    inside = [
        int((((peaks - start) % 360 > (end - start) / 4)
             & ((peaks - start) % 360 < (end - start) * 3 / 4)).sum())
        for start, end in PUBLISHED_GAPS
    ]  # fmt: skip
    yield THERE.found(
        f"{len(mine)} curves; {', '.join(map(str, inside))} in the middle of the gaps",
        holds=all(inside),
        why="Directions that pass as curve detectors; holds where each gap's middle half has one.",
    )
