"""Visualizing Weights (Voss et al., 2021): how to read weights, between layers near and far."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from matplotlib.figure import Figure
from scipy.signal import convolve2d
from scipy.stats import spearmanr
from torch import Tensor
from torch.nn.functional import conv2d, cosine_similarity

from visioncircuits.comparison.symmetry import correlation, sums_by_angle
from visioncircuits.networks import Network, Unit
from visioncircuits.stimuli import StimulusSet, circle, color_contrast
from visioncircuits.thread import (
    Article,
    Plate,
    Row,
    Study,
    Unavailable,
    batched,
    here,
    inception,
    interval,
    middle,
    null,
    paper,
    part,
)
from visioncircuits.thread.tiles import FILE, matched, read_tiles
from visioncircuits.tuning import measure
from visioncircuits.tuning.achromatic import black_and_white
from visioncircuits.weights import (
    ExpandedWeights,
    banding,
    banding_picture,
    connection_cards,
    expanded_weights,
    expanded_weights_by_autograd,
    kernel_grid,
    position_grid,
    position_view,
    reduced_kernels,
    signed_colors,
    strongest_inputs,
    surroundings,
)

Array = np.ndarray

ALIGNED = paper(
    "figure 4: an early curve excites a later one of its orientation, and inhibits one opposed",
    "mixed3b:342 from 145, 81 and 147",
)
BANDS = paper(
    "figure 5: among eight by eight curves, kernels are positive along the diagonal and negative "
    "along the band of opposed orientations",
    "0-30° +2.33, 30-60° +1.81, 60-90° +.26, 90-120° +.22, 120-150° -1.10, 150-180° -2.86",
)
OPPOSED = paper(
    "figures 7 and 8: two factors of the weights into high-low frequency detectors, each other's "
    "negative",
    "correlations -.987 to -.998 from conv2d2",
)
SURROUND = paper(
    "figure 9: black-and-white detectors inhibit mixed3b:208 in the center and excite it around",
    "from 208, 210, 197, 214, 223",
)
STRONG = paper(
    "figure 12: conv2d2:89 is strong in 110 and 112, and weak in 345 that both feed",
    "max .92 and .38, expanded -.17 to +.24",
)
CANCELED = paper("figure 12: the paths through 110 and 112 cancel", "it cancels")


@part(ALIGNED, BANDS, OPPOSED, SURROUND, STRONG, CANCELED)
def published_weights(study: Study) -> Iterator[Row | Plate]:
    """The published weights.

    Kernels were read off the article's figures. A kernel shows where a unit of the layer before
    excites (red) and inhibits (blue).
    """
    yield from published_curves(study)
    with np.load(study.published("hilo_nmf_spatial_factors_fig9.npz")) as arrays:
        pairs = [
            (arrays[name], arrays[name.replace("HF", "LF")])
            for name in arrays
            if name.endswith("conv2d2__HF")
        ]
    opposed = sorted(correlation(*pair) for pair in pairs)
    yield OPPOSED.found(
        f"{opposed[-1]:.3f} to {opposed[0]:.3f}",
        holds=(f"{opposed[-1]:.3f}", f"{opposed[0]:.3f}") == ("-0.987", "-0.998"),
        why="Recomputed from the maps of six detectors; see High-Low Frequency Detectors.",
    )
    path = study.published(FILE)
    ninth = {tile.unit: tile.kernel for tile in read_tiles(path, "VisualizingWeights Fig9")}
    centers = {unit: kernel[2, 2] for unit, kernel in ninth.items()}
    rings = {unit: around(kernel) for unit, kernel in ninth.items()}
    yield SURROUND.found(
        ", ".join(f"{unit} {centers[unit]:+.2f} / {rings[unit]:+.2f}" for unit in ninth),
        holds=all(centers[unit] < rings[unit] and rings[unit] > 0 for unit in ninth),
        why="Weight in the middle / mean of the eight around it; holds where all are positive "
        "around, and more so than in the middle.",
    )
    yield from published_paths(path)


def published_curves(study: Study) -> Iterator[Row | Plate]:
    """Test the kernels from curves to curves."""
    path = study.published(FILE)
    table = json.loads(study.published("curve_preferred_orientations.json").read_text("utf-8"))
    early, late = (
        {int(unit): peak["argmax_deg"] for unit, peak in table["units"][layer].items()}
        for layer in ("mixed3a", "mixed3b")
    )
    fourth = {tile.unit: tile.kernel for tile in read_tiles(path, "VisualizingWeights Fig4")}
    ends = {unit: abs((early[int(unit)] - late[342] + 180) % 360 - 180) for unit in fourth}
    order = sorted(fourth, key=lambda unit: ends[unit])
    sums = [float(fourth[unit].sum()) for unit in order]
    yield ALIGNED.found(
        ", ".join(f"{unit} ({ends[unit]:.0f}° away) {total:+.2f}"
                  for unit, total in zip(order, sums, strict=True)),
        holds=sums == sorted(sums, reverse=True) and sums[0] > 0 > sums[-1],
        why="Sums of the kernels, by the angle between the orientations, which stimuli gave.",
    )  # fmt: skip
    with np.load(study.published("curves_3a_to_3b_fig5_weights.npz")) as arrays:
        kernels = arrays["weights"].astype(float)
        rows, columns = arrays["rows3b"].tolist(), arrays["cols3a"].tolist()
    targets = np.array([late[unit] for unit in rows])
    sources = np.array([early[unit] for unit in columns])
    means = sums_by_angle(kernels, targets, sources)["sum"].to_numpy()
    published = ["+2.33", "+1.81", "+0.26", "+0.22", "-1.10", "-2.86"]
    yield BANDS.found(
        ", ".join(f"{value:+.2f}" for value in means),
        holds=[f"{value:+.2f}" for value in means] == published,
        interval=f"correlation of sum and cosine {cosine(kernels, targets, sources):.2f}",
        why="Mean sums of 64 kernels by the angle between orientations.",
    )
    yield Plate(
        "published-curves",
        kernel_grid(labeled(kernels, rows, columns, targets, sources)),
        "Figure 5 from its own numbers: curves of mixed3a (across) to curves of mixed3b (down), "
        "both by orientation.",
    )


def published_paths(path: Path) -> Iterator[Row | Plate]:
    """Test the paths of figure 12."""
    twelfth = {
        (tile.unit, tile.output): tile.kernel
        for tile in read_tiles(path, "VisualizingWeights Fig12")
    }
    first, second, expanded = (twelfth[89, output] for output in (110, 112, 345))
    measured = first.max(), second.max(), expanded.min(), expanded.max()
    yield STRONG.found(
        f"max {measured[0]:.2f} and {measured[1]:.2f}, expanded {measured[2]:+.2f} to "
        f"{measured[3]:+.2f}",
        holds=[f"{value:.2f}" for value in measured] == ["0.92", "0.38", "-0.17", "0.24"],
        why="Read off the figure.",
    )
    through = [convolve2d(twelfth[89, unit], twelfth[unit, 345]) for unit in (110, 112)]
    alike, whole = correlation(*through), np.linalg.norm(sum(through))
    yield CANCELED.found(
        f"correlation {alike:.2f}; {whole:.2f} of {sum(map(np.linalg.norm, through)):.2f} is left",
        holds=alike < -0.9,
        why="Each path's kernel is the convolution of its two; their correlation, and the norm of "
        "their sum against the sum of norms. Holds below -.9.",
    )
    yield Plate(
        "published-cancellation",
        paths([*through, expanded], ["through 110", "through 112", "expanded, published"]),
        "Figure 12 from its own numbers: conv2d2:89 to mixed3b:345 by either path, and as "
        "published over all paths, each over its own largest weight.",
    )


def around(kernel: Array) -> float:
    """Average the eight weights around the middle one."""
    middle_of = kernel.shape[0] // 2
    ring = kernel[middle_of - 1 : middle_of + 2, middle_of - 1 : middle_of + 2].copy()
    return float((ring.sum() - ring[1, 1]) / 8)


def cosine(kernels: Array, targets: Array, sources: Array) -> float:
    """Correlate the kernels' sums with the cosine of the angle between orientations."""
    return correlation(kernels.sum((2, 3)), np.cos(np.radians(targets[:, None] - sources)))


def labeled(
    kernels: Array, rows: Sequence[int], columns: Sequence[int], targets: Array, sources: Array
) -> ExpandedWeights:
    """Return published kernels as expanded weights, units by orientation."""
    down, across = np.argsort(targets), np.argsort(sources)
    return ExpandedWeights(
        torch.tensor(kernels[np.ix_(down, across)], dtype=torch.float32),
        tuple(Unit("mixed3a", columns[place]) for place in across),
        tuple(Unit("mixed3b", rows[place]) for place in down),
        (1, 1),
        (-2, -2),
        {},
    )


def paths(kernels: Sequence[Array], titles: Sequence[str]) -> Figure:
    """Draw kernels side by side, each over its own largest weight."""
    figure = Figure(figsize=(1.6 * len(kernels), 1.85), layout="constrained")
    for axes, kernel, title in zip(figure.subplots(1, len(kernels)), kernels, titles, strict=True):
        axes.imshow(signed_colors(kernel, float(np.abs(kernel).max())))
        axes.set(xticks=[], yticks=[])
        axes.set_title(f"{title}\nmax {np.abs(kernel).max():.2f}", fontsize=7)
    return figure


GRADIENT = here(
    "expanded weights are gradients of the network with its non-linear operations replaced by the "
    "closest linear ones",
    "by definition",
)
ORBITALS = here("expanded from conv2d1, kernels of mixed3b are 22 × 22", "22 × 22 (figure 13)")


@part(GRADIENT, ORBITALS)
def expanded_here(study: Study) -> Iterator[Row]:
    """Expanded weights.

    A max pool counts as an average pool, a rectifier as the identity. The library composes
    kernels; automatic differentiation of the replaced network has to give the same.
    """
    network, layer = study.network, study.layer("mixed3b")
    source, (rows, columns) = study.layer("conv2d1"), network.layer(layer).shape
    position = rows // 2, columns // 2
    units = study.rng("gradient").integers(0, network.layer(layer).units, 4)
    worst = 0.0
    for unit in units:
        ends = source, f"{layer}:{unit}"
        gradient = expanded_weights_by_autograd(network, *ends, position=position)
        composed = expanded_weights(network, *ends)
        top, left = (
            offset + stride * place - first
            for offset, stride, place, first in zip(
                composed.offset, composed.stride, position, gradient.offset, strict=True
            )
        )
        height, width = composed.weight.shape[2:]
        off = gradient.weight.clone()
        off[..., top : top + height, left : left + width] -= composed.weight
        worst = max(worst, float(off.abs().max() / gradient.weight.abs().max()))
    yield GRADIENT.found(
        f"relative difference at most {worst:.1g}",
        holds=worst < 1e-4,
        why=f"{len(units)} units of {layer}, drawn at random, from {source}.",
    )
    height, width = gradient.weight.shape[2:]
    yield ORBITALS.found(
        f"{height} × {width}",
        holds=(height, width) == (22, 22),
        why=f"The inputs of the largest branch of {layer} from {source}. Google's network, built "
        "alike, has kernels of the same size; the figure's rasters have a row and a column more.",
    )


FAMILY = here(
    "curves excite curves of their orientation and inhibit opposed ones",
    "correlation of the kernels' sums with the cosine of the angle .73 (figure 5)",
)
PATHS = here(
    "strong inputs of high-low frequency detectors cancel in the units that these feed most",
    "conv2d2:89 in 345",
)


@part(FAMILY)
def families_here(study: Study) -> Iterator[Row | Plate]:
    """Families in context.

    Kernels side by side, in the order of their units' preferred orientations.
    """
    network = study.network
    early, late = (study.detectors("curve", layer) for layer in ("mixed3a", "mixed3b"))
    weights = expanded_weights(network, early["unit"].tolist(), late["unit"].tolist())
    kernels = weights.weight.double().numpy()
    sources, targets = (table["orientation"].to_numpy(float) for table in (early, late))
    found, rng = cosine(kernels, targets, sources), study.rng("family")
    low, high = null(lambda drawn: cosine(kernels, targets, drawn), sources, rng, draws=2000)
    yield FAMILY.found(
        f"{found:.2f}",
        holds=found > high,
        interval=f"orientations shuffled: {low:.2f} to {high:.2f}",
        why=f"{len(sources)} × {len(targets)} kernels; orientations are measured by stimuli.",
    )
    names = [*early["unit"], *late["unit"]]
    yield Plate(
        "curves",
        kernel_grid(weights, study.thumbnails(names)),
        f"Figure 5 from {network.name}: curves of {weights.source} (across) to curves of "
        f"{weights.target} (down), both by orientation.",
    )


@part(PATHS)
def cancellation_here(study: Study) -> Iterator[Row]:
    """What cancels.

    A unit's effect two layers on may be weak, though each of the paths is strong.
    """
    units = study.detectors("high-low", "mixed3a")["unit"].tolist()
    left = remaining(study, units)
    others = [
        remaining(study, study.siblings(units, draw)) for draw in range(study.of(50, quick=20))
    ]
    yield PATHS.found(
        f"{left:.0%} of the paths' norms is left".replace("%", " %"),
        holds=bool(left < np.quantile(others, 0.05)),
        interval=f"siblings: {100 * min(others):.0f} to {100 * max(others):.0f} %",
        why="Median over the ten strongest inputs and the 20 outputs that they feed most, the norm "
        "of the sum of paths through all detectors over the sum of norms; holds below 95 % of "
        "draws.",
    )


def remaining(study: Study, units: Sequence[str]) -> float:
    """Compute the norm of the sum of paths over the sum of norms: a median over their ends."""
    network = study.network
    into = expanded_weights(network, study.layer("maxpool1"), units).weight
    onto = expanded_weights(network, units, study.layer("mixed3b")).weight
    inputs = into.square().sum((0, 2, 3)).argsort(descending=True)[:10]
    outputs = onto.square().sum((1, 2, 3)).argsort(descending=True)[:20]
    first, second = into[:, inputs].transpose(0, 1), onto[outputs]
    pad = [side - 1 for side in second.shape[2:]]
    through = torch.stack([  # (units, inputs, outputs, height, width): full convolutions
        conv2d(first[:, at : at + 1], second[:, at : at + 1].flip(2, 3), padding=pad)
        for at in range(len(units))
    ])  # fmt: skip
    norms = through.flatten(3).norm(dim=3).sum(0)
    return float((through.sum(0).flatten(2).norm(dim=2) / norms.clamp(min=1e-30)).median())


ABSENT = here(
    "units that detect an absence of color in the center: their color inputs inhibit there and "
    "excite around, their black-and-white inputs the other way round",
    "mixed3b:208: nine color inputs -1 to -.49 in the center, nine others +.29 to +.68",
)


@part(ABSENT)
def centre_here(study: Study) -> Iterator[Row | Plate]:
    """Figure 10: two layers at once.

    Five units are chosen by stimuli: those that gray discs on an even hue activate furthest beyond
    discs of a hue on gray and beyond that hue all over. An input's color is its response to hues
    of one brightness, against its response to black and white gratings.
    """
    network, layer = study.network, study.layer("mixed3b")
    lack = absence(network, layer)
    units = [f"{layer}:{unit}" for unit in np.argsort(-lack)[:5]]
    source = study.layer("maxpool1")
    weights = expanded_weights(network, source, units)
    before = study.layer("conv2d2")
    white = black_and_white(network, before)["white"].to_numpy(float).clip(0)
    hues = StimulusSet(
        color_contrast,
        {"orientation": range(0, 360, 45), "hue": range(0, 360, 30), "apart": (0.0, 180.0)},
    )
    colored = measure(network, before, hues).max(hues.dims).values.astype(float).clip(0)
    index = colored / (colored + white).clip(1e-9)
    contrasts, colors = [], []
    for unit in units:
        inputs = strongest_inputs(weights, unit, top=18)
        contrasts.append([center_less_ring(each.kernel.double().numpy()) for each in inputs])
        colors.append(
            [index[each.source.index] for each in inputs if isinstance(each.source, Unit)]
        )
    found, rng = ranked(contrasts, colors), study.rng("absence")
    shuffled = [
        ranked(contrasts, [rng.permutation(each).tolist() for each in colors]) for _ in range(1000)
    ]
    low, high = middle(shuffled)
    yield ABSENT.found(
        f"rank correlation {found:.2f}",
        holds=found < low,
        interval=f"inputs shuffled within a unit: {low:.2f} to {high:.2f}",
        why=f"Of an input's color with its kernel's middle less its rim, 18 strongest inputs of "
        f"{source} into each of five units ({', '.join(units)}), a mean over units.",
    )
    cards = sorted(
        strongest_inputs(weights, units[0], top=18),
        key=lambda each: -index[each.source.index] if isinstance(each.source, Unit) else 0.0,
    )
    names = [units[0], *(str(each.source) for each in cards)]
    yield Plate(
        "absence",
        connection_cards(cards, study.thumbnails(names), columns=9),
        f"Figure 10 from {network.name}: the 18 strongest inputs of {units[0]} from {source}, the "
        "most colored first.",
    )


def absence(network: Network, layer: str) -> Float[Array, " units"]:
    """Compute by how much gray on a hue activates units more than a hue on gray, or all over."""
    field = float(min(*network.layer(layer).receptive_field, network.size))
    axes, gray = {"radius": [field * part for part in (0.1, 0.15, 0.2)]}, "#808080"
    responses: dict[str, list[Array]] = {"inside": [], "outside": [], "all over": []}
    for hue in ("#bf4040", "#80bf40", "#40bfbf", "#8040bf"):
        for name, ink, ground in (
            ("inside", gray, hue), ("outside", hue, gray), ("all over", hue, hue)
        ):  # fmt: skip
            discs = StimulusSet(
                circle, axes, {"fill": 1.0, "width": 0.0, "ink": ink, "ground": ground}
            )
            responses[name].append(measure(network, layer, discs).max("radius").values)
    inside, outside, whole = (np.mean(each, 0) for each in responses.values())
    return np.asarray(inside - np.maximum(outside, whole))


def center_less_ring(kernel: Array) -> float:
    """Compute the mean of a kernel's middle less that of its rim, over its largest weight."""
    height, width = kernel.shape
    y, x = np.mgrid[:height, :width]
    away = np.hypot(y - (height - 1) / 2, x - (width - 1) / 2)
    inside = away <= height / 5
    return float(
        (kernel[inside].mean() - kernel[~inside].mean()) / max(np.abs(kernel).max(), 1e-30)
    )


def ranked(contrasts: Sequence[Sequence[float]], colors: Sequence[Sequence[float]]) -> float:
    """Average rank correlations over units."""
    pairs = zip(contrasts, colors, strict=True)
    return float(np.mean([spearmanr(*pair).statistic for pair in pairs]))


STRIPED = here(
    "reduced to three colors, kernels of mixed5b_5x5 are horizontal bands, those of mixed4d_5x5 "
    "are not",
    "share between rows .97 (mixed5b_5x5)",
)
PLACED = here(
    "a car neuron's inputs differ between above and below, more than between left and right",
    "figure 6: windows above, wheels below",
)


@part(STRIPED)
def reduced_here(study: Study) -> Iterator[Row | Plate]:
    """Kernels reduced to three colors."""
    shares = {}
    for name in ("mixed4d", "mixed5b"):
        branch, units = widest(study.network, study.layer(name))
        before = surroundings(study.network, study.layer(name)).before[0]
        places = np.linspace(0, len(units) - 1, study.of(32, quick=10)).round().astype(int)
        features = [Unit(study.layer(name), units[int(place)]) for place in places]
        kernels = reduced_kernels(
            expanded_weights(study.network, before, features), seed=study.seed
        )
        shares[name] = np.array(
            [banding(each[None]).rows for each in kernels if each.std((1, 2)).any()]
        )
        yield Plate(
            f"reduced-{name}",
            banding_picture(kernels[:10], columns=10),
            f"Neurons of {branch}, each reduced to three factors of its own, as red, green, blue.",
        )
    rng = study.rng("bands")
    spans = {name: interval(each, rng, statistic=np.mean) for name, each in shares.items()}
    yield STRIPED.found(
        f"{shares['mixed5b'].mean():.2f} against {shares['mixed4d'].mean():.2f}",
        holds=spans["mixed5b"][0] > spans["mixed4d"][1],
        interval=", ".join(f"{low:.2f} to {high:.2f}" for low, high in reversed(spans.values())),
        why="Share of the variance between rows; holds where intervals over neurons are apart.",
    )


def widest(network: Network, layer: str) -> tuple[str, range]:
    """Choose the branch of a layer with the largest kernels: in InceptionV1 the 5 × 5."""
    branches = network.branches(layer) or {layer: range(network.layer(layer).units)}
    before = surroundings(network, layer).before[0]

    def size(name: str) -> int:
        kernel = expanded_weights(network, before, f"{layer}:{branches[name][0]}").weight
        return 0 if name.endswith("pool_reduce") else kernel.shape[2]

    best = max(branches, key=size)
    return best, branches[best]


CARS = {407, 436, 468, 511, 609, 627, 656, 661, 717, 734, 751, 817}
"""ImageNet's numbers of cars, vans and cabs."""


@part(PLACED)
def by_position(study: Study) -> Iterator[Row | Plate]:
    """Weights position by position.

    Of the branch with the largest kernels, the unit that cars activate furthest beyond other
    photographs is decomposed: its input at each position is drawn.
    """
    network, layer = study.network, study.layer("mixed4c")
    everything = study.classified(10_000)
    inside = [at for at, label in enumerate(everything.labels) if label in CARS]
    rest = [at for at, label in enumerate(everything.labels) if label not in CARS]
    if len(inside) < 5:
        raise Unavailable(f"{len(inside)} photographs of cars; five are needed")
    rest = rest[:: max(len(rest) // study.of(200, quick=40), 1)]
    chosen, peaks = everything.part([*inside, *rest]), []
    for batch in batched(chosen):
        pixels = batch.pictures(network.size)
        with torch.inference_mode():
            peaks.append(network.activations(pixels, [layer])[layer].amax((2, 3)).cpu())
    values = torch.cat(peaks).double()
    cars, others = values[: len(inside)], values[len(inside) :]
    apart = (cars.mean(0) - others.mean(0)) / (values.std(0) + 1e-9)
    branch, units = widest(network, layer)
    unit = max(units, key=lambda each: float(apart[each]))
    before = surroundings(network, layer).before[0]
    weights = expanded_weights(network, before, [Unit(layer, each) for each in units])
    kernels = weights.weight.double()
    vertical, horizontal = (mirror_likeness(kernels, axis) for axis in (2, 3))
    differ = (horizontal - vertical).numpy()
    mine = differ[unit - units[0]]
    share = float((differ >= mine).mean())
    yield PLACED.found(
        f"mirrored top to bottom {float(vertical[unit - units[0]]):.2f}, left to right "
        f"{float(horizontal[unit - units[0]]):.2f}",
        holds=share <= 0.05 and mine > 0,
        interval=f"{share:.0%} of {branch} differ as much".replace("%", " %"),
        why=f"{layer}:{unit}, of {branch} the one that {len(inside)} photographs of cars "
        "activate furthest beyond others; correlation of its kernels with themselves mirrored. "
        "Holds where at most 5 % of the branch differ as much.",
    )
    view = position_view(weights, f"{layer}:{unit}")
    strengths = view.magnitude.flatten().argsort(descending=True)[: study.of(25, quick=6)].tolist()
    directions = [view.directions[at // view.magnitude.shape[1]][at % view.magnitude.shape[1]]
                  for at in strengths]  # fmt: skip
    drawn = study.thumbnails(directions)
    yield Plate(
        "positions",
        position_grid(view, drawn),
        f"Figure 6 from {network.name}: the inputs of {layer}:{unit} in {before} at each "
        f"position, the fainter the less; the {len(drawn)} strongest are drawn.",
    )


def mirror_likeness(
    kernels: Float[Tensor, "out in height width"], axis: int
) -> Float[Tensor, " out"]:
    """Correlate each output's kernels with themselves mirrored along an axis."""
    flat, turned = (each.flatten(1) for each in (kernels, kernels.flip(axis)))
    flat, turned = (each - each.mean(1, keepdim=True) for each in (flat, turned))
    return cosine_similarity(flat, turned)


SHOWN = {
    figure: inception(
        f"the kernels of {figure.rpartition(' ')[0]} {figure.rpartition(' ')[2]}", published
    )
    for figure, published in {
        "ZoomIn OrientedDogHeads": "mixed4a:308 to mixed4b:443 (figure 3)",
        "VisualizingWeights Fig4": "147, 81, 145 to mixed3b:342",
        "VisualizingWeights Fig5": "8 × 8 curves, six kernels in doubt left out",
        "VisualizingWeights Fig9": "208, 210, 197, 214, 223 to mixed3b:208",
        "VisualizingWeights Fig11": "110, 112, 117, 70, 86 to mixed3b:345",
        "VisualizingWeights Fig12": "conv2d2:89 to 110, 112 and 345",
    }.items()
}
INPUTS = (58, 86, 59, 23, 92, 4, 178, 43, 36, 29, 38, 90, 70, 189, 67, 159, 54, 137)
TOP = inception(
    "figure 10: the 18 strongest inputs of mixed3b:208 in conv2d2, and their middles",
    f"{', '.join(map(str, INPUTS))}; nine -1 to -.49, nine +.29 to +.68",
)
UNNAMED = inception("figure 13: nine units of conv2d1 orbit in mixed3b:268", "units not labeled")


@part(*SHOWN.values(), TOP, UNNAMED)
def in_google_s_network(study: Study) -> Iterator[Row]:
    """The published units, in Google's network."""
    network = study.inceptionv1()
    for figure, claim in SHOWN.items():
        tiles = [tile for tile in read_tiles(study.published(FILE), figure)
                 if figure.startswith("Vis") or (tile.unit, tile.output) == (308, 443)]  # fmt: skip
        yield matched(claim, network, tiles)
    inputs = strongest_inputs(expanded_weights(network, "maxpool1", "mixed3b:208"), top=18)
    found = {each.source.index: each.kernel for each in inputs if isinstance(each.source, Unit)}
    shared = found.keys() & {*INPUTS}
    middles = {
        unit: float(kernel[kernel.shape[0] // 2, kernel.shape[1] // 2])
        for unit, kernel in found.items()
    }
    signs = [(middles[unit] < 0) == (unit in INPUTS[:9]) for unit in shared]
    yield TOP.found(
        f"{len(shared)} of 18, {sum(signs)} with the published sign",
        holds=len(shared) >= 16 and all(signs),
        why="By L2 norm; holds at 16 or more, all with their sign.",
    )
    yield UNNAMED.untestable("the figure does not name its units")


ARTICLE = Article(
    "Visualizing Weights",
    "Voss, Cammarata, Goh, Petrov, Schubert, Egan, Lim, Olah, 2021",
    "https://distill.pub/2020/circuits/visualizing-weights/",
    "How to read the weights between neurons: in the context of what they join, over several "
    "layers at once, and with many inputs reduced to a few.",
    (
        published_weights,
        expanded_here,
        families_here,
        cancellation_here,
        centre_here,
        reduced_here,
        by_position,
        in_google_s_network,
    ),
)
