"""Tests of a hypothesis about one feature, or about each unit of a layer."""

import numpy as np
import pandas as pd

from visioncircuits.errors import InputError
from visioncircuits.hypotheses.evidence import Evidence, VariantResponses, measure_responses
from visioncircuits.hypotheses.hypothesis import Hypothesis
from visioncircuits.hypotheses.predefined import check_field, predefined
from visioncircuits.hypotheses.significance import judge_evidence
from visioncircuits.hypotheses.verdicts import Verdict, verdict_table
from visioncircuits.networks import Feature, Features, Network, Unit, select


def judge(
    network: Network,
    feature: str | Feature,
    hypothesis: str | Hypothesis,
    *,
    deviations: np.ndarray | None = None,
    seed: int = 0,
    progress: bool = False,
) -> Verdict:
    """Test a hypothesis about one feature.

    Parameters
    ----------
    network
        Any network.
    feature
        A unit or a direction; the other units of its layer are the null.
    hypothesis
        One of `PREDEFINED` by name, or your own.
    deviations
        Of the layer's units, from `tuning.deviations`, for predictions about strength; for a
        direction from that with ``directions=[it]``, so that its own comes last.
    seed
        For the bootstrap and the shuffles.
    progress
        Whether to show a bar.

    Returns
    -------
    Verdict
        Supported, refuted or undecided, by the rules of `visioncircuits.hypotheses.verdicts`.

    Raises
    ------
    InputError
        As `tuning.measure`, where the layer's receptive field is too small for the stimuli, and
        for more or fewer deviations than there are units.

    Examples
    --------
    >>> from visioncircuits.hypotheses import Hypothesis, Prediction, effects
    >>> from visioncircuits.networks import untrained
    >>> from visioncircuits.stimuli import StimulusSet, edge
    >>> edges = StimulusSet(edge, {"orientation": range(0, 360, 30)})
    >>> one_sided = Prediction("responds to one polarity", effects.echo, most=0.5)
    >>> hypothesis = Hypothesis("edge", edges, (one_sided,))
    >>> verdict = judge(untrained("bvlc_googlenet"), "conv2d0:7", hypothesis)
    >>> verdict.status in {"refuted", "undecided"}
    True
    """
    tested = network.feature(feature)
    if isinstance(tested, Unit):
        evidence, hypothesis = _evidence(network, hypothesis, tested.layer, deviations, progress)
        return judge_evidence(evidence, hypothesis, units=[tested.index], seed=seed)[0]
    units = network.layer(tested.layer).units
    if deviations is not None and len(deviations) != units + 1:
        raise InputError(
            f"{len(deviations)} standard deviations for the {units} units of {tested.layer} "
            f"and {tested}; measure them by deviations(…, directions=[…])"
        )
    hypothesis = _scaled(hypothesis, network, tested.layer)
    others = _responses(network, tested.layer, hypothesis, progress)
    responses = _responses(network, tested, hypothesis, False).joined(others)
    own_first = None if deviations is None else np.roll(deviations, 1)
    return judge_evidence(responses.evidence(own_first), hypothesis, units=[0], seed=seed)[0]


def judge_all(
    network: Network,
    features: Features,
    hypothesis: str | Hypothesis,
    *,
    deviations: np.ndarray | None = None,
    seed: int = 0,
    progress: bool = False,
) -> list[Verdict]:
    """Test a hypothesis about each of several units of a layer.

    Parameters, errors: as `judge`. `features` is a layer's name, for all of its units, or some of
    its units. The p of every verdict is corrected for the number of units that are judged.

    Examples
    --------
    >>> from visioncircuits.hypotheses import Hypothesis, Prediction, effects
    >>> from visioncircuits.networks import untrained
    >>> from visioncircuits.stimuli import StimulusSet, edge
    >>> edges = StimulusSet(edge, {"orientation": range(0, 360, 30)})
    >>> one_sided = Prediction("responds to one polarity", effects.echo, most=0.5)
    >>> hypothesis = Hypothesis("edge", edges, (one_sided,))
    >>> len(judge_all(untrained("bvlc_googlenet"), "conv2d0", hypothesis))
    64
    """
    chosen = select(network, features)
    if chosen.indices is None:
        raise InputError("several features are judged together where all are units")
    evidence, hypothesis = _evidence(network, hypothesis, chosen.layer, deviations, progress)
    return judge_evidence(evidence, hypothesis, units=chosen.indices, seed=seed)


def find(
    network: Network,
    features: Features,
    hypothesis: str | Hypothesis,
    *,
    deviations: np.ndarray | None = None,
    seed: int = 0,
    progress: bool = False,
) -> pd.DataFrame:
    """Find the units of a layer that a hypothesis is supported for.

    Parameters, errors: as `judge_all`.

    Returns
    -------
    pandas.DataFrame
        A row a unit, sorted by orientation where there is one, else by peak: `unit`,
        `orientation` (of the peak, in degrees, in the design's convention), `mean` (of the mean
        vector, as in "High-Low Frequency Detectors"), `width`, `echo`, `peak` (the strongest
        response, averaged over variants), the best value of every other axis, `controls` (the
        strongest response to any control over the peak), `p`, `verdict`. It is empty where
        there is no such unit.

    Examples
    --------
    >>> from visioncircuits.hypotheses import Hypothesis, Prediction, effects
    >>> from visioncircuits.networks import untrained
    >>> from visioncircuits.stimuli import StimulusSet, edge
    >>> edges = StimulusSet(edge, {"orientation": range(0, 360, 30)})
    >>> one_sided = Prediction("responds to one polarity", effects.echo, most=0.5)
    >>> hypothesis = Hypothesis("edge", edges, (one_sided,))
    >>> found = find(untrained("bvlc_googlenet"), "conv2d0", hypothesis)
    >>> {"unit", "orientation", "width", "p", "verdict"} <= set(found)
    True
    """
    verdicts = judge_all(
        network, features, hypothesis, deviations=deviations, seed=seed, progress=progress
    )
    return verdict_table([verdict for verdict in verdicts if verdict.status == "supported"])


def _evidence(
    network: Network,
    hypothesis: str | Hypothesis,
    layer: str,
    deviations: np.ndarray | None,
    progress: bool,
) -> tuple[Evidence, Hypothesis]:
    hypothesis = _scaled(hypothesis, network, layer)
    units = network.layer(layer).units
    if deviations is not None and len(deviations) != units:
        raise InputError(f"{len(deviations)} standard deviations for the {units} units of {layer}")
    responses = _responses(network, layer, hypothesis, progress)
    return responses.evidence(None if deviations is None else np.asarray(deviations)), hypothesis


def _scaled(hypothesis: str | Hypothesis, network: Network, layer: str) -> Hypothesis:
    if isinstance(hypothesis, str):
        return predefined(network, layer, hypothesis)
    check_field(hypothesis, network, layer)
    return hypothesis


def _responses(
    network: Network,
    features: str | Feature,
    hypothesis: Hypothesis,
    progress: bool,
) -> VariantResponses:
    return measure_responses(
        network,
        features,
        hypothesis.stimuli,
        variants=hypothesis.variants,
        controls=hypothesis.controls,
        progress=progress,
    )
