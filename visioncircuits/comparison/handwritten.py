"""The comparison of a family, handwritten and trained, from beginning to end.

It is one report from beginning to end, a step a function, which is why it has some 310 lines.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from html import escape
from types import MappingProxyType

import numpy as np
import xarray as xr

from visioncircuits import datasets
from visioncircuits.comparison import families, similarity
from visioncircuits.comparison.alternatives import standing
from visioncircuits.comparison.controls import HANDWRITTEN, controlled, of_parts
from visioncircuits.comparison.families import Family, counterparts
from visioncircuits.comparison.selectivity import selectivity, stimuli_shown
from visioncircuits.comparison.similarity import Compared
from visioncircuits.datasets import Source
from visioncircuits.engine import Engine, Store
from visioncircuits.errors import InputError
from visioncircuits.handwritten import labels
from visioncircuits.hypotheses import Hypothesis
from visioncircuits.hypotheses.judging import scaled
from visioncircuits.interventions import repair
from visioncircuits.interventions.scoring import classes_of
from visioncircuits.interventions.transplant_scores import fitted, scored
from visioncircuits.labeled import html_picture
from visioncircuits.networks import Features, Network, select
from visioncircuits.progress import Advance, bar, no_progress
from visioncircuits.stimuli import StimulusSet
from visioncircuits.tuning import angular_distance
from visioncircuits.tuning.responses import measured
from visioncircuits.weights import surroundings

MAPPED = 100
"""Photographs that activation maps are compared on."""


@dataclass(frozen=True)
class Comparison:
    """A handwritten family beside a trained one.

    A notebook shows the tuning of both, and what the transplant and its controls repair.

    Attributes
    ----------
    trained, handwritten
        The families, unit by unit counterparts.
    tuning
        By set of stimuli, the hypothesis' own first.
    kernels
        From the family in an earlier layer, where there is one, as from early curves to curves.
    maps
        Spearman's correlation of activation maps over photographs, by trained unit.
    scores
        Of the transplant, its controls and its simple alternatives; see `score_transplant`.
    contrast
        As `maps`, of one map for all units instead of the handwritten: negative local contrast.
    selectivity
        What the trained family, the handwritten one and the simple alternatives respond to; see
        `selectivity.selectivity`. None where it was not measured.
    without
        By what is left out of the handwritten circuit: its own tuning, medians over its units; see
        `tuning_without`. None where nothing was left out.
    scores_without
        Of transplants of what is left.

    Examples
    --------
    >>> from visioncircuits.comparison import compare_tuning, family
    >>> from visioncircuits.handwritten import curves
    >>> from visioncircuits.interventions import Scores
    >>> from visioncircuits.stimuli import named
    >>> two = family(curves(), ["mixed3b:3", "mixed3b:9"], "curve")
    >>> tuning = {"curves": compare_tuning(two, two, named("curves").isel(radius=[1]))}
    >>> conditions = {"condition": ["original", "zero"]}
    >>> costs = xr.DataArray([[0.0], [1.0]], conditions, ("condition", "photograph"))
    >>> scores = Scores({"cross_entropy": costs, "divergence": costs})
    >>> maps = xr.DataArray([0.9, 0.8], dims="unit")
    >>> Comparison(two, two, tuning, None, maps, scores)
    Comparison(curve: 2 of mixed3b in handwritten:curves, 1 photographs)
    """

    trained: Family
    handwritten: Family
    tuning: Mapping[str, Compared]
    kernels: Compared | None
    maps: xr.DataArray
    scores: xr.Dataset
    contrast: xr.DataArray | None = None
    selectivity: xr.Dataset | None = None
    without: xr.Dataset | None = None
    scores_without: xr.Dataset | None = None

    def __repr__(self) -> str:
        return (
            f"Comparison({self.trained.hypothesis.name}: {len(self.trained)} of "
            f"{self.trained.layer} in {self.trained.network.name}, "
            f"{self.scores.sizes['photograph']} photographs)"
        )

    def _repr_html_(self) -> str:
        shown = [escape(repr(self))]
        if self.tuning:
            shown.append(html_picture(next(iter(self.tuning.values()))._repr_png_()))
        repaired = repair(self.scores).summary()
        return "<br>".join(shown) + ("" if repaired is None else repaired.to_html(border=0))


def compare(
    handwritten: Network,
    trained: Network,
    features: Features,
    hypothesis: str | Hypothesis,
    photographs: Source,
    *,
    handwritten_layer: str | None = None,
    early_layer: str | None = None,
    incomplete: Mapping[str, Network] = MappingProxyType({}),
    photographs_without: int = 500,
    store: Store,
    engine: Engine | None = None,
    progress: bool = False,
) -> Comparison:
    """Compare a handwritten family with a trained one, both those that a hypothesis defines.

    Parameters
    ----------
    handwritten
        A handwritten network, such as `handwritten:curves`, or one of your own; its family are the
        units of `handwritten_layer` that the hypothesis is supported for.
    trained
        A classifier.
    features
        The trained family; of a layer's name, the units that the hypothesis is supported for.
    hypothesis
        One of `hypotheses.PREDEFINED` by name, or your own. Both are tuned on its stimuli, and on
        the ready sets that have all of its axes.
    photographs
        What activations are compared on and transplants are scored on, with classes; see
        `datasets.photographs`.
    handwritten_layer
        One whose units are labeled; by default the handwritten network's last.
    early_layer
        A layer before the trained family, whose own units of the hypothesis the kernels lead from.
        By default the nearest that all paths pass through; where that has none, or the handwritten
        network has no units labeled "early NAME" with the hypothesis' name, no kernels are
        compared.
    incomplete
        What was left out of the handwritten circuit to the network without it, as
        `handwritten.incomplete` builds them.
    photographs_without
        How many of them transplants of incomplete circuits are scored on.
    store
        Keeps the scores; an interrupted comparison goes on from them.
    engine
        Who scores; this process by default.
    progress
        Whether to show bars.

    Raises
    ------
    InputError
        For networks, layers and units that do not fit, before anything long is computed.

    Examples
    --------
    It takes minutes, and checks before that what it is given.

    >>> from pathlib import Path
    >>> from visioncircuits.handwritten import curves
    >>> pictures = datasets.photographs(np.zeros((4, 3, 64, 64), np.float32))
    >>> compare(curves(), curves(), "mixed3b", "curl", pictures, store=Store(Path("scores")))
    Traceback (most recent call last):
    visioncircuits.errors.InputError: unknown hypothesis 'curl'; the nearest are 'curve'
    """
    top = handwritten.layer(handwritten_layer or list(handwritten.layers)[-1]).name
    labels(handwritten, top)
    for network, layer in ((trained, select(trained, features).layer), (handwritten, top)):
        scaled(hypothesis, network, layer)
    if early_layer is not None:
        trained.layer(early_layer)
    given = datasets.photographs(photographs)
    classes_of(trained, given)
    family = families.family(trained, features, hypothesis, progress=progress)
    whole = families.family(handwritten, top, hypothesis, progress=progress)
    mine = counterparts(family, whole)
    transplant = controlled(family, mine, whole)
    transplant.check()
    sets = similarity.shown(family, mine)
    with bar("stimuli", 2 * sum(map(len, sets)), visible=progress) as advance:
        tuning = {each.name: similarity.tuned(family, mine, each, advance=advance) for each in sets}
    kernels = None
    if (written := _early_by_hand(whole, hypothesis)) is not None:
        early = _early(trained, family.layer, early_layer, hypothesis, progress)
        if early is not None:
            kernels = similarity.compare_kernels(family, early, whole, written)
    some = given.part(range(0, len(given), -(-len(given) // MAPPED)))
    with bar("photographs", len(some), visible=progress) as advance:
        maps, contrast = similarity.ranked_maps(family, mine, some, advance=advance)
    with bar("transplants", len(given), visible=progress) as advance:
        scores = scored(transplant, given, store=store, engine=engine, advance=advance)
    beside = {HANDWRITTEN: mine, **standing(family, fitted(transplant, given, store=store))}
    with bar("selectivity", stimuli_shown(family, beside), visible=progress) as advance:
        selective = selectivity(family, beside, advance=advance)
    found = Comparison(family, mine, tuning, kernels, maps, scores, contrast, selective)
    if not incomplete:
        return found
    fewer = given.part(range(0, len(given), -(-len(given) // photographs_without)))
    with bar("transplants of parts", len(fewer), visible=progress) as advance:
        scores_without = scored(
            of_parts(family, mine, incomplete), fewer, store=store, engine=engine, advance=advance
        )
    with bar("tuning of parts", len(incomplete) * len(sets[0]), visible=progress) as advance:
        without = tuning_without(
            family, mine, tuning[sets[0].name], sets[0], incomplete, advance=advance
        )
    return replace(found, without=without, scores_without=scores_without)


def _early(
    network: Network,
    layer: str,
    early_layer: str | None,
    hypothesis: str | Hypothesis,
    progress: bool,
) -> Family | None:
    """Find the trained units that a family may be made of."""
    if early_layer is not None:
        return families.family(network, early_layer, hypothesis, progress=progress)
    for nearest in surroundings(network, layer).before[:1]:
        try:
            return families.family(network, nearest, hypothesis, progress=progress)
        except InputError:
            return None  # none there, or it comes too early for them
    return None


def _early_by_hand(whole: Family, hypothesis: str | Hypothesis) -> Family | None:
    """Collect the handwritten units that are labeled as the family's early kind."""
    network, kind = whole.network, f"early {whole.hypothesis.name}"
    for layer in network.layers:
        if not layer.endswith("_pre_relu") and network.depends(whole.layer, layer):
            units = [
                f"{layer}:{place}"
                for place, label in enumerate(labels(network, layer))
                if label.kind == kind
            ]
            if units:
                return families.family(network, units, hypothesis)
    return None


def tuning_without(
    family: Family,
    mine: Family,
    whole: Compared,
    stimuli: StimulusSet,
    incomplete: Mapping[str, Network],
    *,
    advance: Advance = no_progress,
) -> xr.Dataset:
    """Measure how units are tuned when something is left out of their circuit.

    Parameters
    ----------
    family
        The trained one.
    mine
        Its handwritten counterparts.
    whole
        How both are tuned on the stimuli.
    stimuli
        What tuning is measured on.
    incomplete
        What is left out, to the network without it.
    advance
        Is called with how many stimuli more have been measured.

    Returns
    -------
    xarray.Dataset
        By `without`, "nothing" first: medians over units of `surface` (the correlation with the
        trained) and, where stimuli have an orientation, of `width`, `echo` and `off`, the degrees
        from what the whole circuit's unit prefers.
    """
    tuned = {"nothing": whole.numbers}
    for name, network in incomplete.items():
        responses = measured(network, mine.units, stimuli, advance=advance)
        altered = replace(mine, network=network)
        compared = similarity.compare_responses(family, altered, whole.trained, responses)
        tuned[name] = compared.numbers
    columns: dict[str, list[float]] = {}
    for found in tuned.values():
        medians = {"surface": found["surface"].values}
        if "prefers" in found:
            ours = found.sel(which="handwritten")
            wanted = whole.numbers["prefers"].sel(which="handwritten").values
            medians |= {name: ours[name].values for name in ("width", "echo")}
            medians["off"] = angular_distance(ours["prefers"].values, wanted, period=mine.period)
        for name, values in medians.items():
            columns.setdefault(name, []).append(float(np.median(values)))
    return xr.Dataset(
        {name: ("without", values) for name, values in columns.items()},
        coords={"without": list(tuned)},
    )
