"""The comparison of the curve circuits, handwritten and trained, from beginning to end.

It is one report from beginning to end, a step a function, which is why it has some 300 lines.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from visioncircuits import datasets
from visioncircuits.comparison import similarity
from visioncircuits.comparison.families import Family, counterparts, curve_family
from visioncircuits.comparison.similarity import Compared
from visioncircuits.datasets import Source
from visioncircuits.engine import Engine, Store
from visioncircuits.errors import InputError
from visioncircuits.handwritten import Label, curves, labels
from visioncircuits.handwritten.curves import LEFT_OUT
from visioncircuits.hypotheses import find
from visioncircuits.interventions import control_units, score_transplant
from visioncircuits.interventions.transplants import Donor, Transplant
from visioncircuits.networks import Network, untrained
from visioncircuits.stimuli import named
from visioncircuits.tuning import angular_distance, measure
from visioncircuits.weights import surroundings

HANDWRITTEN = "handwritten"
"""The donor that all others are controls of."""

CONTROLS = ("facing the opposite way", "permuted", "untrained")
"""Donors that only a circuit that sees curves should do better than."""

RANDOM = 3
"""How many draws of other units are removed, to see what removing any costs."""

MAPPED = 100
"""Photographs that activation maps are compared on."""


@dataclass(frozen=True)
class Comparison:
    """A handwritten curve circuit beside a trained one.

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
    """

    trained: Family
    handwritten: Family
    tuning: Mapping[str, Compared]
    kernels: Compared | None
    maps: xr.DataArray
    scores: xr.Dataset
    without: xr.Dataset
    scores_without: xr.Dataset


def compare(
    handwritten: Network,
    trained: Network,
    *,
    layer: str,
    units: Sequence[int] | None = None,
    early_layer: str | None = None,
    photographs: Source,
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
        A classifier of ImageNet's classes.
    layer, units
        The trained family; those that `hypotheses.find` supports, where they are not given.
    early_layer
        A layer before it, whose curves (`hypotheses.find`) the kernels lead from. By default the
        nearest that all paths pass through; where that has no curves, no kernels are compared.
    photographs
        What activations are compared on and transplants are scored on.
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
    """
    top = list(handwritten.layers)[-1]
    ours = [
        f"{top}:{place}"
        for place, label in enumerate(labels(handwritten, top))
        if label.kind == "curve"
    ]
    if not ours:
        raise InputError(f"{handwritten.name} has no curves in {top}; take handwritten:curves")
    trained.layer(layer)
    if early_layer is not None:
        trained.layer(early_layer)
    if units is None:
        found = _found(trained, layer, progress)
    else:
        found = [f"{layer}:{unit}" for unit in units]
    family = curve_family(trained, found)
    whole = curve_family(handwritten, ours)
    mine = counterparts(family, whole)
    transplant = _transplant(family, mine, whole)
    transplant.check()
    sets = similarity.sets()
    tuning = {
        each.name: similarity.compare_tuning(family, mine, each, progress=progress) for each in sets
    }
    kernels = None
    if (early := _early(trained, layer, early_layer, progress)) is not None:
        kernels = _kernels(family, early, whole)
    photographs = datasets.photographs(photographs)
    some = photographs.part(range(0, len(photographs), -(-len(photographs) // MAPPED)))
    maps = similarity.compare_maps(family, mine, some, progress=progress)
    scores = score_transplant(
        transplant, photographs, store=store, engine=engine, progress=progress
    )
    reduced = {name: curves(**parameters) for name, parameters in LEFT_OUT.items()}
    fewer = photographs.part(
        range(0, len(photographs), -(-len(photographs) // photographs_without))
    )
    scores_without = score_transplant(
        _parts(family, mine, reduced), fewer, store=store, engine=engine, progress=progress
    )
    without = tuning_without(family, mine, tuning["curves"], reduced, progress=progress)
    return Comparison(family, mine, tuning, kernels, maps, scores, without, scores_without)


def _transplant(family: Family, mine: Family, whole: Family) -> Transplant:
    """Plan the transplant and its controls."""
    network, layer, places = family.network, family.layer, family.places
    written, before = mine.network, mine.network.before_rectifier(mine.layer)
    facing = {unit.index: place for place, unit in enumerate(whole.units)}
    opposite = [
        whole.places[(facing[place] + len(whole) // 2) % len(whole)] for place in mine.places
    ]
    nowhere = untrained("bvlc_googlenet")
    strangers = control_units(nowhere, "mixed3b", places, seed=1)
    return Transplant(
        network,
        layer,
        places,
        donors={
            HANDWRITTEN: Donor(written, before, mine.places),
            **dict(
                zip(
                    CONTROLS,
                    (
                        Donor(written, before, tuple(opposite)),
                        Donor(written, before, _permuted(mine.places)),
                        Donor(nowhere, "mixed3b_pre_relu", strangers),
                    ),
                    strict=True,
                )
            ),
        },
        removals={
            f"other units removed, draw {seed + 1}": control_units(
                network, layer, places, seed=seed
            )
            for seed in range(RANDOM)
        },
    )


def _permuted(places: Sequence[int], *, seed: int = 0) -> tuple[int, ...]:
    """Shuffle until nothing is where it was.

    Examples
    --------
    >>> _permuted((4, 5))
    (5, 4)
    """
    generator = np.random.default_rng(seed)
    for _ in range(1000):
        order = generator.permutation(len(places))
        shuffled = tuple(places[place] for place in order)
        if all(one != other for one, other in zip(shuffled, places, strict=True)):
            return shuffled
    raise InputError("a family of one orientation cannot be permuted; compare two units or more")


def _parts(family: Family, mine: Family, reduced: Mapping[str, Network]) -> Transplant:
    before = mine.network.before_rectifier(mine.layer)
    return Transplant(
        family.network,
        family.layer,
        family.places,
        donors={
            name: Donor(network, before, mine.places)
            for name, network in {"nothing": mine.network, **reduced}.items()
        },
        removals={},
    )


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
    progress: bool = False,
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
        responses = measure(network, mine.units, named("curves"), progress=progress)
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
