"""Branch Specialization (Voss et al., 2021): families sit together in one branch of a layer."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure
from torch import Tensor

from visioncircuits.comparison import (
    absolute_axes,
    axis_correlations,
    branch_table,
    filter_preferences,
    odds,
)
from visioncircuits.networks import Network, read_families, untrained
from visioncircuits.thread import (
    Article,
    Claim,
    Plate,
    Row,
    Study,
    Unavailable,
    here,
    inception,
    number,
    numbers,
    paper,
    part,
)
from visioncircuits.tuning import black_and_white, circle_detectors
from visioncircuits.weights import expanded_weights

Families = Mapping[str, Sequence[int]]

TAXONOMY = "families_early_vision.json"
CURVED = (
    "Curves", "Double Curves", "Curves misc.", "Shallow Curves", "Curve Shapes",
    "Circles / Loops", "Evolute",
)  # fmt: skip
"""Families of mixed3b that have to do with curves: 30 units."""

RANGES = {
    "mixed3a": "1x1 0-63, 3x3 64-191, 5x5 192-223, pool 224-255",
    "mixed3b": "1x1 0-127, 3x3 128-319, 5x5 320-415, pool 416-479",
}

WHERE = {
    layer: paper(f"which units of {layer} each branch holds", text)
    for layer, text in RANGES.items()
}
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


@part(*WHERE.values(), BW, CURVES, OTHERS)
def published_families(study: Study) -> Iterator[Row | Plate]:
    """The published families.

    Numbers of units are enough: which branch holds a unit is part of the architecture. P is the
    exact chance that so many of a family, or more, are in the branch when units are dealt at
    random.
    """
    google = untrained("inceptionv1")
    for layer, claim in WHERE.items():
        found = ", ".join(
            f"{short(branch)} {units[0]}-{units[-1]}"
            for branch, units in google.branches(layer).items()
        )
        yield claim.found(found, holds=found == claim.published)
    taxonomy = read_families(study.published(TAXONOMY)).layers
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
        layer: branch_table(google, layer, without_others(taxonomy[layer])) for layer in RANGES
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


BW_HERE = here("detectors of black and white against color are in one branch of mixed3a", "5x5")
CURVES_HERE = here("curve-related features are in one branch of mixed3b", "5x5")
OTHERS_HERE = here("other families that stimuli find keep to one branch too", "several")


@part(BW_HERE, CURVES_HERE, OTHERS_HERE)
def families_here(study: Study) -> Iterator[Row | Plate]:
    """Families of this network.

    Found by stimuli: the families of the library's hypotheses; units that tinted gratings drive
    less than half as far as black and white ones; and units that circles drive twice as far as
    curves.
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


FIRST = here(
    "the first singular vector of the absolute first weights corresponds to color", "color"
)
SECOND = here(
    "the second singular vector of the absolute first weights corresponds to frequency", "frequency"
)


@part(FIRST, SECOND)
def axes_here(study: Study) -> Iterator[Row | Plate]:
    """What the absolute weights of the first layers separate.

    Singular vectors of the weights' absolute values between the first two convolutions. Each is
    correlated by rank with the filters' color (the share of squares that is not alike in the three
    channels) and frequency (the mean over the spectrum); chance is what 95% of shuffles stay below.
    """
    first, second = study.layer("conv2d0"), study.layer("conv2d1")
    if first == second:
        raise Unavailable(f"{study.network.name} has no two early layers")
    axes, filters, table = singular(study, study.network, first, second)
    for claim, axis, preference in ((FIRST, 0, "color"), (SECOND, 1, "frequency")):
        yield verdict(claim, table, axis, preference)
    yield Plate(
        "axes",
        axes_drawn(filters, axes),
        f"All filters of {first}, in the order of the first (across) and the second (up) singular "
        f"vector of the absolute weights into {second}.",
    )


def singular(
    study: Study, network: Network, first: str, second: str
) -> tuple[xr.DataArray, Tensor, pd.DataFrame]:
    """Compute the axes, the filters, and the correlations between them."""
    axes = absolute_axes(expanded_weights(network, first, second))
    filters = expanded_weights(network, "input", first).weight.cpu()
    shuffles = study.of(10_000, quick=1000)
    table = axis_correlations(axes, filter_preferences(filters), seed=study.seed, shuffles=shuffles)
    return axes, filters, table


def verdict(claim: Claim, table: pd.DataFrame, axis: int, preference: str) -> Row:
    """Test whether an axis correlates with a preference, and with no other more."""
    rows = table[table["axis"] == axis].set_index("preference")
    own = rows.loc[preference]
    other = rows.drop(preference)["correlation"].abs()
    return claim.found(
        f"rank correlation {abs(own['correlation']):.2f}",
        holds=bool(abs(own["correlation"]) > max(own["chance"], other.max())),
        interval=f"chance {own['chance']:.2f}",
        why=f"Holds above chance and above the correlation with {other.idxmax()}, "
        f"{other.max():.2f}.",
    )


def axes_drawn(filters: Tensor, axes: xr.DataArray) -> Figure:
    """Draw every filter at its ranks on the two axes."""
    figure = Figure(figsize=(6.4, 6.4), layout="constrained")
    plot = figure.subplots()
    across, up = (axis.argsort().argsort() for axis in axes.values)
    size = 1.4
    for values, x, y in zip(filters, across, up, strict=True):
        picture = (0.5 + values / (2 * values.abs().max())).permute(1, 2, 0).numpy()
        plot.imshow(picture, extent=(x - size, x + size, y - size, y + size))
    plot.set_xlim(-2, len(filters) + 1)
    plot.set_ylim(-2, len(filters) + 1)
    plot.set_aspect("equal")
    plot.set_xticks([])
    plot.set_yticks([])
    for label, share in zip(("first", "second"), axes["share"].values, strict=True):
        text = f"{label} singular vector, {share:.0%} of the squares →"
        (plot.set_xlabel if label == "first" else plot.set_ylabel)(text)
    plot.spines[["top", "right"]].set_visible(False)
    return figure


GOOGLE_FIRST = inception("the first singular vector corresponds to color", "color")
GOOGLE_SECOND = inception("the second singular vector corresponds to frequency", "frequency")
PLACES = inception(
    "trained on Places365 the two vectors correspond to the same", "color, frequency"
)


@part(GOOGLE_FIRST, GOOGLE_SECOND, PLACES)
def google(study: Study) -> Iterator[Row | Plate]:
    """Google's network, and the one trained on places."""
    yield PLACES.untestable("no checkpoint of the network trained on Places365 is published")
    network = study.inceptionv1()
    axes, filters, table = singular(study, network, "conv2d0", "conv2d1")
    yield verdict(GOOGLE_FIRST, table, 0, "color")
    yield verdict(GOOGLE_SECOND, table, 1, "frequency")
    yield Plate("google-axes", axes_drawn(filters, axes), "As above, of Google's network.")


ARTICLE = Article(
    "Branch Specialization",
    "Voss, Goh, Cammarata, Petrov, Schubert, Olah, 2021",
    "https://distill.pub/2020/circuits/branch-specialization/",
    "Where a layer is cut into branches, units of a family gather in one of them; early layers "
    "without branches are divided by color and frequency all the same.",
    (published_families, families_here, axes_here, google),
)
