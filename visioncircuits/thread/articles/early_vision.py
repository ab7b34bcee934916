"""An Overview of Early Vision (Olah et al., 2020): families of units in the first five layers."""

import json
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Float
from matplotlib.figure import Figure
from PIL import Image
from scipy.stats import spearmanr
from torch import Tensor

from visioncircuits.comparison import filter_preferences, mirrored, odds, placement
from visioncircuits.comparison.symmetry import correlation
from visioncircuits.networks import Families, Network, Unit, read_families
from visioncircuits.stimuli import StimulusSet, curve, sinusoidal_grating
from visioncircuits.thread import (
    Article,
    Plate,
    Row,
    Study,
    Unavailable,
    here,
    inception,
    middle,
    null,
    numbers,
    paper,
    part,
    share_interval,
)
from visioncircuits.tuning import black_and_white, circle_detectors, measure
from visioncircuits.weights import connection_cards, expanded_weights, strongest_inputs

Array = np.ndarray
Kernels = Mapping[tuple[str, int, int], Float[Array, "height width"]]
"""By figure, source and target."""
FILTERS = "conv2d0_filters_uint8_64x7x7x3.npy"
TAXONOMY = "families_early_vision.json"

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
    layer: paper(f"the families of {layer} and their shares, in percent", text)
    for layer, text in SHARES.items()
}
LINES = paper("line detectors, plain and shifted, are a quarter of conv2d2", "about 25%")


@part(ASSIGNED, PARTIAL, *FAMILIES.values(), LINES)
def published_families(study: Study) -> Iterator[Row | Plate]:
    """The published taxonomy."""
    taxonomy = read_families(study.published(TAXONOMY)).layers
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
    families = read_families(study.published(TAXONOMY)).layers["conv2d0"]
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


def similarities(filters: Tensor, others: Tensor | None = None) -> Float[Array, "filters others"]:
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
            axes.imshow(colors(filters[unit]))
        row += 1 + count
    return figure


def colors(values: Float[Tensor, "3 height width"]) -> Float[Array, "height width 3"]:
    """Return a filter as a picture, gray where it is zero."""
    picture: Array = (0.5 + values / (2 * values.abs().max())).permute(1, 2, 0).numpy()
    return picture


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
INHIBITING = (43, 23, 77, 101, 45, 178, 36, 120, 124, 0, 62, 13)
EXCITING = (29, 40, 21, 90)
CIRCLE = (182, 32, 117, 171, 130, 146, 180)
TRIANGLE = (9, 116, 39, 113, 144, 100, 114)
BOUNDARY = (110, 112, 117, 70, 86, 101, 165, 211, 203, 133)
COLOR = ("Color Contrast", "Color Center-Surround", "Color/Multicolor")
STRAIGHT = ("Line", "Shifted Line")


@part(BW_INPUTS, CIRCLE_INPUTS, TRIANGLE_INPUTS, BOUNDARY_INPUTS, FUR_INPUTS)
def published_circuits(study: Study) -> Iterator[Row | Plate]:
    """The published circuits.

    Which units the figures show, by the families that the taxonomy puts them in, and the weights
    decoded from the figures.
    """
    taxonomy = read_families(study.published(TAXONOMY))
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
    table = json.loads(study.published("curve_preferred_orientations.json").read_text("utf-8"))
    published = table["units"]["conv2d2"]
    orientations = {
        unit: published[str(unit)]["argmax_deg"] for unit in CIRCLE if str(unit) in published
    }
    facing = placement(
        np.stack([kernels["SmallCircle", unit, 175] for unit in orientations]),
        np.array([*orientations.values()]),
    )
    off = np.abs(facing)
    return CIRCLE_INPUTS.found(
        f"families: {', '.join(sorted(curves))}; median {np.median(off):.0f}° from where they face",
        holds=curves == {"Tiny Curves"} and bool(np.median(off) <= 30),
        interval="chance 90°",
        why=f"Of {len(off)} inputs with a published orientation: the angle from it to the middle "
        f"of what excites; the largest is {off.max():.0f}°. Holds up to a median of 30°.",
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


KINDS = here(
    "most first-layer filters are gray and oriented, as Gabors, or colored contrasts", "44% and 42%"
)
FINE = here("the finer a first-layer filter, the less colored it is", "")
PAIRED = here(
    "gray, oriented first-layer filters almost always come in pairs that are negative versions of "
    "each other",
    "almost always",
)


@part(KINDS, FINE, PAIRED)
def filters_here(study: Study) -> Iterator[Row | Plate]:
    """The first-layer filters of this network.

    Colored are filters more than half of whose squares are not alike in the three channels;
    oriented those more than half of whose power lies within 22.5° of one orientation.
    """
    layer = study.layer("conv2d0")
    filters = expanded_weights(study.network, "input", layer).weight.cpu()
    found = filter_preferences(filters)
    color, frequency = found["color"].values, found["frequency"].values
    gray = color <= 0.5
    gabors = np.flatnonzero(gray & (oriented(filters) > 0.5))
    contrasts = np.flatnonzero(~gray)
    count = len(filters)
    rest = np.setdiff1d(np.arange(count), [*gabors, *contrasts])
    yield Plate(
        "filters",
        filters_drawn(filters, {"gray, oriented": [*gabors], "colored": [*contrasts],
                                **({"other": [*rest]} if len(rest) else {})}),
        f"All filters of {layer}, finest first, each scaled to its largest weight.",
    )  # fmt: skip
    yield KINDS.found(
        f"{len(gabors) / count:.0%} and {len(contrasts) / count:.0%} of {count}",
        holds=(len(gabors) + len(contrasts)) / count >= 0.75
        and min(len(gabors), len(contrasts)) / count >= 0.2,
        why="Holds where together they are three quarters, and either is a fifth.",
    )
    correlation, chance = spearmanr(frequency, color)
    yield FINE.found(
        f"rank correlation {correlation:.2f}",
        holds=correlation < 0 and chance < 0.05,
        interval=f"P = {chance:.1g}",
        why="Of a filter's mean frequency and its color, over all filters.",
    )
    if len(gabors) < 3:
        yield PAIRED.untestable(f"{len(gabors)} filters are gray and oriented")
        return
    lowest = similarities(filters)[gabors].min(1)
    turned = similarities(filters, torch.rot90(filters, 1, (2, 3)))[gabors].min(1)
    paired = lowest <= -0.75
    yield PAIRED.found(
        f"{paired.sum()} of {len(gabors)}",
        holds=paired.mean() >= 0.8,
        interval=f"{(turned <= -0.75).sum()} of {len(gabors)} among filters turned by 90°",
        why="The published filters' rule: correlated below -0.75, from 80%. Here the median of the "
        f"most opposed is {np.median(lowest):.2f}.",
    )


def oriented(filters: Tensor) -> Float[Array, " filters"]:
    """Compute the largest share of the spectrum's power within 22.5° of an orientation."""
    side = 8 * max(filters.shape[2:])
    power = np.square(np.abs(np.fft.fft2(filters.mean(1).numpy(), (side, side))))
    steps = np.fft.fftfreq(side)
    angles = np.degrees(np.arctan2(steps[:, None], steps))
    within = [
        np.abs((angles - middle + 90) % 180 - 90) <= 22.5 for middle in np.arange(0, 180, 7.5)
    ]
    shares = [power[:, mask].sum(1) for mask in within]
    return np.max(shares, 0) / power.sum((1, 2)).clip(1e-30)


FOUND = {
    ("color-contrast", "conv2d1"): "Color Contrast 16%",
    ("color-contrast", "conv2d2"): "Color Contrast 21%",
    ("color-center-surround", "conv2d2"): "Color Center-Surround 7%",
    ("line", "conv2d2"): "Line, Shifted Line 25%",
    ("color-contrast", "mixed3a"): "Color Contrast 5%",
    ("color-center-surround", "mixed3a"): "Color Center-Surround 12%",
    ("line", "mixed3a"): "Lines 5%",
    ("high-low", "mixed3a"): "High-Low Frequency 6%",
    ("brightness-gradient", "mixed3a"): "Brightness Gradient 6%",
    ("curve", "mixed3a"): "Curves 4%",
    ("line", "mixed3b"): "Lines 2%",
    ("curve", "mixed3b"): "Curves 2%",
}
HERE = {
    key: here(f"{key[1]} has {key[0]} detectors, and as many", text) for key, text in FOUND.items()
}


@part(*HERE.values())
def families_here(study: Study) -> Iterator[Row | Plate]:
    """Families that stimuli find.

    The article's families were chosen by eye. Here a unit is in one if it passes the family's
    hypothesis, controls included, which is stricter.
    """
    for (family, layer), claim in HERE.items():
        try:
            name = study.layer(layer)
            units = len(study.found(family, layer))
        except Unavailable as error:
            yield claim.untestable(str(error))
            continue
        width = study.network.layer(name).units
        low, high = share_interval(units, width)
        published = float(claim.published.rpartition(" ")[2].removesuffix("%")) / 100
        yield claim.found(
            f"{units} of {width} in {name}, {units / width:.1%}",
            holds=units >= 3 and low <= published + 0.005 and published - 0.005 <= high,
            interval=f"{low:.1%} to {high:.1%}",
            why="Holds where three or more are found, and the published share, to its rounding, "
            "is within the interval (Wilson, 95%).",
        )


INVARIANT = here(
    "some conv2d1 units are complex Gabors: of one orientation, whatever the phase", "14%"
)
AGREED = here("what excites a complex Gabor are filters of its own orientation", "all inputs")


@part(INVARIANT, AGREED)
def complex_gabors(study: Study) -> Iterator[Row | Plate]:
    """Complex Gabors.

    Gratings of 12 orientations, 6 periods and 8 phases. A complex Gabor's weakest response
    over phases, at its best orientation and period, is more than half of its strongest, and its
    mean response across that orientation less than half of its best.
    """
    first, layer = study.layer("conv2d0"), study.layer("conv2d1")
    responses = measure(study.network, layer, GRATINGS).clip(min=0)
    best, orientation, period = preferred(responses.mean("phase").values)
    units = np.arange(len(best))
    at_best = responses.values[units, orientation, period]
    across = responses.mean("phase").values[units, (orientation + 6) % 12, period]
    steady = at_best.min(1) > at_best.max(1) / 2
    found = np.flatnonzero((best > 0) & steady & (across < best / 2))
    low, high = share_interval(len(found), len(best))
    yield INVARIANT.found(
        f"{len(found)} of {len(best)}, {len(found) / len(best):.0%}",
        holds=bool(low <= 0.145 and high >= 0.135),
        interval=f"{low:.0%} to {high:.0%}",
        why="Holds where the published share is within the interval (Wilson, 95%). A max pool lies "
        "between the layers, which already takes phase away from fine gratings.",
    )
    if len(found) < 3 or first == layer:
        yield AGREED.untestable(f"{len(found)} complex Gabors found in {layer}")
        return
    simple = measure(study.network, study.network.before_rectifier(first), GRATINGS)
    _, own, _ = preferred(simple.max("phase").values)
    weights = expanded_weights(study.network, first, [f"{layer}:{unit}" for unit in found])
    sums = weights.weight.sum((2, 3)).cpu().numpy()
    apart = np.abs((15 * (orientation[found][:, None] - own[None]) + 90) % 180 - 90)
    exciting = sums >= 0.3 * np.abs(sums).max(1, keepdims=True)
    inside = float((apart[exciting] <= 15).mean())
    rng = study.rng("complex gabors")
    low, high = null(
        lambda order: float((apart[:, order][exciting] <= 15).mean()),
        np.arange(apart.shape[1]),
        rng,
        draws=2000,
    )
    yield AGREED.found(
        f"{inside:.0%} of {exciting.sum()} within 15°",
        holds=inside > high,
        interval=f"{low:.0%} to {high:.0%} with shuffled filters",
        why="Inputs of at least 30% of the largest weight, as in the article's figure, and the "
        "grating orientation that each filter responds to most. Holds above the interval.",
    )
    chosen = found[np.argsort(-at_best[found].min(1))][:6]
    filters = expanded_weights(study.network, "input", first).weight.cpu()
    yield Plate(
        "complex-gabors",
        gabors_drawn(filters, {f"{layer}:{unit}": sums[[*found].index(unit)] for unit in chosen}),
        f"Six complex Gabors of {layer} and their inputs from {first}: the nine "
        "of the largest weight, if at least 30% of the largest, red where they excite, blue where "
        "they inhibit; the line is as dark as the weight is large.",
    )


GRATINGS = StimulusSet(
    sinusoidal_grating,
    {
        "orientation": range(0, 180, 15),
        "period": (2.5, 3.5, 5, 7, 10, 14),
        "phase": range(0, 360, 45),
    },
)


def preferred(responses: Float[Array, "units orientation period"]) -> tuple[Array, Array, Array]:
    """Return each unit's best response, and the indices of its orientation and period."""
    flat = responses.reshape(len(responses), -1)
    orientation, period = np.divmod(flat.argmax(1), responses.shape[2])
    return flat.max(1), orientation, period


def gabors_drawn(filters: Tensor, rows: dict[str, Array]) -> Figure:
    """Draw a row for each unit: its input filters, framed by their weight."""
    count, columns = len(rows), 10
    figure = Figure(figsize=(8.4, 0.8 * count), layout="constrained")
    grid = figure.subplots(count, columns, squeeze=False)
    for axes, (name, weights) in zip(grid, rows.items(), strict=True):
        strong = np.flatnonzero(np.abs(weights) >= 0.3 * np.abs(weights).max())
        strong = strong[np.argsort(-np.abs(weights[strong]))][: columns - 1]
        axes[0].text(1, 0.5, name, ha="right", va="center", fontsize=9)
        for each in axes:
            each.axis("off")
        for each, unit in zip(axes[1:], strong, strict=False):
            share = weights[unit] / np.abs(weights).max()
            each.imshow(colors(filters[unit]))
            each.set_axis_on()
            each.set_xticks([])
            each.set_yticks([])
            each.spines[:].set(color="#CA0020" if share > 0 else "#0571B0", alpha=abs(share), lw=3)
    return figure


NOT_COLOR = here(
    "detectors of black and white are inhibited by units that respond to color", "12 of 12"
)
ROUND = here("small circles in mixed3a are excited by tiny curves, each where it faces", "")
EDGES = here(
    "boundaries have line and color contrast detectors as inputs beside high-low frequency ones",
    "2 and 2 of 10 inputs",
)
TRIANGLE_HERE = here("a triangle is made of lines", "")
FUR_HERE = here("detectors of oriented fur come in mirror images", "")


@part(NOT_COLOR, ROUND, EDGES, TRIANGLE_HERE, FUR_HERE)
def circuits_here(study: Study) -> Iterator[Row | Plate]:
    """Circuits of this network."""
    yield from black_and_white_inputs(study)
    yield from small_circles(study)
    yield from boundaries(study)
    yield TRIANGLE_HERE.untestable("no stimulus here is a triangle, so that no test finds one")
    yield FUR_HERE.untestable("no stimulus here is fur, so that no test finds its detectors")


def black_and_white_inputs(study: Study) -> Iterator[Row | Plate]:
    """Test which of their inputs inhibit detectors of black and white."""
    before, layer = study.layer("conv2d2"), study.layer("mixed3a")
    table = black_and_white(study.network, layer)
    units = table.loc[table["detector"], "unit"].tolist()
    if len(units) < 3:
        yield NOT_COLOR.untestable(f"{len(units)} detectors of black and white found in {layer}")
        return
    sources = black_and_white(study.network, before)
    white, tinted = sources["white"].to_numpy(), sources["tinted"].to_numpy()
    color = tinted / (white + tinted).clip(1e-9)
    weights = expanded_weights(study.network, before, units)
    sums = weights.weight.sum((2, 3)).cpu().numpy()
    norms = weights.weight.square().sum((2, 3)).cpu().numpy()
    top = np.argsort(-norms, axis=1)[:, :16]
    signs = np.sign(np.take_along_axis(sums, top, 1))

    def apart(signs: Array) -> float:
        values = color[top]
        return float(values[signs < 0].mean() - values[signs > 0].mean())

    rng = study.rng("black and white")
    chance = [apart(rng.permuted(signs, axis=1)) for _ in range(2000)]
    low, high = middle(chance)
    found = apart(signs)
    yield NOT_COLOR.found(
        f"color preference of what inhibits less that of what excites: {found:+.2f}",
        holds=found > high,
        interval=f"{low:+.2f} to {high:+.2f} with shuffled signs",
        why=f"The 16 strongest inputs of {len(units)} detectors; a source's preference is its "
        "response to tinted gratings over that plus its response to black and white ones. Holds "
        "above the interval.",
    )
    unit = table[table["detector"]].sort_values("white")["unit"].iloc[-1]
    yield Plate(
        "black-and-white",
        cards(study, unit, before, 16),
        f"{unit}, which responds to black and white and not to color, and its 16 strongest inputs.",
    )


def cards(study: Study, unit: str, source: str, top: int) -> Image.Image:
    """Draw the strongest inputs of a unit, as the article's circuits do."""
    found = strongest_inputs(expanded_weights(study.network, source, unit), top=top)
    features = [found[0].target, *(connection.source for connection in found)]
    return connection_cards(found, study.thumbnails(features), size=96, columns=8)


def small_circles(study: Study) -> Iterator[Row | Plate]:
    """Test where the curves lie that excite a small circle."""
    before, layer = study.layer("conv2d2"), study.layer("mixed3a")
    table = circle_detectors(study.network, layer)
    units = table.loc[table["detector"], "unit"].tolist()
    field = min(study.network.layer(before).receptive_field)
    arcs = StimulusSet(
        curve,
        {"orientation": range(0, 360, 15), "radius": (field / 6, field / 4, field / 3)},
        {"width": 2.0},
    )
    responses = measure(study.network, before, arcs).clip(min=0).max("radius").values
    best = responses.max(1)
    units_of = np.arange(len(best))
    opposite = responses[units_of, (responses.argmax(1) + 12) % 24]
    tiny = np.flatnonzero((best > np.median(best)) & (opposite < best / 2))
    if len(units) < 3 or len(tiny) < 3:
        yield ROUND.untestable(
            f"{len(units)} small circles found in {layer}, {len(tiny)} tiny curves in {before}"
        )
        return
    angles = np.exp(2j * np.pi * np.arange(24) / 24)
    orientations = np.degrees(np.angle(responses[tiny] @ angles)) % 360
    kernels = expanded_weights(study.network, [f"{before}:{unit}" for unit in tiny], units)
    values = kernels.weight.cpu().numpy()
    exciting = values.sum((2, 3)) > 0

    def off(order: Array) -> float:
        facing = [placement(row[mask], orientations[order][mask])
                  for row, mask in zip(values, exciting, strict=True)]  # fmt: skip
        return float(np.median(np.abs(np.concatenate(facing))))

    rng = study.rng("circles")
    low, high = null(off, np.arange(len(tiny)), rng, draws=study.of(1000, quick=200))
    found = off(np.arange(len(tiny)))
    yield ROUND.found(
        f"median {found:.0f}° from where they face",
        holds=found < low,
        interval=f"{low:.0f}° to {high:.0f}° with shuffled orientations",
        why=f"{exciting.sum()} kernels from {len(tiny)} tiny curves into {len(units)} small "
        "circles; circles drive these twice as far as curves. Holds below the interval.",
    )
    yield Plate(
        "small-circle",
        cards(study, units[0], before, 8),
        f"{units[0]}, a small circle, and its strongest inputs.",
    )


def boundaries(study: Study) -> Iterator[Row | Plate]:
    """Test the inputs of boundaries beside high-low frequency detectors."""
    layer, after = study.layer("mixed3a"), study.layer("mixed3b")
    high_low = study.detectors("high-low", "mixed3a")["unit"].tolist()
    others = [
        *study.found("line", "mixed3a")["unit"], *study.found("color-contrast", "mixed3a")["unit"]
    ]  # fmt: skip
    if len(others) < 3:
        yield EDGES.untestable(f"{len(others)} line and color contrast detectors in {layer}")
        return
    weights = expanded_weights(study.network, layer, after)
    squares = weights.weight.square().sum((2, 3)).cpu().numpy()
    names = [str(feature) for feature in weights.inputs]
    first, second = (
        squares[:, [names.index(unit) for unit in units]].sum(1) for units in (high_low, others)
    )
    rest = squares.sum(1) - first
    share = second / rest.clip(1e-30)
    top = np.argsort(-first)[:20]
    found, expected = share[top].mean(), len(others) / (len(names) - len(high_low))
    rng = study.rng("boundaries")
    chance = [rng.choice(share, 20, replace=False).mean() for _ in range(2000)]
    low, high = middle(chance)
    yield EDGES.found(
        f"{found:.1%} of the other squared weight",
        holds=bool(found > high),
        interval=f"{low:.1%} to {high:.1%} of 20 units at random",
        why=f"The 20 units of {after} with the largest weights from the {len(high_low)} high-low "
        f"detectors; {len(others)} lines and color contrasts are {expected:.1%} of the other "
        "units. Holds above the interval.",
    )
    exciting = weights.weight.clamp(min=0).square().sum((2, 3)).cpu().numpy()
    strongest = exciting[:, [names.index(unit) for unit in high_low]].sum(1).argmax()
    unit = f"{after}:{strongest}"
    yield Plate(
        "boundary",
        cards(study, unit, layer, 16),
        f"{unit}, which high-low frequency detectors excite most, and its strongest inputs.",
    )


LOW_RANK = here(
    "weights through a bottleneck are the product of two matrices: of low rank",
    "low rank factorization",
)
REPLICATED = here(
    "weights through a max pool and a 1 × 1 convolution are the same all over the pool's region",
    "replicated",
)
COVERED = here("the 50 strongest inputs of the weight explorer have most of the weight", "50")


@part(LOW_RANK, REPLICATED, COVERED)
def explorer(study: Study) -> Iterator[Row | Plate]:
    """The weight explorer."""
    network, before, layer = study.network, study.layer("mixed3a"), study.layer("mixed3b")
    weights = expanded_weights(network, before, layer)
    squares = weights.weight.square().sum((2, 3)).cpu().numpy()
    sorted_ = -np.sort(-squares, 1)
    alive = sorted_.sum(1) > 0
    covered = sorted_[alive, :50].sum(1) / sorted_[alive].sum(1)
    low, middle, high = np.quantile(covered, (0.025, 0.5, 0.975))
    yield COVERED.found(
        f"median {middle:.0%} of the squared weight",
        holds=bool(middle > 0.5),
        interval=f"{low:.0%} to {high:.0%} over units",
        why=f"From all {squares.shape[1]} units of {before} into each of {layer}.",
    )
    unit = str(weights.outputs[int(np.argmax(np.where(alive, sorted_[:, 0], 0)))])
    curves = study.found("curve", "mixed3b")["unit"].tolist()
    unit = curves[0] if curves else unit
    yield Plate(
        "explorer",
        cards(study, unit, before, 16),
        f"{unit}: its 16 strongest inputs, as a page of the weight explorer shows them.",
    )
    branches = network.branches(layer)
    narrow = next((name for name in branches if name.endswith("_5x5")), "")
    pooled = next((name for name in branches if "pool" in name), "")
    if not narrow or f"{narrow}_bottleneck" not in network.layers or not pooled:
        raise Unavailable(f"{layer} of {network.name} has no branches with a bottleneck and a pool")
    width = network.layer(f"{narrow}_bottleneck").units
    part_ = weights.weight[list(branches[narrow])].cpu().double().numpy()
    rank = int(np.linalg.matrix_rank(part_.transpose(1, 0, 2, 3).reshape(part_.shape[1], -1),
                                     tol=None, rtol=1e-5))  # fmt: skip
    yield LOW_RANK.found(
        f"rank {rank} of {part_.shape[1]} inputs",
        holds=rank <= width,
        why=f"{narrow}, whose bottleneck is {width} wide.",
    )
    kernels = weights.weight[list(branches[pooled])].cpu().numpy()
    region = np.abs(kernels).max((0, 1)) > 0
    spread = np.ptp(kernels[..., region], -1).max() / np.abs(kernels).max()
    yield REPLICATED.found(
        f"largest difference {spread:.1g} of the largest weight, over {region.sum()} positions",
        holds=bool(spread < 1e-4),
        why=f"{pooled}.",
    )


STRONGEST = {
    "mixed3a:222": ("conv2d2", (*INHIBITING, *EXCITING)),
    "mixed3a:175": ("conv2d2", CIRCLE),
    "mixed3a:188": ("conv2d2", TRIANGLE),
    "mixed3b:345": ("mixed3a", BOUNDARY),
    "mixed3b:404": ("mixed3a", (47, 46, 26, 63)),
    "mixed3b:333": ("mixed3a", (47, 46, 26, 63)),
}
GOOGLE = {
    unit: inception(f"the strongest {source} inputs of {unit}", ", ".join(map(str, inputs)))
    for unit, (source, inputs) in STRONGEST.items()
}
SIGNS = inception("twelve of the strongest inputs of mixed3a:222 inhibit it, four excite it", "12")
GABOR_INPUTS = {30: {22: 1, 39: 1, 54: 0.6, 15: 0.6},
         55: {10: 1, 0: 1, 17: 1, 62: 1, 41: 0.4, 28: 0.3},
         52: {14: 0.6, 49: 0.6, 20: 0.4, 27: 0.4, 18: -0.6, 41: -0.6}}  # fmt: skip
COMPLEX = {
    unit: inception(
        f"inputs of the complex Gabor conv2d1:{unit} of at least 30% of the largest weight",
        ", ".join(f"{source} {weight:+g}" for source, weight in inputs.items()),
    )
    for unit, inputs in GABOR_INPUTS.items()
}
FAMILIES_FOUND = inception(
    "units that stimuli find are in the family that the article puts them in", "all"
)


@part(*GOOGLE.values(), SIGNS, *COMPLEX.values(), FAMILIES_FOUND)
def google(study: Study) -> Iterator[Row | Plate]:
    """Google's network, by number."""
    network = study.inceptionv1()
    yield from units_of_google(network)
    layers = read_families(study.published(TAXONOMY)).layers
    pairs = (("curve", "mixed3b", "Curves"), ("high-low", "mixed3a", "High-Low Frequency"))
    inside, total = 0, 0
    google_study = Study(network, study.folder, data=study.data, quick=study.quick, seed=study.seed)
    for hypothesis, layer, family in pairs:
        listed = {f"{layer}:{unit}" for unit in layers[layer][family]}
        units = google_study.found(hypothesis, layer)["unit"].tolist()
        inside, total = inside + len(listed.intersection(units)), total + len(units)
    yield FAMILIES_FOUND.found(
        f"{inside} of {total}", holds=inside >= 0.9 * total > 0, why="Holds from 90%."
    )


def units_of_google(network: Network) -> Iterator[Row]:
    """Compare the inputs of units with the published ones."""
    for unit, claim in GOOGLE.items():
        source, inputs = STRONGEST[unit]
        found = strongest_inputs(expanded_weights(network, source, unit), top=len(inputs))
        listed = numbers(connection.source for connection in found)
        same = set(listed) & set(inputs)
        yield claim.found(
            ", ".join(map(str, listed)),
            holds=len(same) >= 0.8 * len(inputs),
            why=f"{len(same)} of {len(inputs)} the same; holds from 80%, as the figures choose.",
        )
        if unit == "mixed3a:222":
            inhibiting = {
                at for at, c in zip(listed, found, strict=True) if float(c.kernel.sum()) < 0
            }
            right = inhibiting == set(INHIBITING)
            yield SIGNS.found(f"{len(inhibiting)} inhibit", holds=right)
    for unit_, claim in COMPLEX.items():
        weights = expanded_weights(network, "conv2d0", f"conv2d1:{unit_}").weight[0].sum((1, 2))
        share = (weights / weights.abs().max()).tolist()
        strong = {at: value for at, value in enumerate(share) if abs(value) >= 0.3}
        near = [
            abs(strong.get(at, 0.0) - value) <= 0.25 for at, value in GABOR_INPUTS[unit_].items()
        ]
        yield claim.found(
            ", ".join(f"{at} {value:+.2f}" for at, value in strong.items()),
            holds=all(near) and set(strong) == set(GABOR_INPUTS[unit_]),
            why="Holds where the same inputs are shown and weights agree to 0.25: the figure's "
            "lines are two filters each.",
        )


ARTICLE = Article(
    "An Overview of Early Vision in InceptionV1",
    "Olah, Cammarata, Schubert, Goh, Petrov, Carter, 2020",
    "https://distill.pub/2020/circuits/early-vision/",
    "A guided tour of the first five layers: every unit in a family, and how the families make "
    "each other.",
    (
        published_families,
        published_filters,
        published_circuits,
        filters_here,
        families_here,
        complex_gabors,
        circuits_here,
        explorer,
        google,
    ),
)
