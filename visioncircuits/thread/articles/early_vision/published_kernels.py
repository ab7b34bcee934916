"""The published circuits."""

import json
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from jaxtyping import Float

from visioncircuits.comparison import mirrored, odds, placement
from visioncircuits.comparison.symmetry import correlation
from visioncircuits.networks import Families, Unit
from visioncircuits.thread import Plate, Row, Study, paper, part
from visioncircuits.thread.articles.early_vision.published import (
    BOUNDARY,
    CIRCLE,
    INHIBITING,
    TRIANGLE,
    WIDTHS,
)
from visioncircuits.thread.intervals import null

Kernels = Mapping[tuple[str, int, int], Float[np.ndarray, "height width"]]
"""By figure, source and target."""

BW_INPUTS = paper(
    "a detector of black and white against color (mixed3a:222) is inhibited by color features",
    "12 inhibiting inputs",
)
CIRCLE_INPUTS = paper(
    "a small circle (mixed3a:175) is made of tiny curves, each where it faces", "7 inputs"
)
BOUNDARY_INPUTS = paper(
    "a boundary (mixed3b:345) is made of high-low frequency, line, color contrast and line end "
    "detectors",
    "5, 2, 2 and 1",
)
TRIANGLE_INPUTS = paper("a triangle (mixed3a:188) is made of lines", "7 inputs, most of them lines")
FUR_INPUTS = paper(
    "two detectors of oriented fur (mixed3b:404, 333) are each other's mirror image, made of the "
    "same four mixed3a units",
    "47 and 46, 26 and 63 exchanged",
)
COLOR = ("Color Contrast", "Color Center-Surround", "Color/Multicolor")
STRAIGHT = ("Line", "Shifted Line")


@part(BW_INPUTS, CIRCLE_INPUTS, TRIANGLE_INPUTS, BOUNDARY_INPUTS, FUR_INPUTS)
def published_circuits(study: Study) -> Iterator[Row | Plate]:
    """The published circuits.

    Which units the figures show, by the families that the taxonomy puts them in, and the weights
    decoded from the figures.
    """
    taxonomy = study.taxonomy()
    tiles = json.loads(study.published("weight_tiles.json").read_text("utf-8"))
    kernels: Kernels = {
        (tile["figure"].removeprefix("EarlyVision "), tile["src_unit"], tile["dst_unit"]): np.array(
            tile["values"]
        )
        for tile in tiles
        if tile["figure"].startswith("EarlyVision")
    }
    for claim, units, families in (
        (BW_INPUTS, INHIBITING, COLOR),
        (TRIANGLE_INPUTS, TRIANGLE, STRAIGHT),
    ):
        inside = sum(name in families for name in named(taxonomy, "conv2d2", units))
        of = sum(len(taxonomy.layers["conv2d2"][family]) for family in families)
        chance = odds(inside, len(units), of, WIDTHS["conv2d2"])
        yield claim.found(
            f"{inside} of {len(units)} are in {', '.join(families)}",
            holds=inside > len(units) / 2 and chance < 0.05,
            interval=f"P = {chance:.1g} by chance",
            why="Holds where it is more than half of them, and less likely than 5% by chance.",
        )
    yield circle_inputs(study, taxonomy, kernels)
    yield boundary_inputs(taxonomy)
    yield fur_inputs(kernels)


def circle_inputs(study: Study, taxonomy: Families, kernels: Kernels) -> Row:
    """Test the published inputs of a small circle."""
    curves = set(named(taxonomy, "conv2d2", CIRCLE))
    published = study.orientations()["conv2d2"]
    orientations = {unit: published[unit] for unit in CIRCLE if unit in published}
    into = np.stack([kernels["SmallCircle", unit, 175] for unit in orientations])
    facing = np.array([*orientations.values()])
    off = np.abs(placement(into, facing))
    low, high = null(
        lambda drawn: float(np.median(np.abs(placement(into, drawn)))),
        facing,
        study.rng("small circle"),
    )
    return CIRCLE_INPUTS.found(
        f"families: {', '.join(sorted(curves))}; median {np.median(off):.0f}° from where they face",
        holds=curves == {"Tiny Curves"} and bool(np.median(off) <= min(45, low)),
        interval=f"orientations exchanged: {low:.0f}° to {high:.0f}°",
        why=f"Of {len(off)} inputs with a published orientation: the angle from it to the middle "
        f"of what excites; the largest is {off.max():.0f}°. Holds up to a median of 45° and at or "
        "below the interval.",
    )


def boundary_inputs(taxonomy: Families) -> Row:
    """Test the published inputs of a boundary."""
    inputs = named(taxonomy, "mixed3a", BOUNDARY)
    published = {"High-Low Frequency": 5, "Lines": 1, "Line Misc.": 1, "Color Contrast": 2,
              "Line Ends": 1}  # fmt: skip
    counts = {family: inputs.count(family) for family in published}
    return BOUNDARY_INPUTS.found(
        ", ".join(f"{family} {count}" for family, count in counts.items()),
        holds=counts == published,
        why="By the taxonomy; mixed3a:101 is in Lines, mixed3a:165 in Line Misc.",
    )


def fur_inputs(kernels: Kernels) -> Row:
    """Test the published inputs of two detectors of oriented fur."""
    partners = {47: 46, 46: 47, 26: 63, 63: 26}
    pairs = [
        mirrored(kernels["Fur", one, 404], kernels["Fur", other, 333])
        for one, other in partners.items()
    ]
    straight = [correlation(kernels["Fur", one, 404], kernels["Fur", one, 333]) for one in partners]
    return FUR_INPUTS.found(
        f"mirrored kernels correlate {', '.join(f'{pair:.2f}' for pair in pairs)}",
        holds=min(pairs) > 0.5,
        interval=f"of the same input, not mirrored: {', '.join(f'{s:.2f}' for s in straight)}",
        why="Holds where all are above 0.5.",
    )


def named(taxonomy: Families, layer: str, units: Sequence[int]) -> list[str]:
    """Return the family of each unit."""
    return [taxonomy.of(Unit(layer, unit))[0] for unit in units]
