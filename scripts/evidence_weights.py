"""Do the weights say what the Circuits thread read in them?

Units and their orientations are found by stimuli alone, with `visioncircuits.tuning.find`, so that
weights and tuning are independent. Prints a table: each claim as a number, with what chance gives
beside it, from shuffled labels or from as many units taken at random.

With a checkpoint of `inceptionv1` it also compares kernels with the published ones, and the two
lists of strongest inputs and outputs in Captum's notebook; without one it says that it could not.
"""

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from visioncircuits.circuits import centroids, odds
from visioncircuits.errors import InputError
from visioncircuits.networks import Direction, Network, Unit, load
from visioncircuits.stimuli import StimulusSet, circle, curve, sinusoidal_grating
from visioncircuits.tuning import find, measure
from visioncircuits.weights import (
    Factors,
    expanded_weights,
    one_sided_nmf,
    strongest_inputs,
    strongest_outputs,
)

Array = np.ndarray


@dataclass(frozen=True)
class Row:
    """A claim, and how far it holds.

    Attributes
    ----------
    number, chance
        A number that words may come with.
    of
        What it was counted on.
    """

    claim: str
    number: str
    chance: str
    of: str


@dataclass(frozen=True)
class Tuned:
    """Units of a layer with the orientations that they prefer, in degrees, and radii, in pixels."""

    layer: str
    units: list[str]
    orientations: Array
    radii: Array


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--network", default="bvlc_googlenet")
    parser.add_argument("--published", type=Path, help="a folder with weight_tiles.json")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--draws", type=int, default=20, help="of random units")
    parser.add_argument("--shuffles", type=int, default=10_000)
    parser.add_argument("--out", type=Path, help="the table as JSON too")
    options = parser.parse_args()

    network = load(options.network)
    rng = np.random.default_rng(options.seed)
    early, late = (tuned(network, layer) for layer in ("mixed3a", "mixed3b"))
    rows = [
        *agreement(network, early, late, rng, options.shuffles),
        *arcs(network, early, late, rng, options.shuffles),
        *boundaries(network, rng, options.draws),
        *black_and_white(network),
        *circles(network, late, rng, options.shuffles),
        *published(options.published),
    ]
    widths = [
        max(len(getattr(row, name)) for row in rows) for name in ("claim", "number", "chance")
    ]
    for row in rows:
        cells = zip((row.claim, row.number, row.chance), widths, strict=True)
        print("  ".join(text.ljust(width) for text, width in cells), row.of, sep="  ")
    if options.out is not None:
        options.out.write_text(json.dumps([asdict(row) for row in rows], indent=1))


def tuned(network: Network, layer: str) -> Tuned:
    """Find a layer's curve detectors."""
    found = find(network, "curve", layer)
    orientations, radii = (
        found[name].to_numpy(float, copy=True) for name in ("orientation", "radius")
    )
    return Tuned(layer, found["unit"].tolist(), orientations, radii)


def turn(orientations: Array, others: Array) -> Array:
    """Give the angles from each of the one to each of the others, -180 to 180 degrees."""
    return (others[None, :] - orientations[:, None] + 180) % 360 - 180


def shuffled(
    statistic: Callable[[Array], float], order: int, rng: np.random.Generator, shuffles: int
) -> str:
    """Say what a statistic of labels gives when these are shuffled: its 2.5 and 97.5 percent."""
    values = [statistic(rng.permutation(order)) for _ in range(shuffles)]
    low, high = np.quantile(values, (0.025, 0.975))
    return f"{low:.2f} to {high:.2f}"


def agreement(
    network: Network, early: Tuned, late: Tuned, rng: np.random.Generator, shuffles: int
) -> Iterator[Row]:
    """Curves excite curves of their orientation, and inhibit those opposed."""
    if min(len(early.units), len(late.units)) < 2:
        yield Row("curve → curve", "no curves found", "", "")
        return
    weights = expanded_weights(network, early.units, late.units)
    sums = weights.weight.sum((2, 3)).numpy()
    angles = np.abs(turn(late.orientations, early.orientations))
    of = f"{len(early.units)} × {len(late.units)} kernels, {early.layer} → {late.layer}"

    def share(mask: Array, sign: int) -> Callable[[Array], float]:
        return lambda order: float((sign * sums[:, order][mask] > 0).mean())

    def correlation(order: Array) -> float:
        return float(np.corrcoef(sums[:, order].ravel(), np.cos(np.radians(angles)).ravel())[0, 1])

    straight = np.arange(len(early.units))
    for claim, statistic in {
        "curve → curve: positive sums within 45°": share(angles <= 45, 1),
        "curve → curve: negative sums beyond 135°": share(angles >= 135, -1),
        "curve → curve: correlation of sum and cosine": correlation,
    }.items():
        chance = shuffled(statistic, len(straight), rng, shuffles)
        yield Row(claim, f"{statistic(straight):.2f}", chance, of)


def arcs(
    network: Network, early: Tuned, late: Tuned, rng: np.random.Generator, shuffles: int
) -> Iterator[Row]:
    """Among curves of an orientation, the weights follow the arc."""
    if min(len(early.units), len(late.units)) < 2:
        return
    kernels = expanded_weights(network, early.units, late.units).weight.numpy()
    size, stride = kernels.shape[-1], max(network.layer(late.layer).stride)
    rows, columns = np.nonzero(np.abs(turn(late.orientations, early.orientations)) <= 45)

    def alike(orientations: Array) -> Array:
        drawn = curve(orientation=orientations, radius=late.radii / stride, width=1.5, size=size)
        return np.array(
            [
                [correlated(kernels[row, column], arc) for arc in drawn.mask[:, 0].numpy()]
                for row, column in zip(rows, columns, strict=True)
            ]
        )

    own, bent_back = alike(late.orientations), alike(late.orientations + 180)
    pairs = np.arange(len(rows))

    def mean(order: Array) -> float:
        return float(own[pairs, order[rows]].mean())

    def rather(order: Array) -> float:
        return float((own[pairs, order[rows]] > bent_back[pairs, order[rows]]).mean())

    straight, of = np.arange(len(late.units)), f"{len(rows)} kernels of curves within 45°"
    for claim, statistic in {
        "curve → curve: correlation with the later one's arc, mean": mean,
        "curve → curve: more than with the arc bent back": rather,
    }.items():
        chance = shuffled(statistic, len(straight), rng, shuffles)
        yield Row(claim, f"{statistic(straight):.2f}", chance, of)


def boundaries(network: Network, rng: np.random.Generator, draws: int) -> Iterator[Row]:
    """High-low frequency detectors are two factors, each other's negative in space."""
    layer = "mixed3a"
    units = find(network, "high-low", layer)["unit"].tolist()
    if len(units) < 2:
        yield Row("high-low frequency detectors", f"{len(units)} found", "", layer)
        return
    branches = list(network.branches(layer).values())
    siblings = [next(b for b in branches if int(unit.split(":")[1]) in b) for unit in units]
    for source in ("conv2d2", "conv2d1"):
        found = one_sided_nmf(expanded_weights(network, source, units), 2)
        others = []
        for _ in range(draws):
            some = [f"{layer}:{rng.choice(branch)}" for branch in siblings]
            others.append(one_sided_nmf(expanded_weights(network, source, some), 2))
        of = f"{len(units)} detectors in {layer}, from {source}"
        chance = np.array([opposition(other) for other in others])
        mine = opposition(found)
        for claim, number, theirs in (
            ("median", np.median(mine), np.median(chance)),
            ("share at most -.9", (mine <= -0.9).mean(), (chance <= -0.9).mean()),
        ):
            yield Row(
                f"high-low: correlation of maps, {claim}", f"{number:.2f}", f"{theirs:.2f}", of
            )
        first, second = periods(network, found)
        apart = [max(pair) / min(pair) for pair in (periods(network, other) for other in others)]
        yield Row(
            "high-low: periods that the factors prefer",
            f"{first:.1f} and {second:.1f} px, ratio {max(first, second) / min(first, second):.2f}",
            f"ratio {np.median(apart):.2f}, 95 % below {np.quantile(apart, 0.95):.2f}",
            of,
        )


def opposition(factors: Factors) -> Array:
    """Correlate the two maps of each output."""
    maps = factors.spatial.weight.flatten(2).numpy()
    return np.array([np.corrcoef(pair)[0, 1] for pair in maps])


def periods(network: Network, factors: Factors) -> tuple[float, float]:
    """Find the period, in pixels, at the middle of what each factor answers to gratings."""
    period = np.geomspace(2.5, 30, 12)
    stimuli = StimulusSet(
        sinusoidal_grating,
        {"orientation": range(0, 180, 30), "period": period, "phase": range(0, 360, 45)},
    )
    directions = [Direction(d.layer, d.weights, name=d.name) for d in factors.directions]
    answers = measure(network, directions, stimuli).clip(min=0).mean(("orientation", "phase"))
    above = (answers - answers.min("period")).values
    first, second = np.exp((above * np.log(period)).sum(1) / above.sum(1).clip(1e-9)).tolist()
    return first, second


def black_and_white(network: Network) -> Iterator[Row]:
    """Detectors of black and white, against colour, sit in one branch."""
    layer = "mixed3a"
    axes = {"orientation": range(0, 180, 45), "period": (4, 8, 16), "phase": range(0, 360, 90)}

    def peaks(ink: str, ground: str) -> Array:
        stimuli = StimulusSet(sinusoidal_grating, axes, {"ink": ink, "ground": ground})
        return measure(network, layer, stimuli).max(("orientation", "period", "phase")).values

    white = peaks("white", "black")
    tints = ("f00", "ff0", "0f0", "0ff", "00f", "f0f")
    light, dark = (
        str.maketrans({"f": high, "0": low}) for high, low in (("ff", "7f"), ("7f", "00"))
    )
    tinted = [peaks("#" + tint.translate(light), "#" + tint.translate(dark)) for tint in tints]
    found = np.flatnonzero((np.max(tinted, 0) < white / 2) & (white > np.median(white)))
    branches = network.branches(layer)
    inside = {name: sum(unit in units for unit in found) for name, units in branches.items()}
    best = max(inside, key=lambda name: inside[name])
    total, size = network.layer(layer).units, len(branches[best])
    chance = odds(inside[best], len(found), size, total)
    yield Row(
        "black and white, not colour: in one branch",
        f"{inside[best]} of {len(found)} in {best}" if len(found) else "none found",
        f"P = {chance:.1g}" if len(found) else "",
        f"{total} units of {layer}, {size} of them in the branch",
    )


def circles(
    network: Network, curves: Tuned, rng: np.random.Generator, shuffles: int
) -> Iterator[Row]:
    """Circles are made of curves whose orientation is the direction in which they lie."""
    layer = "mixed4a"
    field = max(network.layer(layer).receptive_field)
    radii = tuple(field * part for part in (0.06, 0.1, 0.15, 0.22, 0.3))
    stroke = {"width": 3.0}
    round_ = measure(network, layer, StimulusSet(circle, {"radius": radii}, stroke)).max("radius")
    axes = {"orientation": range(0, 360, 30), "radius": (*radii, field)}
    bent = measure(network, layer, StimulusSet(curve, axes, stroke)).max(("orientation", "radius"))
    strong = round_.values > np.quantile(round_.values, 0.9)
    units = np.flatnonzero(strong & (round_.values > 2 * bent.values))
    if not len(units) or len(curves.units) < 2:
        yield Row("circles of curves", f"{len(units)} circle units found", "", layer)
        return
    weights = expanded_weights(network, curves.units, [f"{layer}:{unit}" for unit in units])
    places = centroids(weights.weight.numpy())
    placed = np.linalg.norm(places, axis=-1) > 0.5  # neurons from the middle: it has a direction
    exciting = placed & (weights.weight.sum((2, 3)).numpy() > 0)
    directions = np.degrees(np.arctan2(places[..., 1], places[..., 0]))

    def away(order: Array) -> Array:
        off = (directions - curves.orientations[order] + 180) % 360 - 180
        return np.abs(off[exciting])

    straight = np.arange(len(curves.units))
    of = f"{exciting.sum()} exciting kernels into {len(units)} circle units of {layer}"
    for claim, statistic, digits in (
        ("median degrees", lambda order: float(np.median(away(order))), 0),
        ("share within 45°", lambda order: float((away(order) <= 45).mean()), 2),
    ):
        yield Row(
            f"circles: from a curve's place to its orientation, {claim}",
            f"{statistic(straight):.{digits}f}",
            shuffled(statistic, len(straight), rng, shuffles),
            of,
        )


UNPOOLED = {
    ("conv2d2", "mixed3a"): "maxpool1",
    ("conv2d2", "mixed3b"): "maxpool1",
    ("mixed3b", "mixed4a"): "maxpool4",
}
"""Where a max pool lies between: the published tiles are of what comes out of it."""

CAPTUM_INPUTS = (95, 145, 147, 116, 77, 176, 187, 189, 87, 92)
CAPTUM_OUTPUTS = (50, 437, 96, 398, 434, 423, 408, 436, 424, 168)
"""Into and out of mixed3b:379, in mixed3a and mixed4a, strongest first."""


def published(folder: Path | None) -> Iterator[Row]:
    """Compare Google's own network with what was published of it."""
    try:
        network = load("inceptionv1")
    except InputError as error:
        yield Row("published kernels, Captum's lists", "could not be compared", "", str(error))
        return
    above = strongest_inputs(expanded_weights(network, "mixed3a", "mixed3b:379"), top=10)
    below = strongest_outputs(expanded_weights(network, "mixed3b:379", "mixed4a"), top=10)
    for claim, found, expected in (
        ("inputs", [connection.source for connection in above], CAPTUM_INPUTS),
        ("outputs", [connection.target for connection in below], CAPTUM_OUTPUTS),
    ):
        layer = network.layer(found[0].layer)
        listed = [Unit(layer.name, index) for index in expected]
        shared = len({*found} & {*listed})
        yield Row(
            f"Captum's ten strongest {claim} of mixed3b:379",
            "the same" if found == listed else f"{shared} of 10 the same",
            f"{100 / layer.units:.1f} of 10",
            f"{layer.units} units of {layer.name}",
        )
    if folder is None:
        yield Row("published kernels", "could not be compared", "", "give --published")
        return
    yield from tiles(network, json.loads((folder / "weight_tiles.json").read_text("utf-8")))


def tiles(network: Network, listed: Sequence[dict]) -> Iterator[Row]:
    """Correlate each published kernel with the network's, those known to be wrong left out."""
    pairs = []
    for told in listed:
        swapped = told["figure"] == "EarlyVision Boundary" and told["src_unit"] in (70, 86)
        named = told["src_layer"] in network.layers and isinstance(told["src_unit"], int)
        if told["note"] or swapped or not named:
            continue
        source, target = told["src_layer"], told["dst_layer"]
        source = UNPOOLED.get((source, target), source)
        weights = expanded_weights(
            network, f"{source}:{told['src_unit']}", f"{target}:{told['dst_unit']}"
        )
        tile = np.array(told["values"])
        pairs.append((fitted(weights.weight[0, 0].numpy(), tile.shape), tile))
    kernels = [kernel for kernel, _ in pairs]
    alike = [correlated(kernel, tile) for kernel, tile in pairs]
    others = [correlated(kernels[at - 1], tile) for at, (_, tile) in enumerate(pairs)]
    yield Row(
        "published kernels: correlation at least .999",
        f"{sum(value >= 0.999 for value in alike)} of {len(pairs)}, lowest {min(alike):.4f}",
        f"{sum(value >= 0.999 for value in others)} with the next pair's kernel",
        f"{len(listed) - len(pairs)} more are known to be bad, or of no unit",
    )


def correlated(kernel: Array, tile: Array) -> float:
    """Correlate two kernels, of one shape or cut to it; an empty one with nothing."""
    kernel = fitted(kernel, tile.shape)
    if not kernel.any() or not tile.any():
        return 0.0
    return float(np.corrcoef(kernel.ravel(), tile.ravel())[0, 1])


def fitted(kernel: Array, shape: tuple[int, ...]) -> Array:
    """Cut a kernel to a shape about its middle, or put zeros around it."""
    for axis, size in enumerate(shape):
        more = max(size - kernel.shape[axis], 0)
        kernel = np.pad(
            kernel, [(more // 2, more - more // 2) if a == axis else (0, 0) for a in (0, 1)]
        )
        first = (kernel.shape[axis] - size) // 2
        kernel = kernel.take(range(first, first + size), axis)
    return kernel


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
