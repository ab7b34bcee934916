"""The circuit set by hand, beside the trained one and in its place."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from visioncircuits import comparison, engine, handwritten, interventions
from visioncircuits.comparison.controls import CONTROLS, HANDWRITTEN
from visioncircuits.site import report_figures
from visioncircuits.site.report_numbers import summary
from visioncircuits.thread import Plate, Row, Study, here, part
from visioncircuits.thread.intervals import interval

TUNED = here(
    "hand-set curve detectors respond to curves as the trained ones do", "“identical” by eye"
)
WEIGHTS = here("hand-set kernels are like the trained ones, where curves agree", "by eye")
MAPS = here("they are active at the same places of photographs", "by eye")
REPAIRED = here(
    "in the place of the trained ones they repair more than half of what removal costs",
    "57 % of top-5 accuracy (2,000 photographs)",
)
CLEAR = here(
    "what they repair, misaligned, permuted and untrained donors do not", "no control published"
)


@part(TUNED, WEIGHTS, MAPS, REPAIRED, CLEAR)
def by_hand(study: Study) -> Iterator[Row | Plate]:
    """Built by hand.

    The curve network whose weights are formulas, beside the detectors found in this network:
    tuning, kernels, maps over photographs, and the transplant with its controls. `visioncircuits
    compare` gives the whole report.
    """
    late = study.detectors("curve", "mixed3b")
    photographs = study.scorable(study.of(1000, quick=48))
    found = comparison.compare(
        handwritten.curves(),
        study.network,
        late["unit"].tolist(),
        "curve",
        photographs,
        photographs_without=study.of(200, quick=8),
        store=engine.Store(study.folder / "transplants"),
    )
    comparison_numbers = summary(found)
    yield Plate(
        "tuning",
        comparison.compared_panel(found.tuning["curves"]),
        "Responses to the published curve sheet: orientation across, straight at the top, tight "
        "at the bottom; trained left, by hand right, each scaled to its own strongest.",
    )
    if found.kernels is not None:
        yield Plate(
            "kernels",
            comparison.compared_panel(found.kernels),
            "Expanded weights from early curves to curves: trained above, by hand below.",
        )
    yield Plate(
        "repair",
        report_figures.repair_figure(interventions.repair(found.scores), (HANDWRITTEN, *CONTROLS)),
        f"Share of the damage that each donor repairs, with 95 % intervals; {len(photographs)} "
        "photographs.",
    )
    yield from likeness(study, found, comparison_numbers)
    yield from repairs(comparison_numbers, len(photographs))


def likeness(study: Study, found: comparison.Comparison, summary: dict[str, Any]) -> Iterator[Row]:
    """Compare tuning, kernels and maps."""
    surfaces = found.tuning["curves"].numbers["surface"].values
    low, high = interval(surfaces, study.rng("tuned"))
    yield TUNED.found(
        f"r = {np.median(surfaces):.2f} over orientation and curvature, median of {len(surfaces)}",
        holds=low > 0.7,
        interval=f"{low:.2f} to {high:.2f}",
        why="Units aligned by measured orientation; holds where the interval is above .7.",
    )
    kernels = summary.get("kernels")
    if kernels and kernels["aligned"] is not None:
        opposed = kernels["opposed"]
        beside = "no pairs are opposed" if opposed is None else f"opposed pairs {opposed:.2f}"
        yield WEIGHTS.found(
            f"r = {kernels['aligned']:.2f} in the median of {kernels['aligned_pairs']} pairs",
            holds=kernels["aligned"] > 0.6,
            why=f"Pairs within 30°; {beside}; sums over all pairs "
            f"{kernels['sums']:.2f}. Holds from .6.",
        )
    else:
        yield WEIGHTS.untestable("no early curves were found, or none that agree")
    maps = found.maps.values
    low, high = interval(maps, study.rng("maps"))
    yield MAPS.found(
        f"Spearman {np.median(maps):.2f}, median over detectors",
        holds=low > 0,
        interval=f"{low:.2f} to {high:.2f}",
        why="Before the rectifier, over all positions of photographs. Trained detectors also "
        "depend on texture, contrast and color.",
    )


def repairs(summary: dict[str, Any], photographs: int) -> Iterator[Row]:
    """Test what the transplant repairs, and its controls."""
    repaired = {name: summary["repair"][HANDWRITTEN][name] for name in MEASURES}
    accuracy = summary["accuracy"]
    yield REPAIRED.found(
        ", ".join(f"{share[0]:.0%} of {MEASURES[name]}" for name, share in repaired.items()),
        holds=decided(
            yes=all(share[1] > 0.5 for share in repaired.values()),
            no=any(share[2] < 0.5 for share in repaired.values()),
        ),
        interval=", ".join(f"{share[1]:.0%} to {share[2]:.0%}" for share in repaired.values()),
        why=f"Top-5 accuracy: original {accuracy['original']['top5']:.1%}, removed "
        f"{accuracy['removed']['top5']:.1%}, by hand {accuracy[HANDWRITTEN]['top5']:.1%} of "
        f"{photographs} photographs. Holds where both intervals are above half; "
        "undecided where one spans it.",
    )
    ahead = summary["advantage"]
    clear = [name for name in CONTROLS if all(ahead[name][measure][1] > 0 for measure in MEASURES)]
    yield CLEAR.found(
        f"{len(clear)} of {len(CONTROLS)} controls are worse by more than the interval",
        holds=decided(
            yes=len(clear) == len(CONTROLS),
            no=any(ahead[name][measure][2] < 0 for name in CONTROLS for measure in MEASURES),
        ),
        why=f"Controls: {', '.join(CONTROLS)}. Undecided where an interval contains 0.",
    )


def decided(*, yes: bool, no: bool) -> bool | None:
    """Return yes, no, or None where neither is certain."""
    return yes if yes or no else None


MEASURES = {"cross_entropy": "cross-entropy", "divergence": "divergence"}
