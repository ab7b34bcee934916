"""What photographs add to verdicts: deviations, firing, and what a handwritten circuit reads."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float
from scipy.stats import binomtest

from visioncircuits import datasets
from visioncircuits.datasets import Photographs, Source
from visioncircuits.errors import InputError
from visioncircuits.examples import Examples, collect, sketch
from visioncircuits.hypotheses import effects
from visioncircuits.hypotheses.hypothesis import Hypothesis
from visioncircuits.hypotheses.outcome import Outcome
from visioncircuits.hypotheses.prediction import Prediction
from visioncircuits.hypotheses.reader import SHARE, Place, Reader
from visioncircuits.hypotheses.verdicts import Verdict
from visioncircuits.networks import Direction, Feature, Network, Unit, parse

PART = 10
"""A unit's strongest photographs are at most one in so many, so that they are exceptional."""


@dataclass(frozen=True)
class Observed:
    """What is known of a layer's units, and of directions in it, from photographs.

    Attributes
    ----------
    network, layer
        That were observed.
    features
        All units of the layer, then directions.
    examples
        From a pass over photographs.
    photographs
        The same, where their pixels can be read.
    """

    network: Network
    layer: str
    features: tuple[Feature, ...]
    examples: Examples
    photographs: Photographs | None

    @property
    def deviations(self) -> Float[np.ndarray, " features"]:
        """Standard deviations of the positive activations over all positions."""
        rows = [self.examples.row(feature) for feature in self.features]
        counts = np.stack([layer.counts[row] for layer, row in rows])
        return sketch.rectified_deviations(counts)

    @property
    def firing(self) -> Float[np.ndarray, " features"]:
        """Shares of the positions at which the features are positive."""
        rows = [self.examples.row(feature) for feature in self.features]
        return np.array([layer.moments.firing[row] for layer, row in rows])

    def strongest(self, feature: Feature) -> list[Place]:
        """Return where the feature is most active, each in another photograph."""
        layer, row = self.examples.row(feature)
        count = max(self.examples.seen // PART, 1)
        return [
            (self.examples.names[int(picture)], (int(position[0]), int(position[1])))
            for value, picture, position in zip(
                layer.tops.values[row, :count],
                layer.tops.pictures[row, :count],
                layer.tops.positions[row, :count],
                strict=True,
            )
            if value > 0
        ]


def observed(
    network: Network,
    layer: str,
    directions: Sequence[Direction],
    hypothesis: Hypothesis,
    *,
    photographs: Source | None,
    examples: Examples | None,
    progress: bool,
) -> Observed | None:
    """Collect examples of a layer and of directions in it, unless they are given.

    Returns
    -------
    Observed or None
        None where neither photographs nor examples are given.

    Raises
    ------
    InputError
        For examples of another network, or without this layer or a direction; and where the
        hypothesis has a reader, but there are only examples that were loaded from a file.
    """
    if photographs is None and examples is None:
        return None
    found = None if photographs is None else datasets.photographs(photographs)
    if examples is None:
        assert found is not None
        examples = collect(network, [layer, *directions], found, progress=progress)
    elif examples.record.get("network") != json.loads(json.dumps(network.record())):
        raise InputError(f"these examples are not of {network.name}; collect them of it")
    if found is None and examples.shown is not None:
        found = examples.shown.photographs
    if found is None and hypothesis.on_photographs.reader:
        raise InputError(
            f"{hypothesis.name!r} has photographs read by a handwritten circuit; pass those of the "
            "examples too, as photographs"
        )
    units = tuple(Unit(layer, index) for index in range(network.layer(layer).units))
    seen = Observed(network, layer, (*units, *directions), examples, found)
    for feature in seen.features[-1 - len(directions) :]:  # the last unit, every direction
        examples.row(feature)
    return seen


def read(
    seen: Observed, verdicts: Sequence[Verdict], hypothesis: Hypothesis, *, seed: int
) -> list[Verdict]:
    """Add what the hypothesis' reader finds to the verdicts that stimuli support."""
    reading = [p for p in hypothesis.on_photographs.predictions if p.function is effects.read]
    asked = [number for number, verdict in enumerate(verdicts) if _supported(verdict)]
    if not reading or not asked:
        return list(verdicts)
    assert seen.photographs is not None
    reader = Reader(hypothesis.on_photographs.reader, seen.network, seen.layer, seen.photographs)
    places = [seen.strongest(_feature(verdicts[number])) for number in asked]
    activations = reader.activations([place for some in places for place in some])
    thresholds = reader.thresholds(np.random.default_rng(seed))
    each = np.split(activations > thresholds, np.cumsum([len(some) for some in places])[:-1])
    added = list(verdicts)
    for number, found in zip(asked, each, strict=True):
        evidence = verdicts[number].evidence
        detector = reader.nearest(float(hypothesis.orientations(evidence)[0]))
        outcome = _outcome(reading[0], int(found[:, detector].sum()), len(found))
        added[number] = replace(
            verdicts[number],
            evidence=replace(evidence, read=np.array([outcome.effect])),
            photographs=(*verdicts[number].photographs, outcome),
        )
    return added


def _supported(verdict: Verdict) -> bool:
    return verdict.by_stimuli == "supported"


def _feature(verdict: Verdict) -> Feature:
    return verdict.direction or parse(verdict.unit)


def _outcome(prediction: Prediction, found: int, count: int) -> Outcome:
    """Judge how many of a unit's strongest photographs hold the shape.

    Examples
    --------
    >>> claim = Prediction("holds the shape", effects.read, least=0.5)
    >>> _outcome(claim, 7, 10), _outcome(claim, 1, 10).status, _outcome(claim, 0, 0).status
    (Outcome(holds: 'holds the shape', 0.7 in [0.348, 0.933], bound ≥ 0.5), 'fails', 'open')
    """
    if not count:  # no photograph activates it
        return Outcome(prediction, float("nan"), (float("nan"),) * 2, "open", float("nan"))
    share = found / count
    interval = binomtest(found, count).proportion_ci(method="exact")
    low, high = float(interval.low), float(interval.high)
    if share >= prediction.least and low > SHARE:
        status = "holds"
    else:
        status = "fails" if high < prediction.least else "open"
    return Outcome(prediction, share, (low, high), status, float("nan"))
