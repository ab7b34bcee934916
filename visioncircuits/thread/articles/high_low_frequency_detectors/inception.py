"""The published units, in Google's network."""

from collections.abc import Generator, Iterator, Mapping, Sequence

import numpy as np

from visioncircuits.comparison.symmetry import correlation
from visioncircuits.hypotheses import find
from visioncircuits.networks import Network
from visioncircuits.stimuli import named
from visioncircuits.thread import Row, Study, inception, part
from visioncircuits.thread.articles.high_low_frequency_detectors.published import (
    BOUNDARIES,
    DIRECTIONS,
    FAMILY,
)
from visioncircuits.thread.articles.high_low_frequency_detectors.weights import factors
from visioncircuits.thread.tiles import FILE as TILE_FILE
from visioncircuits.thread.tiles import matched, read_tiles
from visioncircuits.thread.units import numbers
from visioncircuits.tuning import circular, measure, orientation_tuning
from visioncircuits.weights import Factors, expanded_weights

CONTENTS: Mapping[str, Mapping[str, Mapping[int, float]]] = {
    "conv2d2": {
        "high": {119: 0.929, 102: 0.731, 123: 0.661, 90: 0.593, 173: 0.550},
        "low": {89: 0.442, 163: 0.410, 98: 0.376, 188: 0.362, 158: 0.340},
    },
    "conv2d1": {
        "high": {30: 0.857, 41: 0.814, 55: 0.641, 51: 0.531, 16: 0.521},
        "low": {4: 0.493, 46: 0.480, 1: 0.448, 33: 0.433, 29: 0.418},
    },
}
FACTORS = {
    layer: inception(
        f"the factors' strongest units of {layer} are those published",
        "; ".join(
            f"{factor}: " + ", ".join(f"{unit} {weight}" for unit, weight in units.items())
            for factor, units in contents.items()
        ),
    )
    for layer, contents in CONTENTS.items()
}
TILES = inception(
    "the kernels of figure 5, from pooled conv2d2 into 110, 136 and 112, are those of the network",
    "24 kernels",
)
TURNS = inception(
    "six detectors prefer the published directions",
    ", ".join(f"{unit}: {angle:g}°" for unit, angle in DIRECTIONS.items()),
)
MEMBERS = inception("the library's test finds the fifteen published units", "15")
STRONGEST = inception(
    "the 20 units of mixed3b that the fifteen feed most are those published",
    ", ".join(map(str, BOUNDARIES)),
)
SAME = inception(
    "kernels into mixed3b:345 are alike from detectors of any direction, correlation with 110's",
    "112 .99, 132 .94, 117 .99, 108 .99, 70 .98, 86 .97, 186 .82",
)
COUNTER = inception(
    "not all weights follow the two factors: conv2d2:181 into mixed3a:70 is a counterexample",
    "shown, no number",
)


@part(*FACTORS.values(), TILES, TURNS, MEMBERS, STRONGEST, SAME, COUNTER)
def in_google_s_network(study: Study) -> Iterator[Row]:
    """The published units, in Google's network."""
    network = study.inceptionv1()
    names = [f"mixed3a:{unit}" for unit in FAMILY]
    found = yield from google_factors(network, names)
    tiles = read_tiles(study.published(TILE_FILE), "HighLow Fig5")
    yield matched(TILES, network, tiles, least=0.999)
    stimuli = named("high-low").isel(orientation=slice(0, None, 10), ratio=slice(0, None, 5))
    units = [f"mixed3a:{unit}" for unit in DIRECTIONS]
    means = orientation_tuning(measure(network, units, stimuli))["mean"].values
    off = circular.angular_distance(means, np.array([*DIRECTIONS.values()]))
    yield TURNS.found(
        f"at most {np.max(off):.0f}° away",
        holds=bool((off <= 15).all()),
        why="Circular means; holds within 15°, for the size of the published stimuli is not known.",
    )
    table = find(network, "mixed3a", "high-low", seed=study.seed)
    inside = {*numbers(table["unit"])}
    yield MEMBERS.found(
        f"{len(inside & {*FAMILY})} of 15, and {len(inside - {*FAMILY})} others",
        holds=len(inside & {*FAMILY}) >= 12 and len(inside - {*FAMILY}) <= 5,
        why="Holds at twelve or more, with five others at most.",
    )
    kernels = expanded_weights(network, names, "mixed3b").weight.double()
    most = np.argsort(-kernels.square().sum((1, 2, 3)).numpy())[:20]
    shared_units = {int(unit) for unit in most} & {*BOUNDARIES}
    yield STRONGEST.found(
        f"{len(shared_units)} of 20",
        holds=len(shared_units) == 20,
        why="L2 norm over all fifteen detectors.",
    )
    into = dict(zip(FAMILY, kernels[345].numpy(), strict=True))
    published = {112: 0.99, 132: 0.94, 117: 0.99, 108: 0.99, 70: 0.98, 86: 0.97, 186: 0.82}
    same = {unit: correlation(into[unit], into[110]) for unit in published}
    yield SAME.found(
        ", ".join(f"{unit} {value:.2f}" for unit, value in same.items()),
        holds=all(abs(same[unit] - value) <= 0.02 for unit, value in published.items()),
        why="Within .02, as well as pictures are read.",
    )
    odd = expanded_weights(network, "maxpool1:181", "mixed3a:70").weight[0, 0].numpy()
    maps = found["conv2d2"].spatial.weight[FAMILY.index(70)].numpy()
    fit = max(abs(correlation(each, odd)) for each in maps)
    yield COUNTER.found(
        f"correlation with either factor's map at most {fit:.2f}",
        holds=fit < 0.5,
        why="Holds where the kernel is like neither, below .5.",
    )


def google_factors(
    network: Network, names: Sequence[str]
) -> Generator[Row, None, dict[str, Factors]]:
    """Compare the factors' strongest units with the published ones; return the factors."""
    found = {
        layer: factors(network, {"conv2d2": "maxpool1"}.get(layer, layer), names)
        for layer in CONTENTS
    }
    for layer, contents in CONTENTS.items():
        listed = [{u.index: w for u, w in found[layer].units(at)} for at in (0, 1)]
        listed.sort(key=lambda units: -len(units.keys() & contents["high"].keys()))
        shared = [len(units.keys() & contents[f].keys())
                  for f, units in zip(("high", "low"), listed, strict=True)]  # fmt: skip
        yield FACTORS[layer].found(
            "; ".join(
                f"{factor}: " + ", ".join(f"{unit} {weight:.3f}" for unit, weight in units.items())
                for factor, units in zip(("high", "low"), listed, strict=True)
            ),
            holds=min(shared) >= 4,
            why="Weights of length 1 in all, the published on a scale of their own; holds where "
            "four of the five units of each are the published ones.",
        )
    return found
