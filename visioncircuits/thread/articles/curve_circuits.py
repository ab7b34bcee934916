"""Curve Circuits (Cammarata et al., 2021): how curve detectors are built, and built by hand."""

import inspect
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np
import torch
import xarray as xr
from PIL import Image
from scipy.ndimage import zoom

from visioncircuits import comparison, engine, handwritten, interventions
from visioncircuits.comparison.handwritten import CONTROLS, HANDWRITTEN
from visioncircuits.gallery import report
from visioncircuits.interventions import edited, path_patched, zero
from visioncircuits.networks import Feature, LayerGraph, Network, Unit, parse, read_families
from visioncircuits.stimuli import (
    StimulusSet,
    circle,
    curve,
    double_curve,
    evolute,
    line,
    named,
    spiral,
)
from visioncircuits.thread import (
    Article,
    Claim,
    Plate,
    Row,
    Study,
    Unavailable,
    here,
    inception,
    interval,
    middle,
    numbers,
    paper,
    part,
)
from visioncircuits.tuning import measure, orientation_tuning
from visioncircuits.tuning.circular import angular_distance, width
from visioncircuits.weights import (
    expanded_weights,
    kernel_grid,
    position_grid,
    position_view,
    strongest_inputs,
    strongest_outputs,
)

Array = np.ndarray

LINES = (227, 0, 75, 146, 69, 169, 57, 154, 27, 134, 150, 240)
"""The twelve simple lines of mixed3a that the article's code lists; its text counts eleven."""

# Published data


WIDE = paper("lines of mixed3a tolerate edges that are off by about 10 to 45 degrees", "10 to 45°")
ALIKE = paper(
    "the hand-set curve detectors respond to curves as the trained ones do", "“identical” by eye"
)
RECOVERED = paper(
    "hand-set curve detectors bring back more than half of the accuracy that removal costs",
    "88.6 %, 86.3 % removed, 87.6 % with them; 46 and 20 photographs of 2,000",
)
ECHOES = paper(
    "without inhibition the detectors echo at 180 degrees: median echo original, of early curves "
    "only, of their positive weights only",
    ".01, .00, .24",
)


@part(WIDE, ALIKE, RECOVERED, ECHOES)
def published_figures(study: Study) -> Iterator[Row | Plate]:
    """The article's own data.

    Line tuning of all units of mixed3a, and the heat maps of the trained and of the hand-set
    curve detectors, as the article drew them.
    """
    yield RECOVERED.found(
        f"{(87.6 - 86.3) / (88.6 - 86.3):.0%}; {(88.6 - 86.3) * 20:.0f} and "
        f"{(88.6 - 87.6) * 20:.0f} photographs",
        holds=(87.6 - 86.3) / (88.6 - 86.3) > 0.5,
        why="From the printed percentages.",
    )
    yield ECHOES.unavailable("the three files of this figure are not among the published data")
    with np.load(study.published("mixed3a_line_tuning_256x360.npz")) as data:
        lines = data["resp"][list(LINES)].astype(float)
    half = width(lines.clip(0), period=180.0) / 2
    yield WIDE.found(
        f"{half.min():.0f} to {half.max():.0f}°, median {np.median(half):.0f}°",
        holds=bool((half >= 10).all() and (half <= 45).all()),
        why=f"Half of the width at half height of the {len(LINES)} simple lines.",
    )
    with np.load(study.published("curve_heatmaps_sigma.npz")) as data:
        trained, written = data["aann_natural"], data["aann_artificial"]
    alike = np.array([
        np.corrcoef(resized(trained[row]).ravel(), resized(written[row]).ravel())[0, 1]
        for row in range(len(trained))
    ])  # fmt: skip
    others = np.array([
        np.corrcoef(resized(trained[row]).ravel(), resized(written[other]).ravel())[0, 1]
        for row in range(len(trained)) for other in range(len(written)) if other != row
    ])  # fmt: skip
    yield ALIKE.found(
        f"r = {np.median(alike):.2f} in the median, {alike.min():.2f} to {alike.max():.2f}",
        holds=bool(alike.min() > np.quantile(others, 0.975)),
        interval=f"with another's map {np.quantile(others, 0.025):.2f} to "
        f"{np.quantile(others, 0.975):.2f}",
        why="Correlation of the two published maps of each detector; holds where every one is "
        "above what the maps of other detectors give.",
    )


def resized(values: Array) -> Array:
    """Bring a published heat map to one size."""
    return zoom(values.astype(float), (28 / values.shape[0], 360 / values.shape[1]), order=1)


# How they are built


AGREE = here(
    "early curves excite curves of their own orientation",
    "positive where orientations agree (147→379, 81→385, …)",
)
OPPOSE = here("early curves inhibit curves of the opposite orientation", "negative at 180°")
RIGHT_ANGLES = here("early curves neither excite nor inhibit at right angles", "about zero at 90°")
ARC = here(
    "the kernel between curves of one orientation is an arc of the later one's curvature",
    "the tile follows the arc",
)
TANGENT = here(
    "lines of conv2d2 excite the curves whose tangent they are",
    "line detectors tile the curve along its tangents",
)
ACROSS = here("lines of conv2d2 inhibit the curves that they cross", "negative across")
SHARES = here(
    "at their strongest position detectors are made of curves and lines",
    "mixed3a: Curves 22, Lines 16 %; conv2d2: Line 47 %",
)
ALONG = here(
    "taken apart by position, the weights into a curve detector lie along its curve",
    "by eye, conv2d0 to mixed3a",
)
EARLY_ONLY = here("driven by early curves alone, curves do not echo", "median echo .00")
POSITIVE_ONLY = here(
    "driven by the positive weights of early curves alone, curves echo: inhibition removes echoes",
    "median echo .24, up to .66",
)
DOWNSTREAM = here(
    "curves are used for circles, spirals, double curves and evolutes in mixed4a",
    "circles, S, spirals, divots, evolutes",
)
PARAMETERS = here("curve detection involves more than 50,000 parameters", "more than 50,000")
FEWER = here(
    "symmetry leaves few free numbers: rotation saves 10 to 20 times, all together 50",
    "about 50 times",
)
TUNED = here(
    "hand-set curve detectors respond to curves as the trained ones do", "“identical” by eye"
)
WEIGHTS = here("hand-set kernels are like the trained ones, where curves agree", "by eye")
MAPS = here("they fire at the same places of photographs", "by eye")
REPAIRED = here(
    "in the place of the trained ones they repair more than half of what removal costs",
    "57 % of top-5 accuracy (2,000 photographs)",
)
CLEAR = here(
    "what they repair, misaligned, permuted and untrained donors do not", "no control published"
)


@part(AGREE, OPPOSE, RIGHT_ANGLES, ARC)
def curves_from_curves(study: Study) -> Iterator[Row | Plate]:
    """Curves from early curves.

    Kernels from the curve detectors of mixed3a to those of mixed3b, both found by stimuli alone.
    The null shuffles which of the detectors has which orientation.
    """
    early, late = (study.detectors("curve", layer) for layer in ("mixed3a", "mixed3b"))
    weights = expanded_weights(study.network, list(early["unit"]), list(late["unit"]))
    size = f"{len(early)} × {len(late)} kernels, {weights.source} → {weights.target}"
    yield Plate(
        "curves-from-curves",
        kernel_grid(weights, size=48),
        f"{size}: early curves across, curves down, both in the order of their orientation. Red "
        "excites, blue inhibits.",
    )
    kernels = weights.weight.numpy()
    sums = kernels.sum((2, 3)) / np.abs(kernels.sum((2, 3))).max()
    theirs, ours = (table["orientation"].to_numpy(float) for table in (early, late))
    apart = angular_distance(ours[:, None], theirs[None, :])
    rng, draws = study.rng("curves"), study.of(10_000, quick=1000)
    shuffles = [rng.permutation(len(theirs)) for _ in range(draws)]
    for claim, (least, most), sign in (
        (AGREE, (0, 30), 1),
        (OPPOSE, (150, 180), -1),
        (RIGHT_ANGLES, (75, 105), 0),
    ):
        yield signed(claim, sums, (apart >= least) & (apart <= most), sign, shuffles)
    stride = max(study.network.layer(weights.target).stride)
    bend = late["radius"].to_numpy(float) / stride
    arcs, bent_back = (arc(ours + more, bend, kernels.shape[-1]) for more in (0.0, 180.0))
    rows, columns = np.nonzero(apart <= 45)
    rather = alike(kernels[rows, columns], arcs) > alike(kernels[rows, columns], bent_back)
    pairs = np.arange(len(rows))
    found = float(rather[pairs, rows].mean())
    chance = [
        float(rather[pairs, order[rows]].mean())
        for order in (rng.permutation(len(ours)) for _ in range(draws))
    ]
    low, high = middle(chance)
    yield ARC.found(
        f"{found:.2f} of {len(rows)} kernels are more like the arc than like the arc bent back",
        holds=found > high,
        interval=f"chance {low:.2f} to {high:.2f}",
        why="Pairs within 45°; the later detector's arc of its preferred radius, through the "
        "kernel's middle. A kernel of 5 × 5 hardly bends: the arc's sagitta is below a neuron.",
    )


def signed(claim: Claim, sums: Array, mask: Array, sign: int, shuffles: Sequence[Array]) -> Row:
    """Compare the mean of masked kernels' sums with shuffled sources."""
    if not mask.any():
        raise Unavailable("no two detectors found are that far apart")
    found = float(sums[mask].mean())
    low, high = middle([sums[:, order][mask].mean() for order in shuffles])
    holds = {1: found > max(high, 0), -1: found < min(low, 0), 0: abs(found) < 0.1}[sign]
    rule = {
        1: "positive and above chance",
        -1: "negative and below chance",
        0: "within a tenth of the largest about zero",
    }[sign]
    return claim.found(
        f"{found:+.2f} of the largest, mean of {mask.sum()} kernels' sums",
        holds=bool(holds),
        interval=f"chance {low:+.2f} to {high:+.2f}",
        why=f"Holds where {rule}.",
    )


def arc(orientations: Array, radii: Array, size: int) -> Array:
    """Draw an arc through the middle of a kernel, for each orientation, in neurons."""
    drawn = curve(
        orientation=torch.tensor(orientations), radius=torch.tensor(radii), width=1.5, size=size
    )
    return drawn.mask[:, 0].numpy()


def alike(kernels: Array, templates: Array) -> Array:
    """Correlate each kernel with each template."""
    one, other = (each.reshape(len(each), -1) for each in (kernels, templates))
    one, other = (each - each.mean(1, keepdims=True) for each in (one, other))
    norms = np.linalg.norm(one, axis=1)[:, None] * np.linalg.norm(other, axis=1)[None, :]
    return one @ other.T / norms.clip(1e-12)


@part(TANGENT, ACROSS)
def curves_from_lines(study: Study) -> Iterator[Row | Plate]:
    """Curves from lines.

    Expanded weights from units of conv2d2 that are tuned to the orientation of lines (half width
    at most 30 degrees, driven as far as half of the layer or further) to the curve detectors of
    mixed3b. A line is a curve's tangent where it lies at right angles to its orientation.
    """
    late = study.detectors("curve", "mixed3b")
    layer = study.layer("conv2d2")
    axes = {"orientation": np.arange(0, 180, 7.5).tolist(), "width": (1.67, 3.34)}
    responses = measure(study.network, layer, StimulusSet(line, axes)).clip(min=0)
    tuned = orientation_tuning(responses)
    peaks = np.nan_to_num(tuned["peak"].values)
    strong = peaks >= np.median(peaks[peaks > 0])
    units = np.flatnonzero(strong & (tuned["width"].values <= 60))
    if len(units) < 3:
        raise Unavailable(f"{len(units)} units of {layer} are tuned to the orientation of lines")
    facing = tuned["orientation"].values[units]
    order = np.argsort(facing)
    units, facing = units[order], facing[order]
    sources = [str(Unit(layer, int(unit))) for unit in units]
    weights = expanded_weights(study.network, sources, list(late["unit"]))
    yield Plate(
        "curves-from-lines",
        kernel_grid(weights, size=40),
        f"{len(sources)} units of {layer} that are tuned to the orientation of lines (across) into "
        f"{len(late)} curve detectors of {weights.target} (down), by orientation. Red excites, "
        "blue inhibits.",
    )
    sums = weights.weight.numpy().sum((2, 3))
    sums = sums / np.abs(sums).max()
    tangents = (late["orientation"].to_numpy(float) + 90) % 180
    apart = angular_distance(tangents[:, None], facing[None, :], period=180.0)
    rng = study.rng("lines")
    shuffles = [rng.permutation(len(sources)) for _ in range(study.of(10_000, quick=1000))]
    yield signed(TANGENT, sums, apart <= 22.5, 1, shuffles)
    yield signed(ACROSS, sums, apart >= 67.5, -1, shuffles)


@part(SHARES)
def made_of(study: Study) -> Iterator[Row | Plate]:
    """What the strongest position is made of.

    The article gives each family's share of the weights at the strongest position of 3b:379:
    in mixed3a Curves 22, Lines 16, Angles 16 %, in conv2d2 Line 47 %. Here: the share of the
    absolute weights at each detector's strongest position that comes from curves and lines that
    were found by stimuli, against the share of all units that they are.
    """
    late = study.detectors("curve", "mixed3b")
    measured, holds = [], []
    for layer, families in (("mixed3a", ("curve", "line")), ("conv2d2", ("line",))):
        weights = expanded_weights(study.network, study.layer(layer), list(late["unit"]))
        strength = weights.weight.abs()
        places = strength.sum(1).flatten(1).argmax(1)
        at = strength.flatten(2).gather(
            2, places[:, None, None].expand(-1, strength.shape[1], 1)
        )[..., 0]  # fmt: skip
        share = (at / at.sum(1, keepdim=True)).numpy()
        for family in families:
            units = numbers(study.found(family, layer)["unit"])
            mean, even = share[:, units].sum(1).mean(), len(units) / share.shape[1]
            measured.append(f"{layer} {family}s {mean:.0%} (of {even:.0%} of the units)")
            holds.append(len(units) > 0 and mean > even)
    yield SHARES.found(
        "; ".join(measured),
        holds=all(holds),
        why="Holds where every family has more than its share of the units.",
    )


@part(EARLY_ONLY, POSITIVE_ONLY)
def echoes(study: Study) -> Iterator[Row | Plate]:
    """Why there are no echoes.

    Responses to the published curves are measured while all units of mixed3a but its curve
    detectors are ablated; then, in addition, the edge from every early curve whose kernel sums
    below zero is. The echo is what the opposite orientation adds before the rectifier, over the
    peak.
    """
    network = study.network
    early, late = (study.detectors("curve", layer) for layer in ("mixed3a", "mixed3b"))
    targets = list(late["unit"])[:: study.of(1, quick=3)]
    sources = list(early["unit"])
    stimuli = named("curves").isel(orientation=slice(0, None, study.of(1, quick=2)))
    layer = study.layer("mixed3a")
    chosen = {*numbers(sources)}
    others = [Unit(layer, u) for u in range(network.layer(layer).units) if u not in chosen]
    kernels = expanded_weights(network, sources, targets).weight.sum((2, 3))
    original = echo_of(drive(network, targets, stimuli))
    with edited(network, others, zero()):
        alone = echo_of(drive(network, targets, stimuli))
        positive = []
        for row, target in enumerate(targets):
            negative = [sources[place] for place in np.flatnonzero(kernels[row] < 0)]
            with ExitStack() as stack:
                if negative:
                    place = unrectified(network, target)  # where it is measured
                    stack.enter_context(path_patched(network, negative, place, zero()))
                positive.append(echo_of(drive(network, [target], stimuli))[0])
    note = f"median of {len(targets)} detectors; original {np.median(original):.2f}"
    low, high = interval(np.array(positive) - alone, study.rng("echoes"), statistic=np.mean)
    yield EARLY_ONLY.found(f"{np.median(alone):.2f}", holds=np.median(alone) < 0.1, why=note)
    yield POSITIVE_ONLY.found(
        f"{np.median(positive):.2f}",
        holds=low > 0,
        interval=f"more than with all their weights by {low:.2f} to {high:.2f}",
        why="95 % of the mean difference, drawn among detectors; holds where it is above 0. The "
        "early curves here were found by a test that lets none echo above .1, the article's echo "
        "up to .53.",
    )


def drive(network: Network, targets: Sequence[str], stimuli: StimulusSet) -> xr.DataArray:
    """Measure what stimuli add before the rectifier, so that no threshold hides an echo."""
    before = [unrectified(network, target) for target in targets]
    blank = stimuli.isel(orientation=[0], radius=[0]).fix(ink="white")
    responses = measure(network, before, stimuli)
    return responses - measure(network, before, blank).squeeze(("orientation", "radius"), drop=True)


def unrectified(network: Network, unit: str) -> str:
    """Name a unit's value before its rectifier."""
    layer = parse(unit).layer
    return unit.replace(layer, network.before_rectifier(layer))


def echo_of(responses: xr.DataArray) -> Array:
    """Return each unit's response to the opposite orientation, over its peak."""
    return np.nan_to_num(orientation_tuning(responses.clip(min=0))["echo"].values)


@part(ALONG)
def decomposed(study: Study) -> Iterator[Row | Plate]:
    """Decomposed feature visualization.

    The weights into a detector are taken apart by position: each position is a direction in the
    earlier layer, drawn by feature visualization, the fainter the smaller its weights. The claim
    is put as a number: the magnitude over positions is an arc, rather than that arc turned.
    """
    late = study.detectors("curve", "mixed3b")
    layer = study.layer("mixed3a")
    weights = expanded_weights(study.network, layer, list(late["unit"]))
    size = weights.weight.shape[-1]
    stride = max(study.network.layer(weights.target).stride)
    magnitude = weights.weight.square().sum(1).sqrt().numpy()
    facing = late["orientation"].to_numpy(float)
    radii = late["radius"].to_numpy(float) / stride
    turns = range(0, 360, 15)
    own = np.stack(
        [np.diag(alike(magnitude, arc(facing + degrees, radii, size))) for degrees in turns]
    )
    best = np.array(turns)[own.argmax(0)]
    off = angular_distance(best.astype(float), np.zeros(len(best)), period=180.0)
    rng = study.rng("decomposed")
    chance = [np.median(angular_distance(rng.choice(turns, len(best)).astype(float),
                                         np.zeros(len(best)), period=180.0))
              for _ in range(2000)]  # fmt: skip
    low, high = middle(chance)
    yield ALONG.found(
        f"{np.median(off):.0f}° off in the median of {len(best)}",
        holds=float(np.median(off)) < low,
        interval=f"chance {low:.0f} to {high:.0f}°",
        why="The turn of the detector's arc that correlates best with the magnitude of the weights "
        f"from {layer} over {size} × {size} positions, modulo 180°.",
    )
    target = str(late["unit"][int(late["peak"].argmax())])
    view = position_view(expanded_weights(study.network, layer, target))
    directions = [direction for row in view.directions for direction in row]
    order = view.magnitude.flatten().argsort(descending=True).tolist()
    drawn = [directions[place] for place in order[: study.of(len(order), quick=6)]]
    pictures = study.thumbnails(drawn)
    yield Plate(
        "decomposed",
        position_grid(view, pictures),
        f"{target} seen through {layer}, position by position: what activates each position's "
        f"weights most, the fainter the smaller they are; the {len(drawn)} strongest positions.",
    )


@part(DOWNSTREAM)
def used_for(study: Study) -> Iterator[Row | Plate]:
    """What curves are used for.

    The units of mixed4a that the family feeds most, by the norm of the positive weights, are
    tested with circles, spirals, double curves and evolutes. The null takes as many units at
    random.
    """
    network = study.network
    late = study.detectors("curve", "mixed3b")
    layer = study.layer("mixed4a")
    weights = expanded_weights(network, list(late["unit"]), layer)
    norms = weights.weight.clamp(min=0).square().sum((1, 2, 3)).sqrt().numpy()
    field = float(min(max(network.layer(layer).receptive_field), 180))
    radii = {"radius": tuple(field * part for part in (0.08, 0.14, 0.22))}
    around = range(0, 360, study.of(30, quick=90))
    turned = {**radii, "orientation": around}
    stroke = {"width": 3.0}
    shapes = {
        "circles": StimulusSet(circle, radii, stroke),
        "spirals": StimulusSet(spiral, {"orientation": around}, stroke),
        "double curves": StimulusSet(double_curve, turned, stroke),
        "evolutes": StimulusSet(evolute, turned, stroke),
    }
    straight = StimulusSet(line, {"orientation": range(0, 180, 15)}, stroke)
    plain = measure(network, layer, straight).max("orientation").values.clip(0)
    driven = np.max(
        [a.max([d for d in a.dims if d != "unit"]).values
         for a in (measure(network, layer, each) for each in shapes.values())], 0,
    ).clip(0)  # fmt: skip
    rather = (driven - plain) / (driven + plain).clip(1e-9)
    count = 20
    top = np.argsort(norms)[::-1][:count]
    rng = study.rng("downstream")
    chance = [rather[rng.choice(len(rather), count, replace=False)].mean() for _ in range(2000)]
    low, high = middle(chance)
    yield DOWNSTREAM.found(
        f"{rather[top].mean():+.2f}",
        holds=bool(rather[top].mean() > high),
        interval=f"chance {low:+.2f} to {high:+.2f}",
        why=f"(shapes − lines) / (shapes + lines), the strongest response to either, mean of the "
        f" {count} units of {layer} with the largest positive weights from the family.",
    )
    names = [str(Unit(layer, int(unit))) for unit in top[: study.of(12, quick=6)]]
    yield Plate(
        "used-for",
        thumbnails(study, names),
        f"The units of {layer} that the curve family excites most, by feature visualization: "
        f"{', '.join(names)}.",
    )


def thumbnails(study: Study, names: Sequence[str]) -> Image.Image:
    """Put pictures of features side by side."""
    drawn = [picture.resize((128, 128)) for picture in study.pictures(names)]
    row = Image.new("RGB", (len(drawn) * 136 - 8, 128), "white")
    for place, picture in enumerate(drawn):
        row.paste(picture, (place * 136, 0))
    return row


@part(PARAMETERS, FEWER)
def parameters(study: Study) -> Iterator[Row | Plate]:
    """How many parameters.

    What is counted is every weight on a path from the picture to the family, bottlenecks
    included; and of the hand-set network its weights, and the numbers that they follow from.
    """
    late = study.detectors("curve", "mixed3b")
    counted = weights_on_paths(study.network, [parse(unit) for unit in late["unit"]])
    yield PARAMETERS.found(
        f"{counted:,}",
        holds=counted > 50_000,
        why="All weights on paths from the picture; the article does not state which it counted.",
    )
    network = handwritten.curves()
    written = sum(int((p != 0).sum()) for p in network.module.parameters())
    free = len(inspect.signature(handwritten.curves).parameters)
    yield FEWER.found(
        f"{written:,} weights that are not 0, from {free} parameters",
        holds=written / free > 50,
        why="The hand-set network's; its formulas hold more constants than these.",
    )


def weights_on_paths(network: Network, units: Sequence[Feature]) -> int:
    """Count the weights on all paths from the picture to units of a layer."""
    module = network.module
    if not isinstance(module, LayerGraph):
        raise Unavailable(f"the graph of {network.name} is not known")
    counted = 0
    for name, branch in network.branches(units[0].layer).items():
        inside = sum(isinstance(unit, Unit) and unit.index in branch for unit in units)
        if inside:
            counted += _behind(module, f"{name}_pre_relu", inside)
    return counted


def _behind(module: LayerGraph, last: str, kept: int) -> int:
    """Count the weights of a layer, `kept` units of it, and of all before it."""
    waiting, seen, counted = [last], set[str](), 0
    while waiting:
        name = waiting.pop()
        if name in seen or name not in module.sources:
            continue
        seen.add(name)
        waiting += module.sources[name]
        for parameter in module.operation(name).parameters():
            counted += (
                parameter.numel() * kept // len(parameter) if name == last else parameter.numel()
            )
    return counted


# Built by hand


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
        layer=study.layer("mixed3b"),
        units=numbers(late["unit"]),
        photographs=photographs,
        photographs_without=study.of(200, quick=8),
        store=engine.Store(study.folder / "transplants"),
    )
    summary = report.summary(found)
    yield Plate(
        "tuning",
        report.tuning_figure(found),
        "Responses to the published curve sheet: orientation across, straight at the top, tight "
        "at the bottom; trained left, by hand right, each scaled to its own strongest.",
    )
    if found.kernels is not None:
        yield Plate(
            "kernels",
            report.kernel_figure(found),
            "Expanded weights from early curves to curves: trained above, by hand below.",
        )
    yield Plate(
        "repair",
        report.repair_figure(interventions.repair(found.scores), (HANDWRITTEN, *CONTROLS)),
        f"Share of the damage that each donor repairs, with 95 % intervals; {len(photographs)} "
        "photographs.",
    )
    yield from likeness(study, found, summary)
    yield from repairs(summary, len(photographs))


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
        yield WEIGHTS.found(
            f"r = {kernels['aligned']:.2f} in the median of {kernels['aligned_pairs']} pairs",
            holds=kernels["aligned"] > 0.6,
            why=f"Pairs within 30°; opposed pairs {kernels['opposed']:.2f}; sums over all pairs "
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

# By unit number


PAIRS = ((147, 379), (189, 406), (81, 385), (104, 343), (92, 342), (145, 388), (95, 324),
         (71, 340), (71, 330), (147, 349))  # fmt: skip
OPPOSED = ((145, 379), (71, 385), (147, 342), (81, 330))

DIAGONAL = inception(
    "ten pairs of an early curve and the curve of its orientation: mixed3a 147→379, 189→406, …",
    "all excite",
)
NEGATIVE = inception("four opposing pairs: 145→379, 71→385, 147→342, 81→330", "all inhibit")
SIGNS = inception("mixed3b:406: lines 27 and 187 against 154 and 57", "opposite signs")
STRONGEST = inception(
    "families at the strongest position of mixed3b:379",
    "conv2d0 Gabor 65, Color contrast 21; conv2d1 Complex Gabor 54, Gabor-like 23, Low frequency "
    "19; conv2d2 Line 47, Color contrast 19, Shifted line 9; mixed3a Curves 22, Lines 16, Angles "
    "16 %",
)
INPUTS = inception(
    "the ten strongest inputs of mixed3b:379 in mixed3a, from Captum's notebook",
    "95, 145, 147, 116, 77, 176, 187, 189, 87, 92",
)
OUTPUTS = inception(
    "the ten strongest outputs of mixed3b:379 in mixed4a, from Captum's notebook",
    "50, 437, 96, 398, 434, 423, 408, 436, 424, 168",
)
SHARED = {
    "conv2d0": {"Gabor Filters": 65, "Color Contrast": 21},
    "conv2d1": {"Complex Gabor": 54, "Gabor Like": 23, "Low Frequency": 19},
    "conv2d2": {"Line": 47, "Color Contrast": 19, "Shifted Line": 9},
    "mixed3a": {"Curves": 22, "Lines": 16, "Angles": 16},
}


@part(DIAGONAL, NEGATIVE, SIGNS, INPUTS, OUTPUTS, STRONGEST)
def by_number(study: Study) -> Iterator[Row | Plate]:
    """Google's own units.

    Kernels between the units that the article names.
    """
    network = study.inceptionv1()
    targets = sorted({target for _, target in (*PAIRS, *OPPOSED)} | {406})
    weights = expanded_weights(network, "mixed3a", [f"mixed3b:{unit}" for unit in targets])
    sums = dict(zip(targets, weights.weight.sum((2, 3)).numpy(), strict=True))
    exciting = sum(sums[target][source] > 0 for source, target in PAIRS)
    yield DIAGONAL.found(f"{exciting} of {len(PAIRS)} excite", holds=exciting == len(PAIRS))
    inhibiting = sum(sums[target][source] < 0 for source, target in OPPOSED)
    yield NEGATIVE.found(f"{inhibiting} of {len(OPPOSED)}", holds=inhibiting == len(OPPOSED))
    one, other = ([f"{sums[406][u]:+.2f}" for u in units] for units in ((27, 187), (154, 57)))
    signs = [{text[0] for text in texts} for texts in (one, other)]
    yield SIGNS.found(
        f"{', '.join(one)} against {', '.join(other)}",
        holds=[len(each) for each in signs] == [1, 1] and signs[0] != signs[1],
    )
    above = strongest_inputs(expanded_weights(network, "mixed3a", "mixed3b:379"), top=10)
    below = strongest_outputs(expanded_weights(network, "mixed3b:379", "mixed4a"), top=10)
    for claim, found in (
        (INPUTS, [connection.source for connection in above]),
        (OUTPUTS, [connection.target for connection in below]),
    ):
        listed = ", ".join(map(str, numbers(found)))
        yield claim.found(listed, holds=listed == claim.published)
    taxonomy = read_families(study.published("families_early_vision.json"))
    shares, close = [], []
    for layer, families in SHARED.items():
        strength = expanded_weights(network, layer, "mixed3b:379").weight[0].abs().flatten(1)
        at = strength[:, strength.sum(0).argmax()]
        for family, published in families.items():
            units = [unit.index for unit in taxonomy.units(layer, family)]
            share = 100 * float(at[units].sum() / at.sum())
            shares.append(f"{layer} {family} {share:.0f}")
            close.append(abs(share - published) <= 10)
    yield STRONGEST.found(
        ", ".join(shares) + " %",
        holds=all(close),
        why="Shares of the absolute expanded weights; the article's metric is not stated, so ten "
        "points of a hundred are allowed.",
    )


ARTICLE = Article(
    "Curve Circuits",
    "Cammarata, Goh, Carter, Voss, Schubert, Olah, 2021",
    "https://distill.pub/2020/circuits/curve-circuits/",
    "Curve detectors are built from lines and early curves by one rule: excite along the arc, "
    "inhibit what opposes it. The rule, set by hand, does most of the trained detectors' job.",
    (
        published_figures,
        curves_from_curves,
        curves_from_lines,
        made_of,
        echoes,
        decomposed,
        used_for,
        parameters,
        by_hand,
        by_number,
    ),
)
