"""Tests of a hypothesis about features."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import xarray as xr

from visioncircuits.errors import InputError
from visioncircuits.hypotheses import effects
from visioncircuits.hypotheses.evidence import measure_responses
from visioncircuits.hypotheses.found import Found
from visioncircuits.hypotheses.hypothesis import Hypothesis
from visioncircuits.hypotheses.predefined import check_field, predefined
from visioncircuits.hypotheses.significance import judge_evidence
from visioncircuits.hypotheses.verdicts import Verdict
from visioncircuits.networks import Direction, Feature, Features, Network, Unit, select

Deviations = np.ndarray | xr.DataArray | None


def judge(
    network: Network,
    feature: str | Feature,
    hypothesis: str | Hypothesis,
    *,
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
    deviations
        Of the layer's units, from `tuning.deviations`, for predictions about strength; for a
        direction from that with ``directions=[it]``, so that its own comes last.
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
        As `tuning.measure`, where the layer's receptive field is too small for the stimuli, and
        for more or fewer deviations than there are units.

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
    deviations: Deviations = None,
    seed: int = 0,
    progress: bool = False,
) -> list[Verdict]:
    """Test a hypothesis about each of several features, such as all units of a layer.

    The p of every verdict is corrected for the number of features.

    Parameters
    ----------
    network, hypothesis, seed, progress
        As for `judge`.
    features
        A layer's name, for all of its units, or features of one layer. The null of each is all
        other units of the layer, and the other directions where there are several.
    deviations
        As for `judge`: of the layer's units, then of the directions among the features.

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
    spread = _checked(deviations, network.layer(chosen.layer).units, chosen.layer, directions)
    if spread is None and any(p.function is effects.strength for p in hypothesis.predictions):
        raise InputError(
            f"{hypothesis.name!r} predicts a strength in standard deviations; give the deviations "
            "over photographs, from `tuning.deviations`"
        )
    responses = measure_responses(
        network,
        chosen.layer,
        hypothesis.stimuli,
        variants=hypothesis.variants,
        controls=hypothesis.controls,
        progress=progress,
    )
    along = iter(range(len(responses.units), len(responses.units) + len(directions)))
    if directions:
        responses = responses.joined(responses.along(directions))
    tested = [f.index if isinstance(f, Unit) else next(along) for f in chosen.features]
    verdicts = judge_evidence(responses.evidence(spread), hypothesis, units=tested, seed=seed)
    return [
        replace(verdict, direction=feature) if isinstance(feature, Direction) else verdict
        for verdict, feature in zip(verdicts, chosen.features, strict=True)
    ]


def find(
    network: Network,
    features: Features,
    hypothesis: str | Hypothesis,
    *,
    deviations: Deviations = None,
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
        vector), `width`, `echo`, `peak` (the
        strongest response, averaged over variants), the best value of every other axis, `controls`
        (the strongest response to any control over the peak), `p`, `verdict`. Its `verdicts` are
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
        network, features, hypothesis, deviations=deviations, seed=seed, progress=progress
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
