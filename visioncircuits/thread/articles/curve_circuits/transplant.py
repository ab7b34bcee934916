"""The circuit set by hand, beside the trained one and in its place."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from visioncircuits import comparison, engine, handwritten
from visioncircuits.comparison.controls import BESIDE, HANDWRITTEN
from visioncircuits.comparison.simple_rules import bump
from visioncircuits.site import report_figures
from visioncircuits.site.report_numbers import summary
from visioncircuits.thread import Plate, Row, Study, here, part
from visioncircuits.thread.claims import Control
from visioncircuits.thread.intervals import interval

TUNED = here(
    "hand-set curve detectors respond to curves as the trained ones do", "“identical” by eye"
)
WEIGHTS = here("hand-set kernels are like the trained ones, where curves agree", "by eye")
MAPS = here(
    "hand-set curve detectors are active at the same places of photographs as the trained ones",
    "by eye",
)
REPAIRED = here(
    "hand-set curve detectors repair more than half of what the strictest removal of the trained "
    "ones costs",
    "57 % of top-5 accuracy (2,000 photographs)",
)
CLEAR = here(
    "misaligned, permuted, untrained and simpler donors repair less than hand-set curve detectors",
    "no control published",
)


@part(TUNED, WEIGHTS, MAPS, REPAIRED, CLEAR, stand_ins=())
def by_hand(study: Study) -> Iterator[Row | Plate]:
    """Built by hand.

    The curve network whose weights are formulas, beside the detectors found in this network:
    tuning, kernels, maps over photographs, and the transplant with its controls and with simpler
    donors. `visioncircuits compare` gives the whole report.
    """
    late = study.detectors("curve", "mixed3b")
    photographs = study.scorable(study.of(1000, quick=48))
    found = comparison.compare(
        handwritten.curves().to(study.network.device),
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
        report_figures.repair_figure(found.scores, (HANDWRITTEN, *BESIDE)),
        "Share of the damage that each donor repairs, over three removals, with 95 % intervals "
        f"over the strictest; {len(photographs)} photographs.",
    )
    yield from likeness(study, found, comparison_numbers)
    yield from repairs(comparison_numbers, len(photographs))


def likeness(study: Study, found: comparison.Comparison, summary: dict[str, Any]) -> Iterator[Row]:
    """Compare tuning, kernels and maps."""
    tuning = found.tuning["curves"]
    surfaces = tuning.numbers["surface"].values
    bumps = bump(tuning.trained, tuning.numbers["prefers"].sel(which="trained").values).values
    low, high = interval(surfaces, study.rng("tuned"))
    beyond = interval(surfaces - bumps, study.rng("tuned beyond a bump"))
    yield TUNED.found(
        f"r = {np.median(surfaces):.2f} over orientation and curvature, median of {len(surfaces)}",
        holds=low > 0.7 and beyond[0] > 0,
        interval=f"{low:.2f} to {high:.2f}",
        why="Units aligned by measured orientation. "
        + simpler("a bump in orientation of 20°, alike for all radii", bumps, beyond, "above .7"),
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
    maps, contrast = found.maps.values, found.contrast
    assert contrast is not None
    low, high = interval(maps, study.rng("maps"))
    beyond = interval(maps - contrast.values, study.rng("maps beyond contrast"))
    yield MAPS.found(
        f"Spearman {np.median(maps):.2f}, median over detectors",
        holds=low > 0 and beyond[0] > 0,
        interval=f"{low:.2f} to {high:.2f}",
        why="Before the rectifier, over all positions of photographs. "
        + simpler(
            "negative local contrast, one map for all units", contrast.values, beyond, "above 0"
        ),
    )


def simpler(rule: str, likeness: np.ndarray, beyond: tuple[float, float], above: str) -> str:
    """Describe how alike a simple rule is, and how much more the handwritten units are."""
    low, high = beyond
    return (
        f"The simple rule, {rule}, reaches {np.median(likeness):.2f}; paired differences "
        f"{low:+.2f} to {high:+.2f}. Holds where the interval is {above}, and the differences' "
        "above 0."
    )


def repairs(summary: dict[str, Any], photographs: int) -> Iterator[Row]:
    """Test what the transplant repairs, and its controls."""

    def row_of(donor: str, why: str = "", controls: Sequence[Control] = ()) -> Row:
        repaired = {name: summary["repair"][donor][name] for name in MEASURES}
        return REPAIRED.found(
            ", ".join(f"{share[0]:.0%} of {MEASURES[name]}" for name, share in repaired.items())
            + f" over {removal}",
            holds=decided(
                yes=costly and all(share[1] > 0.5 for share in repaired.values()),
                no=costly and any(share[2] < 0.5 for share in repaired.values()),
            ),
            interval=", ".join(f"{share[1]:.0%} to {share[2]:.0%}" for share in repaired.values()),
            why=why,
            controls=controls,
        )

    accuracy, removal = summary["accuracy"], summary["strictest"]
    costly = all(summary["damage"][removal][name][1] > 0 for name in MEASURES)
    over = "; ".join(
        f"{name} {_shares(table[HANDWRITTEN])}" for name, table in summary["repair_over"].items()
    )
    donors = {f"{name} donor": row_of(name) for name in BESIDE if name in summary["repair"]}
    yield row_of(
        HANDWRITTEN,
        why=f"Over each removal (to zero, to the mean, maps of another photograph): {over}. Top-5 "
        f"accuracy: original {accuracy['original']['top5']:.1%}, {removal} "
        f"{accuracy[removal]['top5']:.1%}, by hand {accuracy[HANDWRITTEN]['top5']:.1%} of "
        f"{photographs} photographs. Holds where both intervals are above half; undecided where "
        "one spans it, or the removal's own damage spans 0.",
        controls=[Control(name, "fails", row.status, row.measured) for name, row in donors.items()],
    )
    ahead = {name: row for name, row in summary["advantage"].items() if name in BESIDE}
    clear = [name for name, row in ahead.items() if all(row[key][1] > 0 for key in MEASURES)]
    shares = ", ".join(f"{name} {_shares(summary['repair'][name])}" for name in ahead)
    yield CLEAR.found(
        f"{len(clear)} of {len(ahead)} controls and alternatives are worse by more than the "
        "interval",
        holds=decided(
            yes=len(clear) == len(ahead),
            no=any(row[key][2] < 0 for row in ahead.values() for key in MEASURES),
        ),
        why=f"They repair, over {removal}: {shares}. Does not hold where one is better by more "
        "than the interval, undecided where an interval contains 0.",
    )


def _shares(row: dict[str, list[float]]) -> str:
    """Return the shares repaired of each measure, as text."""
    return ", ".join(f"{row[name][0]:.0%}" for name in MEASURES)


def decided(*, yes: bool, no: bool) -> bool | None:
    """Return yes, no, or None where neither is certain."""
    return yes if yes or no else None


MEASURES = {"cross_entropy": "cross-entropy", "divergence": "divergence"}
