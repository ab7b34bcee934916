"""Proof by induction: families that should follow from the theory of the layer before."""

from collections.abc import Callable, Iterator

from visioncircuits.comparison import (
    Induction,
    Theory,
    induct,
    induction_panel,
    theory_by_design,
    theory_by_stimuli,
    theory_of_table,
)
from visioncircuits.comparison.induction_step import TUNING, WEIGHTS
from visioncircuits.handwritten import load
from visioncircuits.thread import Plate, Row, Study, here, part
from visioncircuits.thread.claims import NEGATIVE, Claim, Control, Status, Unavailable

PUBLISHED = "by eye, a few kernels"
PROPOSED = "proposed in Zoom In; no number published"

Controls = tuple[Control, ...]

DESIGN = "handwritten, labels by design"
"""Name of a positive control: of most such networks `find` passes too few units of both layers."""

LEAST = 3
"""Later units that a row needs."""

CURVE_WEIGHTS = here(
    "curves in mixed3b have the weights from curves and lines of mixed3a that their rule predicts: "
    "excited along the tangent, inhibited by the opposite curve",
    PUBLISHED,
)
CURVES_FOLLOW = here(
    "curves in mixed3b follow from the theory of mixed3a, in weights and in tuning", PROPOSED
)
HIGH_LOW_WEIGHTS = here(
    "high-low frequency detectors in mixed3a have the weights from units of high and of low "
    "frequency in conv2d2 that their rule predicts: two factors on opposite sides",
    PUBLISHED,
)
HIGH_LOW_FOLLOW = here(
    "high-low frequency detectors in mixed3a follow from the theory of conv2d2, in weights and in "
    "tuning",
    PROPOSED,
)
CIRCLE_WEIGHTS = here(
    "circles in mixed4a have the weights from curves of mixed3b that their rule predicts: each "
    "curve excites where it lies on the ring and faces outwards",
    PUBLISHED,
)
CIRCLES_FOLLOW = here(
    "circles in mixed4a follow from the theory of mixed3b, in weights and in tuning", PROPOSED
)


@part(CURVE_WEIGHTS, CURVES_FOLLOW, stand_ins=(*NEGATIVE, "handwritten circles"))
def curves(study: Study) -> Iterator[Row | Plate]:
    """Curves from curves and lines.

    Detectors of both layers are found by stimuli, and each is labeled by the orientation and radius
    that it prefers. A rule makes the kernel from one to another of these labels alone: the rule and
    constants that set the weights of the handwritten curve detectors. It is compared with the
    expanded weights, and run on the real responses of the earlier layer to curves.
    """
    early, late = study.layer("mixed3a"), study.layer("mixed3b")
    theory = theory_of_table(early, "curve", study.detectors("curve", "mixed3a"))
    theory = theory.joined(theory_of_table(early, "line", study.members("line", "mixed3a")))
    later = theory_of_table(late, "curve", study.detectors("curve", "mixed3b"))
    designed = by_design("curves", "mixed3a", "mixed3b")
    yield from rows(study, late, theory, later, CURVE_WEIGHTS, CURVES_FOLLOW, designed)


@part(HIGH_LOW_WEIGHTS, HIGH_LOW_FOLLOW)
def high_low(study: Study) -> Iterator[Row | Plate]:
    """High-low frequency detectors from two frequencies.

    Units of conv2d2, after its pool, are labeled as of high or of low frequency where patterns on
    one side of the published crossing, 5.5 cycles in 40 pixels, activate them at least twice as
    strongly as those on the other. The rule is that of the handwritten detectors: those of high
    frequency excite ahead of the center and inhibit behind, those of low frequency the reverse.
    """
    early, late = study.layer("maxpool1"), study.layer("mixed3a")
    later = theory_of_table(late, "high-low", study.detectors("high-low", "mixed3a"))
    theory = theory_by_stimuli(study.network, early, ["high frequency", "low frequency"])
    designed = by_design("high-low", "conv2d1", "mixed3a")
    yield from rows(study, late, theory, later, HIGH_LOW_WEIGHTS, HIGH_LOW_FOLLOW, designed)


@part(CIRCLE_WEIGHTS, CIRCLES_FOLLOW)
def circles(study: Study) -> Iterator[Row | Plate]:
    """Circles from curves.

    Units of mixed4a that circles drive more than twice as strongly as curves, each labeled by the
    radius that it prefers. Curves of mixed3b should excite them where a ring of that radius has
    their orientation, and inhibit them where it has the opposite one.
    """
    late = study.layer("mixed4a")
    curves_here = study.detectors("curve", "mixed3b")
    theory = theory_of_table(study.layer("mixed3b"), "curve", curves_here)
    later = theory_by_stimuli(study.network, late, ["circle"])
    if not later.labels:
        raise Unavailable(f"no circle detectors found in {late} of {study.network.name}")
    designed = by_design("circles", "mixed3b", "mixed4a")
    yield from rows(study, late, theory, later, CIRCLE_WEIGHTS, CIRCLES_FOLLOW, designed)


def rows(
    study: Study,
    layer: str,
    theory: Theory,
    later: Theory,
    weights: Claim,
    follow: Claim,
    designed: Induction,
) -> Iterator[Row | Plate]:
    """Yield the picture and both rows of a family.

    Raises
    ------
    Unavailable
        If fewer than `LEAST` later units can be tested.
    """
    found = induct(
        study.network, layer, theory, later=later, draws=study.of(1000, quick=200), seed=study.seed
    )
    count = len(found.tested)
    if count < LEAST:
        reasons = dict.fromkeys(step.why for step in found.steps if step not in found.tested)
        raise Unavailable(
            f"{count} units of {layer} can be tested, {LEAST} are needed; "
            + ("; ".join(reasons) or "no others have a label")
        )
    yield Plate(
        f"induction-{layer}",
        induction_panel(found),
        f"Kernels from {theory.summary}, as the rule predicts and as trained, of the best and the "
        "worst units; correlations of all, with what chance gives.",
    )

    def median(column: str) -> str:
        return f"{found.table()[column].astype(float).median():.2f}"

    def control(holds: Callable[[Induction], bool], words: Callable[[Induction], str]) -> Controls:
        status: Status = "holds" if holds(designed) else "does not hold"
        return (Control(DESIGN, "holds", status, words(designed)),)

    yield weights.found(
        f"{beyond(found)}; median r = {median('weights')}",
        holds=mostly_beyond(found),
        interval=f"chance up to {median('weights, labels exchanged')} with labels exchanged, "
        f"{median('weights, other units')} with other units",
        why=f"All weights from {theory.summary}, at every position; no constant of the rule is "
        "fitted. Holds where more than half of the units are above both 95 % intervals of their "
        "own; by chance at most one in forty is. The intervals' ends are medians over units.",
        controls=control(mostly_beyond, beyond),
    )
    low, high = (100 * end for end in found.explained_by_chance)
    yield follow.found(
        f"{following(found)}; tuning r = {median('tuning')}, and {median('tuning, trained')} by "
        f"the trained weights of the same units; {100 * found.explained:.2f} % of the layer's "
        "squared weight",
        holds=mostly_follows(found),
        interval=f"tuning up to {median('tuning, labels exchanged')} with labels exchanged, "
        f"{low:.2f} to {high:.2f} % of the weight",
        why="A unit follows where weights and tuning are above both intervals, above rules of "
        f"other families for the same sources, and at least {WEIGHTS:g} and {TUNING:g}. Holds "
        f"where more than half of those that can be tested follow; {len(found.steps) - count} "
        "with a label cannot.",
        controls=control(mostly_follows, following),
    )


def by_design(name: str, source: str, layer: str) -> Induction:
    """Run the induction on a handwritten network, whose weights follow by construction."""
    network = load(name)
    theory, later = (theory_by_design(network, each) for each in (source, layer))
    return induct(network, layer, theory, later=later, draws=100)


def beyond(found: Induction) -> str:
    """Count the units whose weights are predicted beyond chance, in words."""
    return f"{_beyond(found)} of {len(found.tested)} beyond chance"


def mostly_beyond(found: Induction) -> bool:
    """Return whether these are more than half."""
    return 2 * _beyond(found) > len(found.tested)


def _beyond(found: Induction) -> int:
    return sum(step.weights is not None and step.weights.beyond_chance for step in found.tested)


def following(found: Induction) -> str:
    """Count the units that follow, in words."""
    partly = sum(step.verdict == "partly" for step in found.tested)
    return f"{len(found.following)} of {len(found.tested)} follow, {partly} partly"


def mostly_follows(found: Induction) -> bool:
    """Return whether these are more than half."""
    return 2 * len(found.following) > len(found.tested)
