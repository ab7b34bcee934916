"""Tests of a hypothesis about features."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import xarray as xr

from visioncircuits.datasets import Source
from visioncircuits.errors import InputError
from visioncircuits.examples import Examples
from visioncircuits.hypotheses import effects, photographed
from visioncircuits.hypotheses.beyond_edges import beyond_edges
from visioncircuits.hypotheses.evidence import VariantResponses
from visioncircuits.hypotheses.found import Found
from visioncircuits.hypotheses.hypothesis import Hypothesis
from visioncircuits.hypotheses.measuring import measure_responses
from visioncircuits.hypotheses.predefined import check_field, predefined
from visioncircuits.hypotheses.significance import judge_evidence
from visioncircuits.hypotheses.verdicts import Verdict
from visioncircuits.networks import Direction, Feature, Features, Network, Unit, select
from visioncircuits.networks.selection import Selection
from visioncircuits.stimuli import StimulusSet

Deviations = np.ndarray | xr.DataArray | None


def judge(
    network: Network,
    feature: str | Feature,
    hypothesis: str | Hypothesis,
    *,
    photographs: Source | None = None,
    examples: Examples | None = None,
    deviations: Deviations = None,
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
    photographs
        Whatever `datasets.photographs` takes. The verdict then also has how often they activate the
        feature, how far its best stimulus exceeds them, and whether the strongest hold the shape;
        where the hypothesis' `on_photographs` is not met, a supported one becomes undecided.
    examples
        From `examples.collect`, of the same photographs, so that these are not run again. The
        photographs too are needed where the examples were loaded and the hypothesis has a reader.
    deviations
        Of the layer's units, from `tuning.deviations`, for predictions about strength; for a
        direction from that with ``directions=[it]``, so that its own comes last. By default those
        of the photographs, of the positive parts of activations.
    seed
        For the bootstrap and the shuffles.
    progress
        Whether to show a bar of the stimuli.

    Returns
    -------
    Verdict
        Supported, refuted or undecided, by the rules of `visioncircuits.hypotheses.verdicts`.

    Raises
    ------
    InputError
        As `tuning.measure`, where the layer's receptive field is too small for the stimuli, for
        more or fewer deviations than there are units, and for examples that do not fit.

    Examples
    --------
    >>> from visioncircuits.hypotheses import Hypothesis, Prediction, effects
    >>> from visioncircuits.networks import untrained
    >>> from visioncircuits.stimuli import named
    >>> claim = Prediction("responds to one direction of an edge", effects.echo, most=0.1)
    >>> edges = Hypothesis("edge", named("edges"), (claim,))
    >>> judge(untrained("bvlc_googlenet"), "conv2d0:5", edges).status
    'supported'
    """
    (verdict,) = judge_all(
        network,
        [network.feature(feature)],
        hypothesis,
        photographs=photographs,
        examples=examples,
        deviations=deviations,
        seed=seed,
        progress=progress,
    )
    return verdict


def judge_all(
    network: Network,
    features: Features,
    hypothesis: str | Hypothesis,
    *,
    photographs: Source | None = None,
    examples: Examples | None = None,
    deviations: Deviations = None,
    responses: VariantResponses | None = None,
    seed: int = 0,
    progress: bool = False,
) -> list[Verdict]:
    """Test a hypothesis about each of several features, such as all units of a layer.

    The p of every verdict is corrected for the number of features.

    Parameters
    ----------
    network, hypothesis, photographs, examples, seed, progress
        As for `judge`.
    features
        A layer's name, for all of its units, or features of one layer. The null of each is all
        other units of the layer, and the other directions where there are several.
    deviations
        As for `judge`: of the layer's units, then of the directions among the features.
    responses
        Of the layer's units to the hypothesis' stimuli, variants and controls, from
        `measure_responses`, so that they are not measured again.

    Raises
    ------
    InputError
        As `judge`, and for features of several layers.

    Examples
    --------
    >>> from visioncircuits.hypotheses import Hypothesis, Prediction, effects
    >>> from visioncircuits.networks import untrained
    >>> from visioncircuits.stimuli import named
    >>> claim = Prediction("responds to one direction of an edge", effects.echo, most=0.1)
    >>> edges = Hypothesis("edge", named("edges"), (claim,))
    >>> verdicts = judge_all(untrained("bvlc_googlenet"), ["conv2d0:5", "conv2d0:7"], edges)
    >>> [verdict.unit for verdict in verdicts]
    ['conv2d0:5', 'conv2d0:7']
    """
    chosen = select(network, features)
    directions = chosen.directions
    hypothesis = scaled(hypothesis, network, chosen.layer)
    seen = photographed.observed(
        network, chosen.layer, directions, hypothesis,
        photographs=photographs, examples=examples, progress=progress,
    )  # fmt: skip
    spread = _checked(deviations, network.layer(chosen.layer).units, chosen.layer, directions)
    if spread is None and seen is not None:
        spread = seen.deviations
    if spread is None and any(p.function is effects.strength for p in hypothesis.predictions):
        raise InputError(
            f"{hypothesis.name!r} predicts a strength in standard deviations; give photographs, or "
            "the deviations over them from `tuning.deviations`"
        )
    measured = partial(_responses, network, chosen, hypothesis)
    if responses is None:
        responses = measured(hypothesis.stimuli, hypothesis.controls, progress=progress)
    elif directions:
        responses = responses.joined(responses.along(directions))
    along = iter(range(network.layer(chosen.layer).units, len(responses.units)))
    tested = [f.index if isinstance(f, Unit) else next(along) for f in chosen.features]
    evidence = responses.evidence(spread, None if seen is None else seen.firing)
    verdicts = [
        replace(verdict, direction=feature) if isinstance(feature, Direction) else verdict
        for verdict, feature in zip(
            judge_evidence(evidence, hypothesis, units=tested, seed=seed),
            chosen.features,
            strict=True,
        )
    ]
    if seen is not None:
        verdicts = photographed.read(seen, verdicts, hypothesis, seed=seed)
    return beyond_edges(verdicts, hypothesis, tested, measured)


def _responses(
    network: Network,
    chosen: Selection,
    hypothesis: Hypothesis,
    stimuli: StimulusSet,
    controls: Mapping[str, StimulusSet] | None = None,
    *,
    progress: bool = False,
) -> VariantResponses:
    """Measure a layer's units, then the directions among the features."""
    responses = measure_responses(
        network,
        chosen.layer,
        stimuli,
        variants=hypothesis.variants,
        controls=controls or {},
        progress=progress,
    )
    if not chosen.directions:
        return responses
    return responses.joined(responses.along(chosen.directions))


def find(
    network: Network,
    features: Features,
    hypothesis: str | Hypothesis,
    *,
    photographs: Source | None = None,
    examples: Examples | None = None,
    deviations: Deviations = None,
    responses: VariantResponses | None = None,
    seed: int = 0,
    progress: bool = False,
) -> Found:
    """Find the features, such as units of a layer, that a hypothesis is supported for.

    Parameters, errors: as `judge_all`.

    Returns
    -------
    Found
        A pandas table with a row a feature, sorted by orientation where there is one, else by
        peak: `unit`, `orientation` (in degrees, in the design's convention: of the peak, or of
        the mean vector where the hypothesis is `orientation_by="mean"`), `mean` (of the mean
        vector), `width`, `echo`, `peak` (the strongest response, averaged over variants), the best
        value of every other axis, `controls` (the strongest response to any control over the peak),
        `p`, `verdict`. With photographs also `deviations` (the peak in standard deviations over
        them), `firing` (the share of their positions that activate it) and `read` (of its strongest
        photographs, the share in which a handwritten circuit finds the shape). Its `verdicts` are
        those of all features, also of those that are no row; `passed()` counts how many pass each
        prediction, and `nearest()` returns the nearest misses.

    Examples
    --------
    >>> from visioncircuits.hypotheses import Hypothesis, Prediction, effects
    >>> from visioncircuits.networks import untrained
    >>> from visioncircuits.stimuli import named
    >>> claim = Prediction("responds to one direction of an edge", effects.echo, most=0.1)
    >>> edges = Hypothesis("edge", named("edges"), (claim,))
    >>> find(untrained("bvlc_googlenet"), ["conv2d0:0", "conv2d0:5"], edges)["unit"].tolist()
    ['conv2d0:5']
    """
    verdicts = judge_all(
        network,
        features,
        hypothesis,
        photographs=photographs,
        examples=examples,
        deviations=deviations,
        responses=responses,
        seed=seed,
        progress=progress,
    )
    return Found(verdicts)


def scaled(hypothesis: str | Hypothesis, network: Network, layer: str) -> Hypothesis:
    """Return a hypothesis by name, scaled to a layer; one of your own is checked to fit it."""
    if isinstance(hypothesis, str):
        return predefined(network, layer, hypothesis)
    check_field(hypothesis, network, layer)
    return hypothesis


def _checked(
    deviations: Deviations, units: int, layer: str, directions: Sequence[Direction]
) -> np.ndarray | None:
    """Return deviations as an array, checked to be one a unit and one a direction."""
    if deviations is None:
        return None
    if len(deviations) != units + len(directions):
        wanted = " and ".join([f"{units} units of {layer}", *map(str, directions)])
        how = "; measure them by deviations(…, directions=[…])" if directions else ""
        raise InputError(f"{len(deviations)} standard deviations for the {wanted}{how}")
    return np.asarray(deviations)
