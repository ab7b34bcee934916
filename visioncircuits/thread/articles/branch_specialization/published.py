"""The published families, and how families are drawn by branch."""

from collections.abc import Iterator, Mapping, Sequence

import pandas as pd

from visioncircuits.comparison import branch_table, odds
from visioncircuits.figures import Figure
from visioncircuits.networks import Network, untrained
from visioncircuits.thread import Plate, Row, Study, paper, part

Families = Mapping[str, Sequence[int]]
CURVED = (
    "Curves", "Double Curves", "Curves misc.", "Shallow Curves", "Curve Shapes",
    "Circles / Loops", "Evolute",
)  # fmt: skip
"""Families of mixed3b that have to do with curves: 30 units."""

BW = paper(
    "all 9 detectors of black and white against color of mixed3a are in mixed3a_5x5, 32 of its "
    "256 units",
    "9 of 9, less than 1/10^8",
)
CURVES = paper(
    "all 30 curve-related features of mixed3b are in mixed3b_5x5, 96 of its 480 units",
    "30 of 30, less than 1/10^20",
)
OTHERS = paper("other families keep to one branch too", "several")


@part(BW, CURVES, OTHERS)
def published_families(study: Study) -> Iterator[Row | Plate]:
    """The published families.

    Numbers of units are enough: which branch holds a unit is part of the architecture. P is the
    exact chance that so many of a family, or more, are in the branch when units are dealt at
    random.
    """
    google = untrained("inceptionv1")
    taxonomy = study.taxonomy().layers
    curved = [unit for family in CURVED for unit in taxonomy["mixed3b"][family]]
    for claim, layer, units, bound in (
        (BW, "mixed3a", taxonomy["mixed3a"]["BW vs Color"], 1e-8),
        (CURVES, "mixed3b", curved, 1e-20),
    ):
        branch = google.branches(layer)[f"{layer}_5x5"]
        inside = sum(unit in branch for unit in units)
        chance = odds(inside, len(units), len(branch), google.layer(layer).units)
        yield claim.found(
            f"{inside} of {len(units)}, P = {chance:.1e}",
            holds=inside == len(units) and chance < bound,
        )
    tables = {
        layer: branch_table(google, layer, without_others(taxonomy[layer]))
        for layer in ("mixed3a", "mixed3b")
    }
    sure = [
        f"{row.family} in {row.branch} ({row.inside} of {row.of})"
        for table in tables.values()
        for row in table[table["q"] < 0.05].itertuples()
        if row.family != "BW vs Color" and row.family not in CURVED
    ]
    yield OTHERS.found(
        f"{len(sure)}: {'; '.join(sure[:6])}{' …' if len(sure) > 6 else ''}",
        holds=len(sure) >= 3,
        why="Families and branches less likely than 5% by chance, corrected for all pairs; holds "
        "from three.",
    )
    for layer, table in tables.items():
        yield Plate(
            f"published-{layer}",
            branches_drawn(google, layer, table),
            f"Where the published families of {layer} are, the ten least likely by chance; the "
            "layer's own branches in the top row.",
        )


def short(branch: str) -> str:
    """Name a branch without its layer."""
    return branch.partition("_")[2].removesuffix("_reduce")


def without_others(families: Families) -> Families:
    """Leave out the units that are in no family."""
    return {family: units for family, units in families.items() if family != "Other Units"}


INKS = {"1x1": "#8fb3d9", "3x3": "#f0c987", "5x5": "#d9788f", "pool": "#9ecb9a"}


def branches_drawn(network: Network, layer: str, table: pd.DataFrame) -> Figure:
    """Draw a bar a family, cut by branch, under one for the whole layer."""
    widths = {branch: len(units) for branch, units in network.branches(layer).items()}
    total = sum(widths.values())
    rows = {f"all of {layer} ({total})": {b: width / total for b, width in widths.items()}}
    for family in table["family"].drop_duplicates()[:10]:
        own = table[table["family"] == family].set_index("branch")
        of = int(own["of"].iloc[0])
        rows[f"{family} ({of})"] = (own["inside"] / of).to_dict()
    figure = Figure(figsize=(8.4, 0.32 * len(rows) + 0.7), layout="constrained")
    axes = figure.subplots()
    spare = iter(("#8fb3d9", "#f0c987", "#d9788f", "#9ecb9a", "#b7a6d6", "#c9ced6") * 4)
    inks = {branch: INKS.get(short(branch)) or next(spare) for branch in widths}
    for place, shares in enumerate(rows.values()):
        left = 0.0
        for branch, ink in inks.items():
            share = shares.get(branch, 0.0)
            axes.barh(place, share, left=left, color=ink, edgecolor="white", height=0.8,
                      label=short(branch) if place == 0 else None)  # fmt: skip
            left += share
    axes.set_yticks(range(len(rows)), rows)
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.set_xlabel("share of the family's units")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(left=False)
    figure.legend(loc="outside upper right", ncols=len(inks), frameon=False, fontsize=8)
    return figure
