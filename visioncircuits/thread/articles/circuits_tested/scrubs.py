"""Causal scrubbing: what curve detectors depend on, and what they are computed from."""

from collections.abc import Iterator, Sequence

import numpy as np

from visioncircuits.errors import InputError
from visioncircuits.scrubbing import (
    CausalHypothesis,
    Reading,
    Scrubbed,
    Shown,
    Variable,
    drawn_stimuli,
    scrub,
    scrub_panel,
)
from visioncircuits.scrubbing.alternatives import other_units
from visioncircuits.stimuli import named
from visioncircuits.thread import Plate, Row, Study, here, part
from visioncircuits.thread.claims import NEGATIVE, OWN, Unavailable
from visioncircuits.thread.units import evenly

VALUES = Reading("orientation"), Reading("radius")
NEARLY, MOST = 0.9, 0.5
"""Shares of a behavior."""

DEPENDS = here(
    "curve detectors in mixed3b depend on the orientation and the radius of a curve, whatever it "
    "is drawn in",
    OWN,
)
BEYOND = here(
    "curve detectors in mixed3b are computed from curves and lines of mixed3a, more than from as "
    "many other units",
    OWN,
)
CARRIED = here(
    "curves and lines of mixed3a carry most of what curve detectors in mixed3b depend on", OWN
)


@part(DEPENDS, BEYOND, CARRIED, stand_ins=(*NEGATIVE, "handwritten curves"))
def scrubs(study: Study) -> Iterator[Row | Plate]:
    """Curve detectors, scrubbed.

    Some detectors are shown curves in two inks. First each is exchanged with itself on a curve of
    the same orientation and radius. Then the curves and lines of mixed3a are exchanged so, and all
    other units of mixed3a with themselves on any curve: what is left of the detector is computed
    from these families. Beside it are as many other units in their place.
    """
    early, late = study.layer("mixed3a"), study.layer("mixed3b")
    curves = study.members("curve", "mixed3a")["unit"].tolist()
    lines = [each for each in study.members("line", "mixed3a")["unit"] if each not in curves]
    if not curves or not lines:
        raise Unavailable(f"{late} is computed from no curves, or from no lines, of {early}")
    units = evenly(study.detectors("curve", "mixed3b")["unit"].tolist(), study.of(6, quick=2))
    through, alone = [], []
    for unit in units:
        shown = drawn(study, unit)
        itself = claimed(unit, Variable("unit", unit, 1, VALUES))
        radius = {"radius alone": claimed(unit, Variable("unit", unit, 1, VALUES[1:]))}
        families = claimed(
            unit,
            Variable("curves", tuple(curves), values=VALUES),
            Variable("lines", tuple(lines), values=VALUES),
        )
        others = {"as many other units": other_units(study.network, families, seed=study.seed)}
        try:
            alone.append(scrubbed(study, itself, shown, radius))
        except InputError:  # no curve in the middle activates it
            continue
        through.append(scrubbed(study, families, shown, others))
    if not through:
        raise Unavailable(f"curves do not change {units[0]} or any other of these units")
    yield Plate(
        "scrubs",
        scrub_panel(through[0]),
        f"What is kept of {through[0].whole.name} where curves and lines of mixed3a are claimed to "
        "be all that it is computed from.",
    )
    kept = [found.whole.interval[0] >= NEARLY for found in alone]
    yield DEPENDS.found(
        f"{sum(kept)} of {len(kept)} keep {NEARLY:.0%}; median {middle(alone):.0%}",
        holds=2 * sum(kept) > len(kept),
        interval=f"by radius alone {rival(alone):.0%}",
        why="Exchanged with curves in the other ink and width. Holds where more than half of the "
        f"detectors keep {NEARLY:.0%} by the lower end of the interval over draws.",
    )
    above = [
        found.whole.interval[0] > found.alternatives[0].interval[1] for found in through
    ]  # fmt: skip
    yield BEYOND.found(
        f"{sum(above)} of {len(above)} keep more; median {middle(through):.0%}",
        holds=2 * sum(above) > len(above),
        interval=f"as many other units {rival(through):.0%}",
        why=f"{len(curves)} curves and {len(lines)} lines. Holds where for more than half of the "
        "detectors the intervals over draws do not touch.",
    )
    most = [found.whole.interval[0] > MOST for found in through]
    yield CARRIED.found(
        f"{sum(most)} of {len(most)} keep half; median {middle(through):.0%}",
        holds=2 * sum(most) > len(most),
        interval=f"{min(shares(through)):.0%} to {max(shares(through)):.0%} over detectors",
        why="Holds where more than half of the detectors keep half, by the lower end of the "
        "interval over draws.",
    )


def drawn(study: Study, unit: str) -> Shown:
    """Draw curves of all orientations in black and in white on gray."""
    curves = named("curves").vary(
        orientation=range(0, 360, study.of(15, quick=30)),
        radius=(20, 40, 80, 160) if not study.quick else (40, 80),
        width=(3, 5),
        ink=("black", "white"),
    )
    return drawn_stimuli(study.network, unit, curves.fix(ground="gray"))


def claimed(unit: str, *variables: Variable) -> CausalHypothesis:
    """Return the hypothesis that a unit is computed from some variables, and from nothing else."""
    return CausalHypothesis(unit, unit, tuple(each.name for each in variables), variables)


def scrubbed(
    study: Study,
    hypothesis: CausalHypothesis,
    shown: Shown,
    others: dict[str, CausalHypothesis],
) -> Scrubbed:
    """Scrub, beside others."""
    draws = study.of(5, quick=3)
    return scrub(
        study.network, hypothesis, shown, alternatives=others, draws=draws, seed=study.seed
    )


def shares(found: Sequence[Scrubbed]) -> list[float]:
    """List what is kept by the hypotheses as a whole."""
    return [each.whole.share for each in found]


def middle(found: Sequence[Scrubbed]) -> float:
    """Return the median share."""
    return float(np.median(shares(found)))


def rival(found: Sequence[Scrubbed]) -> float:
    """Return the median share of the first alternative."""
    return float(np.median([each.alternatives[0].share for each in found]))
