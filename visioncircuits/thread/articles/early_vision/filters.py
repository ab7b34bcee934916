"""First-layer filters, families, and complex Gabors of a network."""

from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Float
from scipy.stats import spearmanr
from torch import Tensor

from visioncircuits.comparison import filter_preferences
from visioncircuits.figures import Figure
from visioncircuits.stimuli import StimulusSet, sinusoidal_grating
from visioncircuits.thread import Plate, Row, Study, here, part
from visioncircuits.thread.articles.early_vision.published import (
    filters_drawn,
    similarities,
)
from visioncircuits.thread.claims import SHUFFLED, Unavailable
from visioncircuits.thread.filters import filter_picture
from visioncircuits.thread.intervals import null, share_interval
from visioncircuits.tuning import angular_distance, measure
from visioncircuits.weights import expanded_weights

KINDS = here(
    "most first-layer filters are gray and oriented, as Gabors, or colored contrasts", "44% and 42%"
)
FINE = here("the finer a first-layer filter, the less colored it is", "")
PAIRED = here(
    "gray, oriented first-layer filters almost always come in pairs that are negative versions of "
    "each other",
    "almost always",
)


@part(KINDS, FINE, PAIRED, stand_ins=(SHUFFLED,))
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


def oriented(filters: Tensor) -> Float[np.ndarray, " filters"]:
    """Compute the largest share of the spectrum's power within 22.5° of an orientation."""
    side = 8 * max(filters.shape[2:])
    power = np.square(np.abs(np.fft.fft2(filters.mean(1).numpy(), (side, side))))
    steps = np.fft.fftfreq(side)
    angles = np.degrees(np.arctan2(steps[:, None], steps))
    within = [
        angular_distance(angles, middle, period=180) <= 22.5 for middle in np.arange(0, 180, 7.5)
    ]
    shares = [power[:, mask].sum(1) for mask in within]
    most: np.ndarray = np.max(shares, 0) / power.sum((1, 2)).clip(1e-30)
    return most


FOUND = {
    ("color-contrast", "conv2d1"): "Color Contrast 16%",
    ("color-contrast", "conv2d2"): "Color Contrast 21%",
    ("color-center-surround", "conv2d2"): "Color Center-Surround 7%",
    ("line", "conv2d2"): "Line, Shifted Line 25%",
    ("color-contrast", "mixed3a"): "Color Contrast 5%",
    ("color-center-surround", "mixed3a"): "Color Center-Surround 12%",
    ("line", "mixed3a"): "Lines 5%",
    ("brightness-gradient", "mixed3a"): "Brightness Gradient 6%",
    ("curve", "mixed3a"): "Curves 4%",
    ("line", "mixed3b"): "Lines 2%",
}
HERE = {
    key: here(f"{key[1]} has {key[0]} detectors, about as many as published", text)
    for key, text in FOUND.items()
}


@part(*HERE.values(), stand_ins=(SHUFFLED,))
def families_here(study: Study) -> Iterator[Row | Plate]:
    """Families that stimuli find.

    The article's families were chosen by eye. Here a unit is in one if it passes the family's
    hypothesis, controls included, which is stricter. Curve detectors of mixed3b are counted in
    Curve Detectors, high-low frequency detectors in their own article.
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
AGREED = here("filters of its own orientation excite a complex Gabor", "all inputs")


@part(INVARIANT, AGREED, stand_ins=(SHUFFLED,))
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
    apart = angular_distance(15 * orientation[found][:, None], 15 * own[None], period=180)
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


def preferred(
    responses: Float[np.ndarray, "units orientation period"],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return each unit's best response, and the indices of its orientation and period."""
    flat = responses.reshape(len(responses), -1)
    orientation, period = np.divmod(flat.argmax(1), responses.shape[2])
    return flat.max(1), orientation, period


def gabors_drawn(filters: Tensor, rows: dict[str, np.ndarray]) -> Figure:
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
            each.imshow(filter_picture(filters[unit]))
            each.set_axis_on()
            each.set_xticks([])
            each.set_yticks([])
            each.spines[:].set(color="#CA0020" if share > 0 else "#0571B0", alpha=abs(share), lw=3)
    return figure
