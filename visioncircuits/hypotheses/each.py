"""All hypotheses over one layer, whose stimuli are shown once for all."""

from collections.abc import Sequence

from visioncircuits.datasets import Source
from visioncircuits.errors import InputError
from visioncircuits.examples import Examples
from visioncircuits.hypotheses.found import Found
from visioncircuits.hypotheses.hypothesis import Hypothesis
from visioncircuits.hypotheses.judging import Deviations, find, scaled
from visioncircuits.hypotheses.measuring import Shown, measure_each
from visioncircuits.hypotheses.predefined import applicable
from visioncircuits.networks import Features, Network, select
from visioncircuits.networks.fixed_parameters import parameters_fixed


def find_each(
    network: Network,
    features: Features,
    hypotheses: Sequence[str | Hypothesis] | None = None,
    *,
    photographs: Source | None = None,
    examples: Examples | None = None,
    deviations: Deviations = None,
    seed: int = 0,
    progress: bool = False,
) -> dict[str, Found]:
    """Find the features that each of several hypotheses is supported for.

    Hypotheses share most of their controls, so that this takes less than one `find` after another,
    whose results it has.

    Parameters
    ----------
    network, features, photographs, examples, deviations, seed, progress
        As for `find`.
    hypotheses
        Names or your own; by default all that are `applicable` to the layer.

    Returns
    -------
    dict
        By the hypothesis' name, in their order.

    Raises
    ------
    InputError
        As `find`, for the first of them that fails, and for two of one name.

    Examples
    --------
    >>> from visioncircuits.hypotheses import Hypothesis, Prediction, effects
    >>> from visioncircuits.networks import untrained
    >>> from visioncircuits.stimuli import named
    >>> claims = {
    ...     "one-sided edge": Prediction("has no echo", effects.echo, most=0.1),
    ...     "broad edge": Prediction("is broad", effects.width, least=100),
    ... }
    >>> both = [Hypothesis(name, named("edges"), (claim,)) for name, claim in claims.items()]
    >>> found = find_each(untrained("bvlc_googlenet"), "conv2d0", both)
    >>> {name: len(table) for name, table in found.items()}
    {'one-sided edge': 53, 'broad edge': 14}
    """
    layer = select(network, features).layer
    if hypotheses is None:
        hypotheses = applicable(network, layer)
    tested = {each.name: each for each in (scaled(one, network, layer) for one in hypotheses)}
    if len(tested) < len(hypotheses):
        raise InputError("two of the hypotheses have the same name; rename one")
    shown = [Shown(each.stimuli, each.variants, each.controls) for each in tested.values()]
    with parameters_fixed():
        measured = measure_each(network, layer, shown, progress=progress)
        return {
            name: find(
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
            for (name, hypothesis), responses in zip(tested.items(), measured, strict=True)
        }
