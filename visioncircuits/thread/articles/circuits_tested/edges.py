"""Circuits of edges: how many edges carry a curve detector, and where the strongest come from."""

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass

import numpy as np
from scipy.stats import hypergeom

from visioncircuits import circuits, datasets
from visioncircuits.circuits.keeping import Keeper
from visioncircuits.circuits.selection import drawn
from visioncircuits.interventions.ablation import ABLATIONS
from visioncircuits.thread import Plate, Row, Study, here, part
from visioncircuits.thread.claims import NEGATIVE, OWN, Unavailable
from visioncircuits.thread.units import evenly

SHARE, KEPT = 0.1, 0.9
"""Of all edges, and of the activation at its peak."""

FEW = here(
    "curve detectors in mixed3b live on few edges from conv2d2 on: a tenth of them keeps nine "
    "tenths of a detector's activation on other photographs",
    OWN,
)
FAMILIES = here(
    "the strongest edges into curve detectors of mixed3b come from curves and lines of mixed3a",
    "by eye, a few kernels",
)


@dataclass(frozen=True)
class Carried:
    """What a detector's edges carry.

    Attributes
    ----------
    kept
        By ablation, the faithfulness of a tenth of the edges on photographs held out.
    chance
        By mean ablation, that of as many random edges.
    members
        Of the strongest edges into it, those from the families.
    """

    kept: Mapping[str, float]
    chance: float
    members: int


@part(FEW, FAMILIES, stand_ins=(*NEGATIVE, "handwritten curves"))
def edges(study: Study) -> Iterator[Row | Plate]:
    """Curve detectors and their edges.

    All edges from conv2d2, after its pool, through mixed3a to a detector are scored by attribution
    patching on every second photograph. A tenth of them, divided among the layers as keeps most
    there, is run on the other photographs, all other edges ablated.
    """
    places = [study.layer("maxpool1"), study.layer("mixed3a")]
    families = {
        unit
        for family in ("curve", "line")
        for unit in study.members(family, "mixed3a")["unit"].tolist()
    }
    if not families:
        raise Unavailable(f"no curves and no lines found in {places[1]}")
    chosen = evenly(study.detectors("curve", "mixed3b")["unit"].tolist(), study.of(4, quick=1))
    given = datasets.photographs(study.photographs(study.of(40, quick=12)), labels="none")
    found = [carried(study, unit, places, given, families) for unit in chosen]
    kept = [min(each.kept.values()) >= KEPT for each in found]
    by_ablation = ", ".join(
        f"{name} {np.median([each.kept[name] for each in found]):.2f}" for name in ABLATIONS
    )
    yield FEW.found(
        f"{sum(kept)} of {len(kept)} keep {KEPT:.0%}; median faithfulness by ablation: "
        f"{by_ablation}",
        holds=2 * sum(kept) > len(kept),
        interval=f"as many random edges {np.median([each.chance for each in found]):.2f}",
        why="Faithfulness is the mean activation at its peak, between that without any edge and "
        "that of the network. Holds where more than half of the detectors keep it by zero, mean "
        f"and resample ablation; {len(given)} photographs.",
    )
    count, layer = len(families), study.network.layers[places[1]].units
    mine = [each.members for each in found]
    p = float(hypergeom.sf(np.median(mine) - 1, layer, count, count))
    yield FAMILIES.found(
        f"{np.median(mine):.3g} of the {count} strongest edges, in the median of {len(mine)} "
        f"detectors; P = {p:.2g}",
        holds=p < 0.05,
        interval=f"by chance {count * count / layer:.1f}",
        why=f"As many edges as there are curves and lines among the {layer} units of {places[1]}. "
        "Holds where so many come from these by chance with P < .05.",
    )


def carried(
    study: Study,
    unit: str,
    places: list[str],
    given: datasets.Photographs,
    families: Set[str],
) -> Carried:
    """Score a detector's edges, choose some, and run them on other photographs."""
    found = circuits.candidates(study.network, unit, places)
    halves = [given.part(range(first, len(given), 2)) for first in (0, 1)]
    choosing = circuits.measured(found, halves[0])
    held_out = Keeper(circuits.measured(found, halves[1], means=choosing.means))
    scores = circuits.score(choosing)
    size = max(round(SHARE * len(found)), 1)
    some = found.choice(circuits.budgeted(choosing, scores, size).edges)
    into = [
        (float(strength), edge.source)
        for edge, strength in zip(found.edges, scores.size, strict=True)
        if edge.target == unit and edge.source.startswith(f"{places[1]}:")
    ]
    strongest = [source for _, source in sorted(into, reverse=True)[: len(families)]]
    return Carried(
        {name: float(held_out.kept(some, name).of("faithfulness")) for name in ABLATIONS},
        float(held_out.kept(drawn(found, some, study.rng(unit)), "mean").of("faithfulness")),
        len(families & {*strongest}),
    )
