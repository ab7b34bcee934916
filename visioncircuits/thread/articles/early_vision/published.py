"""The published taxonomy and first-layer filters."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from visioncircuits.comparison import filter_preferences
from visioncircuits.figures import Figure
from visioncircuits.thread import Plate, Row, Study, paper, part
from visioncircuits.thread.filters import filter_picture

FILTERS = "conv2d0_filters_uint8_64x7x7x3.npy"
WIDTHS = {"conv2d0": 64, "conv2d1": 64, "conv2d2": 192, "mixed3a": 256, "mixed3b": 480}
LATER = {"mixed4a": "193/508", "mixed4b": "67/512", "mixed4c": "25/512", "mixed4d": "8/528"}
SHARES = {
    "conv2d0": "Gabor Filters 44, Color Contrast 42",
    "conv2d1": "Low Frequency 27, Gabor Like 17, Color Contrast 16, Multicolor 14, "
    "Complex Gabor 14, Color 6, hatch 2",
    "conv2d2": "Color Contrast 21, Line 17, Shifted Line 8, Textures 8, "
    "Color Center-Surround 7, Tiny Curves 6, Early Brightness Gradient 6, Gabor Textures 6, "
    "Texture Contrast 4, Hatch Textures 3, Color/Multicolor 3, Corners 2, Line Divergence 1",
    "mixed3a": "Texture 25, Color Center-Surround 12, High-Low Frequency 6, Brightness Gradient 6, "
    "Color Contrast 5, Complex Center-Surround 5, Line Misc. 5, Lines 5, Repeating patterns 5, "
    "Curves 4, BW vs Color 4, Angles 3, Fur Precursors 3, Eyes / Small Circles 2, "
    "Crosses / Diverging Lines 2, Thick Lines 1, Line Ends 1",
    "mixed3b": "Color Center-Surround 16, Complex Center-Surround 15, Texture 9, Boundary 8, "
    "Color Contrast/Gradient 5, Proto-Head 3, Texture Contrast 3, Other Fur 2, "
    "Generic, Oriented Fur 2, Curves 2, Divots 2, Lines 2, Cross / Corner Divergence 2, "
    "Square / Grid 2, Pattern 2, Bumps 2, Double Boundary 1, Bar / Line-Like 1, Boundary Misc 1, "
    "Brightness Gradients 1, Eyes 1, Star 1, Line Grad 1, Scales 1, Curves misc. 1, "
    "Shallow Curves 1, Curve Shapes 1, Circles / Loops 1, Circle Cluster 1, Double Curves 1",
}  # fmt: skip
"""Families and their percentages, as the article shows them, "Other Units" left out."""

ASSIGNED = paper("every neuron of the first five layers is in exactly one family", "1,056")
PARTIAL = paper("of mixed4a to mixed4d only some units are in a family", ", ".join(LATER.values()))
FAMILIES = {
    layer: paper(f"the families of {layer} have these shares of its units, in percent", text)
    for layer, text in SHARES.items()
}
LINES = paper("line detectors, plain and shifted, are a quarter of conv2d2", "about 25%")


@part(ASSIGNED, PARTIAL, *FAMILIES.values(), LINES)
def published_families(study: Study) -> Iterator[Row | Plate]:
    """The published taxonomy."""
    taxonomy = study.taxonomy().layers
    listed = {
        layer: [unit for units in families.values() for unit in units]
        for layer, families in taxonomy.items()
    }
    whole = [layer for layer, width in WIDTHS.items() if sorted(listed[layer]) == [*range(width)]]
    yield ASSIGNED.found(
        f"{sum(len(listed[layer]) for layer in whole):,}", holds=len(whole) == len(WIDTHS)
    )
    counted = {name: f"{len(set(listed[name]))}/{LATER[name].split('/')[1]}" for name in LATER}
    yield PARTIAL.found(", ".join(counted.values()), holds=counted == LATER)
    for layer, claim in FAMILIES.items():
        rounded = {
            family: int(100 * len(units) / WIDTHS[layer] + 0.5)
            for family, units in taxonomy[layer].items()
        }
        stated = [text.rpartition(" ") for text in claim.published.replace("Generic, ", "Generic; ")
                .split(", ")]  # fmt: skip
        alike = [rounded[family.replace(";", ",")] == int(percent) for family, _, percent in stated]
        yield claim.found(
            f"{sum(alike)} of {len(alike)} shares the same to the percent",
            holds=all(alike),
            why="Counts of the taxonomy over the layer's width, rounded as the article rounds.",
        )
    lines = len(taxonomy["conv2d2"]["Line"]) + len(taxonomy["conv2d2"]["Shifted Line"])
    share = lines / WIDTHS["conv2d2"]
    yield LINES.found(f"{lines} of 192, {share:.1%}", holds=round(share / 0.05) == 5)
    yield Plate(
        "families", shares_drawn(taxonomy), "The published families of each layer, by their share."
    )


def shares_drawn(taxonomy: dict[str, dict[str, tuple[int, ...]]]) -> Figure:
    """Draw a bar a layer, cut by family; the larger families are named."""
    figure = Figure(figsize=(9.6, 3.4), layout="constrained")
    axes = figure.subplots()
    for place, (layer, width) in enumerate(WIDTHS.items()):
        left = 0.0
        families = sorted(taxonomy[layer].items(), key=lambda pair: -len(pair[1]))
        for at, (family, units) in enumerate(families):
            share = len(units) / width
            ink = "#c9ced6" if at % 2 else "#e2e5ea"
            axes.barh(place, share, left=left, color=ink, edgecolor="white", height=0.8)
            if share > 0.115:
                text = f"{family.replace(' Center-Surround', chr(10) + 'Center-Surround')}"
                axes.text(left + share / 2, place, text, ha="center", va="center", fontsize=7.5)
            left += share
    axes.set_yticks(range(len(WIDTHS)), WIDTHS)
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.set_xlabel("share of the layer's units")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(left=False)
    return figure


APART = paper(
    "first-layer filters are of two kinds: Gabors are fine, color contrast is coarse and colored",
    "28 Gabors, 27 color contrast",
)
PAIRS = paper(
    "Gabor filters almost always come in pairs that are negative versions of each other",
    "almost always",
)
JOINED = paper(
    "complex Gabors (conv2d1 30, 55, 52) add pairs of Gabors that are each other's negative",
    "7 pairs",
)
RECIPROCAL = ((22, 39), (54, 15), (10, 0), (17, 62), (14, 49), (20, 27), (18, 41))
"""Filters that share a line in the article's figure of complex Gabors."""


@part(APART, PAIRS, JOINED)
def published_filters(study: Study) -> Iterator[Row | Plate]:
    """The published first-layer filters.

    They are known up to one positive scale each. Frequency is the mean over a filter's spectrum, in
    cycles a pixel, color the share of its squares that is not alike in the three channels.
    """
    stored = torch.from_numpy(np.load(study.published(FILTERS)).astype(np.float32))
    filters = (stored - stored.mean((1, 2, 3), keepdim=True)).permute(0, 3, 1, 2)
    families = study.taxonomy().layers["conv2d0"]
    gabors, contrasts = (list(families[name]) for name in ("Gabor Filters", "Color Contrast"))
    found = filter_preferences(filters)
    fine = found["frequency"].values
    above = (fine[gabors][:, None] > fine[contrasts]).mean()
    colored = (found["color"].values[contrasts][:, None] > found["color"].values[gabors]).mean()
    yield APART.found(
        f"a Gabor is finer in {above:.1%} and less colored in {colored:.0%} of all pairs",
        holds=above >= 0.95 and colored >= 0.75,
        interval="chance 50%",
        why="Holds from 95% for frequency and 75% for color.",
    )
    alike = similarities(filters)
    paired = alike[gabors].min(1) <= -0.75
    turned = similarities(filters, torch.rot90(filters, 1, (2, 3)))[gabors].min(1)
    yield PAIRS.found(
        f"{paired.sum()} of {len(gabors)}",
        holds=paired.mean() >= 0.8,
        interval=f"{(turned <= -0.75).sum()} of {len(gabors)} among filters turned by 90°",
        why="A pair correlates below -0.75; holds from 80%.",
    )
    pairs = [alike[pair] for pair in RECIPROCAL]
    yield JOINED.found(
        f"correlations {', '.join(f'{pair:.2f}' for pair in pairs)}",
        holds=max(pairs) <= -0.75,
        why="Holds where all are below -0.75.",
    )
    yield Plate(
        "published-filters",
        filters_drawn(filters, {"Gabor filters": gabors, "color contrast": contrasts}),
        "The published filters, finest first, each scaled to its largest weight.",
    )


def similarities(
    filters: Tensor, others: Tensor | None = None
) -> Float[np.ndarray, "filters others"]:
    """Correlate every filter with every other."""
    one, other = (
        torch.nn.functional.normalize(each.flatten(1) - each.flatten(1).mean(1, keepdim=True))
        for each in (filters, filters if others is None else others)
    )
    return (one @ other.T).numpy()


def filters_drawn(filters: Tensor, groups: dict[str, Sequence[int]]) -> Figure:
    """Draw groups of filters, a row or more each, the finest first."""
    frequency, columns = filter_preferences(filters)["frequency"].values, 16
    lines = [-(-len(units) // columns) for units in groups.values()]
    heights = [height for count in lines for height in (0.35, *[1.0] * count)]
    figure = Figure(figsize=(9.6, 0.6 * sum(heights)))
    grid = figure.add_gridspec(
        len(heights), columns, height_ratios=heights,
        left=0.01, right=0.99, bottom=0.01, top=0.99, wspace=0.08, hspace=0.08,
    )  # fmt: skip
    row = 0
    for count, (name, units) in zip(lines, groups.items(), strict=True):
        heading = figure.add_subplot(grid[row, :])
        heading.axis("off")
        heading.text(0, 0.5, f"{name} ({len(units)})", va="center", fontsize=9)
        for at, unit in enumerate(sorted(units, key=lambda unit: -frequency[unit])):
            axes = figure.add_subplot(grid[row + 1 + at // columns, at % columns])
            axes.axis("off")
            axes.imshow(filter_picture(filters[unit]))
        row += 1 + count
    return figure


INHIBITING = (43, 23, 77, 101, 45, 178, 36, 120, 124, 0, 62, 13)
CIRCLE = (182, 32, 117, 171, 130, 146, 180)
TRIANGLE = (9, 116, 39, 113, 144, 100, 114)
BOUNDARY = (110, 112, 117, 70, 86, 101, 165, 211, 203, 133)
