"""Which features a hypothesis is supported for: units, directions, or a dictionary's atoms."""

from typing import TYPE_CHECKING, overload

from visioncircuits.datasets import Source
from visioncircuits.dictionaries.dictionary import Dictionary
from visioncircuits.errors import InputError
from visioncircuits.examples import Examples
from visioncircuits.hypotheses.evidence import VariantResponses
from visioncircuits.hypotheses.found import Found
from visioncircuits.hypotheses.hypothesis import Hypothesis
from visioncircuits.hypotheses.judging import Deviations, judge_all
from visioncircuits.networks import Features, Network

if TYPE_CHECKING:
    from visioncircuits.dictionaries import NewFeatures


@overload
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
) -> Found: ...


@overload
def find(
    network: Network,
    features: Dictionary,
    hypothesis: str | Hypothesis,
    *,
    photographs: Source,
    second: Dictionary,
    seed: int = 0,
    progress: bool = False,
) -> "NewFeatures": ...


def find(
    network: Network,
    features: Features | Dictionary,
    hypothesis: str | Hypothesis,
    *,
    photographs: Source | None = None,
    examples: Examples | None = None,
    deviations: Deviations = None,
    responses: VariantResponses | None = None,
    second: Dictionary | None = None,
    seed: int = 0,
    progress: bool = False,
) -> "Found | NewFeatures":
    """Find the features, such as units of a layer, that a hypothesis is supported for.

    Parameters
    ----------
    network, hypothesis, examples, deviations, responses, seed, progress
        As for `judge_all`.
    features
        As for `judge_all`; or a dictionary, of whose atoms only those count that pass the four
        gates of `dictionaries.new_features`.
    photographs
        As for `judge_all`; of a dictionary's atoms, held out, for ablations.
    second
        Of a dictionary: the same fitted from another seed.

    Returns
    -------
    NewFeatures
        Of a dictionary.
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

    Raises
    ------
    InputError
        As `judge_all` or `dictionaries.new_features`; for a dictionary without a second one and
        photographs.

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
    if isinstance(features, Dictionary):
        from visioncircuits.dictionaries import new_features  # which needs this module

        others = examples, deviations, responses
        if second is None or photographs is None or any(other is not None for other in others):
            raise InputError(
                "find takes, of a dictionary, the `second` one from another seed and `photographs` "
                "on which atoms are ablated, and nothing else: an atom counts if it passes all "
                "gates of new_features"
            )
        return new_features(
            features, network, photographs, hypothesis, second=second, seed=seed, progress=progress
        )
    if second is not None:
        raise InputError("find takes a `second` dictionary only where `features` are a dictionary")
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
