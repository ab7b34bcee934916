"""The comparison of the curve circuits, handwritten and trained, from beginning to end.

It is one report from beginning to end, a step a function, which is why it has some 300 lines.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

import numpy as np
import xarray as xr

from visioncircuits import datasets
from visioncircuits.comparison import similarity
from visioncircuits.comparison.controls import controlled, of_parts
from visioncircuits.comparison.families import Family, counterparts, curve_family
from visioncircuits.comparison.similarity import Compared
from visioncircuits.datasets import Source
from visioncircuits.engine import Engine, Store
from visioncircuits.errors import InputError
from visioncircuits.handwritten import Label, curves, labels
from visioncircuits.handwritten.curves import LEFT_OUT
from visioncircuits.hypotheses import find
from visioncircuits.interventions import repair
from visioncircuits.interventions.scoring import classes_of
from visioncircuits.interventions.transplant_scores import scored
from visioncircuits.labeled import html_picture
from visioncircuits.networks import Features, Network, expand
from visioncircuits.progress import Advance, bar, no_progress
from visioncircuits.stimuli import named
from visioncircuits.tuning import angular_distance
from visioncircuits.tuning.responses import measured
from visioncircuits.weights import surroundings

MAPPED = 100
"""Photographs that activation maps are compared on."""


@dataclass(frozen=True)
class Comparison:
    """A handwritten curve circuit beside a trained one.

    A notebook shows the tuning of both, and what the transplant and its controls repair.

    Attributes
    ----------
    trained, handwritten
        The families, unit by unit counterparts.
    tuning
        By set of stimuli.
    kernels
        From early curves to curves, where early curves were given.
    maps
        Spearman's correlation of activation maps over photographs, by trained unit.
    scores
        Of the transplant and its controls; see `score_transplant`.
    without
        By what is left out of the handwritten circuit: its own tuning, `surface` (correlation with
        the trained), `echo`, `width`, `off` (degrees from its label), medians over its units.
    scores_without
        Of transplants of what is left.

    Examples
    --------
    >>> from visioncircuits.comparison import compare_tuning
    >>> from visioncircuits.interventions import Scores
    >>> from visioncircuits.stimuli import named
    >>> family = curve_family(curves(), ["mixed3b:3", "mixed3b:9"])
    >>> tuning = {"curves": compare_tuning(family, family, named("curves").isel(radius=[1]))}
    >>> conditions = {"condition": ["original", "removed"]}
    >>> costs = xr.DataArray([[0.0], [1.0]], conditions, ("condition", "photograph"))
    >>> scores = Scores({"cross_entropy": costs, "divergence": costs})
    >>> maps = xr.DataArray([0.9, 0.8], dims="unit")
    >>> Comparison(family, family, tuning, None, maps, scores, xr.Dataset(), scores)
    Comparison(2 of mixed3b in handwritten:curves, 1 photographs)
    """

    trained: Family
    handwritten: Family
    tuning: Mapping[str, Compared]
    kernels: Compared | None
    maps: xr.DataArray
    scores: xr.Dataset
    without: xr.Dataset
    scores_without: xr.Dataset

    def __repr__(self) -> str:
        return (
            f"Comparison({len(self.trained)} of {self.trained.layer} in "
            f"{self.trained.network.name}, {self.scores.sizes['photograph']} photographs)"
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
    photographs: Source,
    *,
    early_layer: str | None = None,
    photographs_without: int = 500,
    store: Store,
    engine: Engine | None = None,
    progress: bool = False,
) -> Comparison:
    """Compare a handwritten curve circuit with a trained family of curve detectors.

    Parameters
    ----------
    handwritten
        `handwritten:curves`, or one of your own with units of the kind "curve" in its last layer.
    trained
        A classifier.
    features
        The trained family; of a layer's name, the curve detectors that `hypotheses.find` supports.
    photographs
        What activations are compared on and transplants are scored on, with classes; see
        `datasets.photographs`.
    early_layer
        A layer before it, whose curves (`hypotheses.find`) the kernels lead from. By default the
        nearest that all paths pass through; where that has no curves, no kernels are compared.
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
    >>> from visioncircuits.handwritten import curves, load
    >>> pictures = datasets.photographs(np.zeros((4, 3, 64, 64), np.float32))
    >>> compare(load("lines"), curves(), "mixed3b", pictures, store=Store(Path("scores")))
    Traceback (most recent call last):
    visioncircuits.errors.InputError: handwritten:lines has no curves in mixed3a; take ...
    """
    top = list(handwritten.layers)[-1]
    ours = [
        f"{top}:{place}"
        for place, label in enumerate(labels(handwritten, top))
        if label.kind == "curve"
    ]
    if not ours:
        raise InputError(f"{handwritten.name} has no curves in {top}; take handwritten:curves")
    chosen = expand(trained, features)
    if early_layer is not None:
        trained.layer(early_layer)
    given = datasets.photographs(photographs)
    classes_of(trained, given)
    if isinstance(features, str) and ":" not in features:
        family = curve_family(trained, _found(trained, features, progress))
    else:
        family = curve_family(trained, chosen)
    whole = curve_family(handwritten, ours)
    mine = counterparts(family, whole)
    transplant = controlled(family, mine, whole)
    transplant.check()
    sets = similarity.sets()
    with bar("stimuli", 2 * sum(map(len, sets)), visible=progress) as advance:
        tuning = {each.name: similarity.tuned(family, mine, each, advance=advance) for each in sets}
    kernels = None
    if (early := _early(trained, family.layer, early_layer, progress)) is not None:
        kernels = _kernels(family, early, whole)
    some = given.part(range(0, len(given), -(-len(given) // MAPPED)))
    maps = similarity.compare_maps(family, mine, some, progress=progress)
    with bar("transplants", len(given), visible=progress) as advance:
        scores = scored(transplant, given, store=store, engine=engine, advance=advance)
    reduced = {name: curves(**parameters) for name, parameters in LEFT_OUT.items()}
    fewer = given.part(range(0, len(given), -(-len(given) // photographs_without)))
    with bar("transplants of parts", len(fewer), visible=progress) as advance:
        scores_without = scored(
            of_parts(family, mine, reduced), fewer, store=store, engine=engine, advance=advance
        )
    with bar("tuning of parts", len(reduced) * len(named("curves")), visible=progress) as advance:
        without = tuning_without(family, mine, tuning["curves"], reduced, advance=advance)
    return Comparison(family, mine, tuning, kernels, maps, scores, without, scores_without)


def _found(network: Network, layer: str, progress: bool) -> list[str]:
    """Name the curve detectors of a layer."""
    units = [str(unit) for unit in find(network, layer, "curves", progress=progress)["unit"]]
    if not units:
        raise InputError(
            f"no unit of {layer} in {network.name} passes for a curve detector; try another layer, "
            "or name the units"
        )
    return units


def _early(network: Network, layer: str, early_layer: str | None, progress: bool) -> Family | None:
    """Find the curves that a family may be made of."""
    if early_layer is not None:
        return curve_family(network, _found(network, early_layer, progress))
    for nearest in surroundings(network, layer).before[:1]:
        try:
            return curve_family(network, _found(network, nearest, progress))
        except InputError:
            return None  # no curves there, or it comes too early for them
    return None


def _kernels(family: Family, early: Family, whole: Family) -> Compared:
    network = whole.network
    named_early = {
        layer: [f"{layer}:{u}" for u, label in enumerate(labels(network, layer)) if _bends(label)]
        for layer in network.layers
        if not layer.endswith("_pre_relu")
    }
    written = next(units for units in named_early.values() if units)
    ours = curve_family(whole.network, written)
    return similarity.compare_kernels(family, early, whole, ours)


def _bends(label: Label) -> bool:
    return label.kind == "early curve"


def tuning_without(
    family: Family,
    mine: Family,
    whole: Compared,
    reduced: Mapping[str, Network],
    *,
    advance: Advance = no_progress,
) -> xr.Dataset:
    """Measure how curves are tuned when something is left out of their circuit.

    Parameters
    ----------
    family
        The trained one.
    mine
        Its handwritten counterparts.
    whole
        How both are tuned on curves.
    reduced
        What is left out, to the network without it.
    advance
        Is called with how many stimuli more have been measured.

    Returns
    -------
    xarray.Dataset
        By `without`, "nothing" first: medians over units of `surface`, `width`, `echo` and `off`.
    """
    wanted = np.array([labels(mine.network, mine.layer)[p].orientation for p in mine.places])
    tuned = {"nothing": whole.numbers}
    for name, network in reduced.items():
        responses = measured(network, mine.units, named("curves"), advance=advance)
        altered = Family(network, mine.units, mine.orientations)
        compared = similarity.compare_responses(family, altered, whole.trained, responses)
        tuned[name] = compared.numbers
    rows = []
    for found in tuned.values():
        ours = found.sel(which="handwritten")
        off = angular_distance(ours["prefers"].values, wanted)
        rows.append(
            [np.median(each) for each in (found["surface"], ours["width"], ours["echo"], off)]
        )
    names = ("surface", "width", "echo", "off")
    table = np.array(rows)
    return xr.Dataset(
        {name: ("without", table[:, place]) for place, name in enumerate(names)},
        coords={"without": list(tuned)},
    )
