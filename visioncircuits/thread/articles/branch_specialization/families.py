"""Families of a network, by branch."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from visioncircuits.comparison import branch_table
from visioncircuits.figures import Figure
from visioncircuits.thread import Plate, Row, Study, here, part
from visioncircuits.thread.articles.branch_specialization.published import branches_drawn, short
from visioncircuits.thread.claims import SHUFFLED, Claim, Unavailable
from visioncircuits.thread.units import number, numbers
from visioncircuits.tuning import black_and_white, circle_detectors

BW_HERE = here("detectors of black and white against color are in one branch of mixed3a", "5x5")
CURVES_HERE = here("curve-related features are in one branch of mixed3b", "5x5")
OTHERS_HERE = here("other families that stimuli find keep to one branch too", "several")


@part(BW_HERE, CURVES_HERE, OTHERS_HERE, stand_ins=(SHUFFLED,))
def families_here(study: Study) -> Iterator[Row | Plate]:
    """Families of this network.

    Found by stimuli: the families of the library's hypotheses; units that tinted gratings
    activate less than half as much as black and white ones; and units that circles activate twice
    as much as curves.
    """
    sure: list[str] = []
    tested = 0
    for layer, claim, family in (
        ("mixed3a", BW_HERE, "black and white"),
        ("mixed3b", CURVES_HERE, "curves and circles"),
    ):
        name = study.layer(layer)
        if not study.network.branches(name):
            raise Unavailable(f"{name} of {study.network.name} has no branches")
        families = {name: units for name, units in found(study, layer).items() if units}
        table = branch_table(study.network, name, families)
        yield Plate(
            f"branches-{layer}",
            branches_drawn(study.network, name, table),
            f"Where the families found in {name} are; the layer's own branches in the top row.",
        )
        if family not in families:
            yield claim.untestable(f"no {family} found in {name}")
        else:
            yield branch_row(study, claim, name, table, family)
        pictured = families.get("curves" if layer == "mixed3b" else family, ())
        if len(pictured) >= 3:
            yield Plate(
                f"columns-{layer}",
                columns_drawn(study, name, pictured),
                f"The branches of {name} and, in each, at most six of its "
                f"{'curve detectors' if layer == 'mixed3b' else 'detectors of black and white'}.",
            )
        shared = {family, "curves", "circles"} if layer == "mixed3b" else {family}
        rest = table[~table["family"].isin(shared)].drop_duplicates("family")
        rest = rest[rest["of"] >= 3]
        tested += len(rest)
        sure += [
            f"{row.family} in {row.branch} ({row.inside} of {row.of})"
            for row in rest[rest["q"] < 0.05].itertuples()
        ]
    yield OTHERS_HERE.found(
        f"{len(sure)} of {tested}: {'; '.join(sure)}" if sure else f"none of {tested}",
        holds=len(sure) >= 3,
        why="Families of three units or more; the published data's rule.",
    )


def branch_row(study: Study, claim: Claim, name: str, table: pd.DataFrame, family: str) -> Row:
    """Test whether a family is in its least likely branch more than by chance."""
    best = table[table["family"] == family].iloc[0]
    alone = table[table["family"] == "curves"] if family != "black and white" else table[:0]
    return claim.found(
        f"{best.inside} of {best.of} in {best.branch}"
        + "".join(
            f"; of curve detectors alone {row.inside} of {row.of}"
            for row in alone[alone["branch"] == best.branch].itertuples()
        ),
        holds=bool(best.q < 0.05),
        interval=f"q = {best.q:.2g}",
        why=f"{best.width} of {study.network.layer(name).units} units are in that branch, "
        "the family's least likely one. q is the chance, corrected for all families and "
        "branches; holds below 5%.",
    )


HYPOTHESES = {
    "mixed3a": {
        "curve": "curves",
        "line": "lines",
        "high-low": "high-low frequency",
        "color-contrast": "color contrast",
        "color-center-surround": "color center-surround",
        "brightness-gradient": "brightness gradients",
    },
    "mixed3b": {"curve": "curves", "line": "lines"},
}
"""What each family's hypothesis finds, in words."""


def found(study: Study, layer: str) -> dict[str, list[int]]:
    """List units by their family, found by stimuli."""
    name = study.layer(layer)
    tables = {name: study.found(family, layer) for family, name in HYPOTHESES[layer].items()}
    white, round_ = (
        test(study.network, name).query("detector") for test in (black_and_white, circle_detectors)
    )
    tables |= {"black and white": white, "circles": round_}
    units = {family: sorted(numbers(table["unit"])) for family, table in tables.items()}
    if layer == "mixed3b":
        units["curves and circles"] = sorted({*units["curves"], *units["circles"]})
    return units


def columns_drawn(study: Study, layer: str, units: Sequence[int], *, most: int = 6) -> Figure:
    """Draw a column for each branch with the pictures of a family's units in it."""
    branches = study.network.branches(layer)
    inside = {branch: [u for u in units if u in places] for branch, places in branches.items()}
    height = max(min(len(chosen), most) for chosen in inside.values())
    figure = Figure(figsize=(1.25 * len(branches) * 2, 1.35 * -(-height // 2) + 0.6))
    parts = np.atleast_1d(np.array(figure.subfigures(1, len(branches), wspace=0.04)))
    for subfigure, (branch, chosen) in zip(parts, inside.items(), strict=True):
        subfigure.set_facecolor("#f4f5f7")
        title = f"{short(branch)}: {len(chosen)} of {len(units)}"
        subfigure.suptitle(title, fontsize=10, y=0.97)
        grid = subfigure.subplots(-(-height // 2), 2, squeeze=False)
        subfigure.subplots_adjust(0.04, 0.02, 0.96, 1 - 0.55 / figure.get_figheight(), 0.06, 0.2)
        for axes in grid.flat:
            axes.axis("off")
        names = [f"{layer}:{unit}" for unit in chosen[:most]]
        for axes, name, picture in zip(grid.flat, names, study.pictures(names), strict=False):
            axes.imshow(picture)
            axes.set_title(number(name), fontsize=8, pad=2)
    return figure
