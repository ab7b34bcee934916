"""Which atoms of a dictionary are curve detectors that are no units."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import torch
import xarray as xr
from scipy.stats import fisher_exact

from visioncircuits.dictionaries import Dictionary, NewFeatures, new_features
from visioncircuits.dictionaries.first_gates import first_gates
from visioncircuits.dictionaries.gated import GATES
from visioncircuits.thread import Plate, Row, Study, here, part
from visioncircuits.thread.articles.missing_curves.curve_stimuli import (
    curve_hypothesis,
    hypothesis_responses,
)
from visioncircuits.thread.articles.missing_curves.family import (
    Coverage,
    along,
    coverage_plot,
    curve_responses,
)
from visioncircuits.thread.articles.missing_curves.hidden import SAME, Recovery, hide, recovered
from visioncircuits.thread.articles.missing_curves.layer_samples import (
    LayerSamples,
    layer_samples,
)
from visioncircuits.thread.articles.missing_curves.methods import METHODS, unconverged
from visioncircuits.thread.claims import OWN, Claim, Control
from visioncircuits.thread.intervals import middle
from visioncircuits.thread.units import numbers
from visioncircuits.tuning import orientation_tuning, radial_panel
from visioncircuits.tuning.plots import beside

WAYS = {"TopK": ("rotated", "superposed"), "NMF": ("superposed",)}
"""How detectors are hidden from each method; what is rotated is negative too, and NMF takes none
below 0."""
HIDINGS = {
    "rotated": "by a rotation with other units",
    "superposed": "in superposition, at 60° from four other units",
}
HIDDEN = {
    (method, way): here(
        f"curve detectors hidden in mixed3b {HIDINGS[way]} are found among the atoms of {method}",
        OWN,
    )
    for method, ways in WAYS.items()
    for way in ways
}
NEW = {
    method: here(
        f"atoms of {method} in mixed3b are curve detectors and no units, by four gates and more "
        "than by chance",
        OWN,
    )
    for method in METHODS
}
FILLED = {
    method: here(
        f"new curve detectors among the atoms of {method} are where the units' orientations are "
        "missing",
        OWN,
    )
    for method in METHODS
}
SHARPER = here(
    "new curve detectors among the atoms are as good as the units: as narrow, with as weak an echo",
    OWN,
)


@part(*HIDDEN.values(), *NEW.values(), *FILLED.values(), SHARPER, stand_ins=())
def directions(study: Study) -> Iterator[Row | Plate]:
    """Directions that are no unit's.

    Dictionaries of mixed3b are fitted to activations at random positions of photographs, and each
    atom is put to four gates: it is no unit, recurs in a second dictionary, passes the hypothesis
    that found the units, and changes the network's output when it is ablated. Whether this finds
    what is there is known by a positive control: every other curve detector is hidden in the layer,
    rotated with units that are none or added to others, and must be found by the same gates (but
    the last: later layers would have to know where it went). Chance is threefold: untrained atoms,
    which the third gate compares with, the atoms with their weights permuted over units, and
    atoms of activations that were shuffled, each unit's on its own.
    """
    table = study.detectors("curve", "mixed3b")
    drawn = layer_samples(study)
    power = {method: hidden_ones(study, method, table, drawn) for method in METHODS}
    for (method, way), claim in HIDDEN.items():
        yield recovery(claim, power[method], way)
    found: dict[str, NewFeatures] = {}
    for method, fit in METHODS.items():
        one, other = (fit(study, drawn, study.seed + more) for more in (0, 1))
        shuffled = fit(study, drawn.shuffled(study.rng("shuffled")), study.seed)
        chance = {"permuted": permuted(one, study.rng("permuted")), "shuffled": shuffled}
        found[method] = new_features(
            one, study.network, study.photographs(study.of(40, quick=8)), curve_hypothesis(study),
            second=other, responses=hypothesis_responses(study), seed=study.seed,
        )  # fmt: skip
        counts = {name: curves(study, each) for name, each in chance.items()}
        doubt = unconverged(one, other, shuffled)
        yield new(NEW[method], found[method], counts, doubt, power[method], len(drawn.training))
    measured = curve_responses(study)
    units = measured.sel(unit=table["unit"].tolist())
    family = Coverage.of(units)
    covers: dict[str, Coverage] = {}
    panels = [radial_panel(units, title=f"{len(units)} units")]
    tuned: list[xr.Dataset] = []
    for method in METHODS:
        mine = found[method].directions
        if not mine:
            covers[method] = Coverage(family.angles, np.zeros((0, len(family.angles))))
            yield FILLED[method].untestable(f"no atom of {method} passes all gates")
            continue
        responses = along(measured, mine)
        covers[method] = Coverage.of(responses)
        tuned.append(orientation_tuning(responses))
        panels.append(radial_panel(short(responses), title=f"{len(mine)} of {method}"))
        yield filling(FILLED[method], family, covers[method])
    yield sharpness(SHARPER, orientation_tuning(units), tuned, study)
    yield Plate(
        "directions",
        beside(panels),
        "Radial tuning of the units, and of the atoms that pass all gates.",
    )
    yield Plate(
        "coverage",
        coverage_plot([("units", family), *covers.items()], family.stretches()),
        "Tuning over the peak, of units and of atoms that pass all gates; shaded is where no unit "
        "reaches half of its height.",
    )


def hidden_ones(study: Study, method: str, table: pd.DataFrame, drawn: LayerSamples) -> Recovery:
    """Hide the layer's curve detectors, and look for them."""
    orientations = table["orientation"].astype(float).tolist()
    detectors = dict(zip(numbers(table["unit"]), orientations, strict=True))
    units = drawn.training.shape[1]
    hidden = hide(units, detectors, WAYS[method], study.rng("hidden"))
    return recovered(study, hidden, METHODS[method], drawn)


def recovery(claim: Claim, power: Recovery, way: str) -> Row:
    """State what was found of the detectors that were hidden in one way."""
    some = power.by(way)
    if not some.sought:
        return claim.untestable("there are too few curve detectors to hide any so")
    cosine = np.median([each.cosine for each in some.sought])
    return claim.found(
        f"{some.count('found')} of {len(some.sought)} found, {some.count('filled')} of their "
        f"orientations; cosine {cosine:.2f}",
        holds={"holds": True, "does not hold": False}.get(some.status),
        interval=f"{some.count('passes')} of the hidden directions pass the hypothesis themselves",
        why=f"{power.doubt}Found is what an atom is, at a cosine of {SAME} or more, that passes "
        "the first three gates; the cosine is the median of the nearest atoms'. Holds where at "
        "least half of those are found that pass the hypothesis themselves.",
    )


def permuted(dictionary: Dictionary, rng: np.random.Generator) -> Dictionary:
    """Permute the weights of each atom over the units."""
    return replace(
        dictionary, atoms=torch.from_numpy(rng.permuted(dictionary.atoms.numpy(), axis=1))
    )


def curves(study: Study, dictionary: Dictionary) -> tuple[int, int]:
    """Count the atoms that pass the hypothesis and are no unit, and all."""
    gates = first_gates(
        dictionary, study.network, curve_hypothesis(study), hypothesis_responses(study),
        second=dictionary, seed=study.seed,
    )  # fmt: skip
    return len(gates.passing), len(dictionary.atoms)


def new(
    claim: Claim,
    found: NewFeatures,
    chance: dict[str, tuple[int, int]],
    doubt: str,
    power: Recovery,
    samples: int,
) -> Row:
    """Count the atoms that pass each gate; what is not found counts where it would have been."""
    table = found.table
    inside = [int(table[list(GATES[:upto])].all(axis=1).sum()) for upto in range(1, 5)]
    mine, total = int((table["no unit"] & table["hypothesis"]).sum()), len(table)
    odds = [
        fisher_exact([[mine, total - mine], [many, of - many]], "greater").pvalue
        for many, of in chance.values()
    ]
    holds: bool | None = len(found) > 0 and max(odds) < 0.05
    limits = ""
    if not holds and not power.powerful:
        holds, limits = None, "The method does not find hidden detectors. "
    if doubt:
        holds = None
    return claim.found(
        f"{len(found)} of {total} atoms",
        holds=holds,
        interval=f"{inside[0]} no unit, {inside[1]} recur, {inside[2]} curves, {inside[3]} act; "
        f"no unit and curves: {mine} of {total}, "
        + ", ".join(f"{name} {many} of {of}" for name, (many, of) in chance.items()),
        why=f"{doubt}{limits}Gates one after the other: a cosine below {found.thresholds['unit']} "
        f"with every unit, of {found.thresholds['recurs']} or more with an atom of a second "
        "dictionary, six predictions at a false discovery rate of 5 % beyond untrained atoms, an "
        "effect on the output beyond that of random directions. Holds where an atom passes all, "
        "and more are no unit and curves than by either chance, P < .05 by Fisher's test; here "
        f"{max(odds):.2g}. {samples} positions.",
        controls=[as_control(power)],
    )


def as_control(power: Recovery) -> Control:
    """Return the positive control as part of a row."""
    measured = f"{power.count('found')} of {len(power.sought)} found"
    return Control("hidden detectors", "holds", power.status, measured)


def filling(claim: Claim, family: Coverage, extra: Coverage) -> Row:
    """Measure the share of missing orientations that directions cover, and its null."""
    gone = family.missing
    if family.degrees(gone) < 5:
        return claim.untestable("the units leave no orientation out")
    covered = ~extra.missing
    mine = float((covered & gone).sum() / gone.sum())
    by_chance = np.array([
        (np.roll(covered, shift) & gone).sum() / gone.sum() for shift in range(len(gone))
    ])  # fmt: skip
    low, high = middle(by_chance)
    return claim.found(
        f"{mine:.0%} of {family.degrees(gone):.0f}° are filled",
        holds=bool(mine >= 0.5 and mine > high),
        interval=f"the same directions turned together {low:.0%} to {high:.0%}",
        why="Orientations at which no unit reaches half its height and a direction does; "
        "holds where half of them are filled, and more than by 95 % of all turns.",
    )


def sharpness(claim: Claim, units: xr.Dataset, others: Sequence[xr.Dataset], study: Study) -> Row:
    """Compare directions with units in width and echo."""
    if not others:
        return claim.untestable("no atom passes all gates")
    medians, apart = [], []
    rng = study.rng("sharpness")
    for name in ("width", "echo"):
        ours = units[name].values
        theirs = np.concatenate([found[name].values for found in others])
        medians.append(f"{name} {np.median(theirs):.2f} against {np.median(ours):.2f}")
        drawn = [
            np.median(rng.choice(theirs, len(theirs))) - np.median(rng.choice(ours, len(ours)))
            for _ in range(1000)
        ]
        apart.append(middle(drawn))
    return claim.found(
        ", ".join(medians),
        holds=all(low <= 0 for low, _ in apart),
        interval="difference " + ", ".join(f"{low:+.2f} to {high:+.2f}" for low, high in apart),
        why="Medians, widths in degrees; holds where neither interval is above 0.",
    )


def short(responses: xr.DataArray) -> xr.DataArray:
    """Rename directions by their number alone."""
    names = [str(name).rpartition(" ")[2] for name in responses["unit"].values]
    return responses.assign_coords(unit=[f"direction:{name}" for name in names])
