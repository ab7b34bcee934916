"""The published units, in Google's network."""

from collections.abc import Iterator
from dataclasses import replace

from visioncircuits.hypotheses import find
from visioncircuits.thread import Plate, Row, Study, inception, part
from visioncircuits.thread.articles.missing_curves.curve_stimuli import (
    curve_hypothesis,
    hypothesis_responses,
)
from visioncircuits.thread.articles.missing_curves.family import along, curve_responses
from visioncircuits.thread.articles.missing_curves.layer_samples import layer_samples
from visioncircuits.thread.articles.missing_curves.methods import topk, unconverged
from visioncircuits.tuning import orientation_tuning

PUBLISHED_GAPS = ((181.0, 243.0), (290.0, 358.0), (22.5, 66.5))
THERE = inception(
    "atoms of TopK on mixed3b fill the published gaps, 181° to 243°, 290° to 358°, 22.5° to 66.5°",
    "62°, 68°, 44°",
)


@part(THERE)
def inception5h(study: Study) -> Iterator[Row | Plate]:
    """Google's own network."""
    google = replace(study, network=study.inceptionv1())
    found = topk(google, layer_samples(google), google.seed)
    if doubt := unconverged(found):
        yield THERE.found("", holds=None, why=doubt)
        return
    tested = find(
        google.network, found.features, curve_hypothesis(google),
        responses=hypothesis_responses(google), seed=google.seed,
    )  # fmt: skip
    mine = [
        feature
        for feature, verdict in zip(found.features, tested.verdicts, strict=True)
        if verdict.status == "supported"
    ]
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
        why="Atoms that pass as curve detectors; holds where each gap's middle half has one.",
    )
