"""Tests of a hypothesis about one feature, or about each unit of a layer."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from visioncircuits.errors import InputError
from visioncircuits.hypotheses.evidence import Evidence, gather
from visioncircuits.hypotheses.hypothesis import Hypothesis
from visioncircuits.hypotheses.predefined import check_field, predefined
from visioncircuits.hypotheses.significance import judge_evidence
from visioncircuits.hypotheses.verdicts import Verdict, verdict_table
from visioncircuits.networks import Direction, Feature, Network, Unit


def judge(
    network: Network,
    hypothesis: str | Hypothesis,
    feature: str | Feature,
    *,
    deviations: np.ndarray | None = None,
    seed: int = 0,
    advance: Callable[[int], object] = lambda more: None,
) -> Verdict:
    """Test a hypothesis about one feature.

    Parameters
    ----------
    network
        Any network.
    hypothesis
        One of `PREDEFINED` by name, or your own.
    feature
        A unit or a direction; the other units of its layer are the null.
    deviations
        Of the layer's units, from `tuning.deviations`, for predictions about strength; for a
        direction from that with ``directions=[it]``, so that its own comes last.
    seed
        For the bootstrap and the shuffles.
    advance
        Is called with how many more stimuli have been measured.

    Returns
    -------
    Verdict
        Supported, refuted or undecided, by the rules of `visioncircuits.hypotheses.verdicts`.

    Raises
    ------
    InputError
        As `tuning.measure`, where the layer's receptive field is too small for the stimuli, and
        for more or fewer deviations than there are units.
    """
    tested = network.feature(feature)
    own_deviation = None
    if isinstance(tested, Direction) and deviations is not None:
        units = network.layer(tested.layer).units
        if len(deviations) != units + 1:
            raise InputError(
                f"{len(deviations)} standard deviations for the {units} units of {tested.layer} "
                f"and {tested}; measure them by deviations(…, directions=[…])"
            )
        deviations, own_deviation = deviations[:-1], np.asarray(deviations)[-1:]
    evidence, hypothesis = _layer_evidence(network, hypothesis, tested.layer, deviations, advance)
    if isinstance(tested, Unit):
        return judge_evidence(evidence, hypothesis, units=[tested.index], seed=seed)[0]
    own = gather(
        network,
        tested,
        hypothesis.stimuli,
        variants=hypothesis.variants,
        controls=hypothesis.controls,
        deviations=own_deviation,
    )
    return judge_evidence(own.joined(evidence), hypothesis, units=[0], seed=seed)[0]


def judge_layer(
    network: Network,
    hypothesis: str | Hypothesis,
    layer: str,
    *,
    deviations: np.ndarray | None = None,
    seed: int = 0,
    advance: Callable[[int], object] = lambda more: None,
) -> list[Verdict]:
    """Test a hypothesis about each unit of a layer.

    Parameters, errors: as `judge`. The p of every verdict is corrected for the number of units.
    """
    evidence, hypothesis = _layer_evidence(network, hypothesis, layer, deviations, advance)
    return judge_evidence(evidence, hypothesis, seed=seed)


def find(
    network: Network,
    family: str | Hypothesis,
    layer: str,
    *,
    deviations: np.ndarray | None = None,
    seed: int = 0,
    advance: Callable[[int], object] = lambda more: None,
) -> pd.DataFrame:
    """Find the units of a layer that a hypothesis is supported for.

    Parameters, errors: as `judge`.

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
    >>> import visioncircuits
    >>> network = visioncircuits.load("bvlc_googlenet")  # doctest: +SKIP
    >>> find(network, "curves", "mixed3b")["unit"].tolist()  # doctest: +SKIP
    """
    verdicts = judge_layer(
        network, family, layer, deviations=deviations, seed=seed, advance=advance
    )
    return verdict_table([verdict for verdict in verdicts if verdict.status == "supported"])


def _layer_evidence(
    network: Network,
    hypothesis: str | Hypothesis,
    layer: str,
    deviations: np.ndarray | None,
    advance: Callable[[int], object],
) -> tuple[Evidence, Hypothesis]:
    if isinstance(hypothesis, str):
        hypothesis = predefined(hypothesis, network, layer)
    check_field(hypothesis, network, layer)
    units = network.layer(layer).units
    if deviations is not None and len(deviations) != units:
        raise InputError(f"{len(deviations)} standard deviations for the {units} units of {layer}")
    evidence = gather(
        network,
        layer,
        hypothesis.stimuli,
        variants=hypothesis.variants,
        controls=hypothesis.controls,
        deviations=None if deviations is None else np.asarray(deviations),
        advance=advance,
    )
    return evidence, hypothesis
