"""Do facets show of a polysemantic unit what they were fitted to, and do random ones not?

Photographs of animals and of vehicles, one a class, are dealt into two halves. Facets are fitted
to the first: each group against the other and photographs of other things. Units that both groups
activate are found by their strongest photographs. Each facet's pictures, from several seeds, are
classified by the network's own classes, as the group with the larger sum of probabilities, and by a
probe of a later layer, fitted to the second half. Controls are facets with the same weights on
other units of the same layers, and facets fitted after the photographs' groups are shuffled. With
`--one-kind` it asks instead what a facet makes of a unit that only animals activate.

The weight of 5, the layers and the size were chosen on the unit of `--tuned`; nothing was changed
for the others. Writes the rows of the page, and `--sheet`, the pictures by weight.

It is one experiment from beginning to end, which is why it has some 320 lines.
"""

import argparse
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

import results
from visioncircuits.datasets import photographs
from visioncircuits.featurevis import (
    Facet,
    Settings,
    Transforms,
    Visualization,
    contact_sheet,
    faceted,
    render,
    render_all,
)
from visioncircuits.featurevis.probes import Probe, probe
from visioncircuits.networks import Direction, Network, load
from visioncircuits.networks.class_names import class_numbers
from visioncircuits.progress import bar

GROUPS = ("animals", "vehicles")
ANIMALS = range(398)
"""Of ImageNet's classes in the order of WordNet."""
VEHICLES = (
    "ambulance", "beach wagon", "cab", "convertible", "jeep", "limousine", "minivan", "Model T",
    "racer", "sports car", "fire engine", "garbage truck", "pickup", "tow truck", "trailer truck",
    "moving van", "police van", "recreational vehicle", "school bus", "minibus", "trolleybus",
    "streetcar", "passenger car", "electric locomotive", "steam locomotive", "bullet train",
    "freight car", "airliner", "airship", "warplane", "space shuttle", "aircraft carrier",
    "container ship", "liner", "speedboat", "fireboat", "lifeboat", "canoe", "gondola",
    "catamaran", "trimaran", "schooner", "yawl", "pirate", "submarine", "wreck", "amphibian",
    "half track", "tank", "snowmobile", "snowplow", "forklift", "tractor", "harvester", "thresher",
    "go-kart", "golfcart", "moped", "motor scooter", "mountain bike", "bicycle-built-for-two",
    "tricycle", "unicycle", "bobsled", "dogsled", "horse cart", "oxcart", "jinrikisha",
    "mobile home",
)  # fmt: skip
LAYERS = ("mixed4a", "mixed4b", "mixed4c")
"""Of the facets."""
LATER = ("mixed4d", "mixed4e")
"""Of the units."""
JUDGE = "mixed5b"
"""Of the probe that classifies pictures."""
WEIGHT = 5.0
SHOWN = (0.1, 1.325, 2.55, 3.775, 5.0)
"""Weights of the sheet's columns."""
STRONGEST = 12
"""Photographs of a unit, whose groups are counted."""
Rule = Callable[[Mapping[str, np.ndarray]], np.ndarray]
"""From a value of each unit by group to one of each unit."""
TRANSFORMS = Transforms(jitter=8, scale=0.08, rotation=8)


def main() -> None:
    """Measure, and write the rows and the sheet."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--images", type=Path, required=True, help="one photograph a class")
    parser.add_argument("--tuned", default="mixed4e:521")
    parser.add_argument("--units", type=int, default=2, help="how many others")
    parser.add_argument("--one-kind", action="store_true", help="units of animals only")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--steps", type=int, default=48)
    parser.add_argument("--size", type=int, default=112)
    parser.add_argument("--sheet", type=Path, help="the pictures of the first two units, .png")
    results.option(parser)
    options = parser.parse_args()

    network = load("bvlc_googlenet")
    seen = look(network, options.images)
    facets = {group: seen.facet(group) for group in GROUPS}
    print(*facets.values(), sep="\n")
    if options.one_kind:
        units = seen.of_animals(options.units)
    else:
        units = [options.tuned, *seen.polysemantic(options.units + 1)]
        units = list(dict.fromkeys(units))[: options.units + 1]
    settings = Settings(size=options.size, steps=options.steps, transforms=TRANSFORMS)
    rows = []
    for unit in units:
        measures = [steered] if options.one_kind else [steered, controlled]
        for measure in measures:
            for row in measure(network, unit, facets, seen, settings, options.seeds):
                rows.append(row)
                print(*row.values(), sep=" | ", flush=True)
    results.write(options.json, rows)
    if options.sheet is not None:
        draw(network, units[:2], facets, settings, options.sheet)


@dataclass(frozen=True)
class Seen:
    """Photographs' groups, and their activations: mean and largest over positions."""

    groups: np.ndarray
    mean: dict[str, Float[np.ndarray, "photographs _"]]
    largest: dict[str, Float[np.ndarray, "photographs _"]]

    def halves(self, half: int) -> np.ndarray:
        """Return which photographs are in a half, each group dealt in turn."""
        chosen = np.zeros(len(self.groups), bool)
        for group in np.unique(self.groups):
            chosen[np.flatnonzero(self.groups == group)[half::2]] = True
        return chosen

    def facet(self, group: str, *, shuffled: int | None = None) -> Facet:
        """Fit a facet to the first half, as `facets.fit` does."""
        half = self.halves(0)
        inside = self.groups[half] == group
        if shuffled is not None:
            inside = np.random.default_rng(shuffled).permutation(inside)
        directions, accuracies = [], {}
        for layer in LAYERS:
            values = self.mean[layer][half]
            found = probe(values[inside], values[~inside])
            directions.append(Direction(layer, found.weights, name=group))
            accuracies[layer] = found.accuracy
        return Facet(group, tuple(directions), accuracies)

    def judge(self) -> Probe:
        """Fit the probe that classifies pictures, to the second half."""
        half = self.halves(1)
        values = self.mean[JUDGE]
        inside, outside = (values[half & (self.groups == group)] for group in GROUPS)
        return probe(inside, outside)

    def polysemantic(self, count: int) -> list[str]:
        """Find units that both groups activate more than other things do.

        At least five of a unit's twelve strongest photographs are of either group. First is the
        one with the largest ratio of the weaker group to the others, by the mean of the five
        strongest photographs of each.
        """
        return self._first(
            count,
            lambda counts: np.minimum(counts["animals"], counts["vehicles"]) >= 5,
            lambda means: np.minimum(means["animals"], means["vehicles"]) / means["others"],
        )

    def of_animals(self, count: int) -> list[str]:
        """Find units of which all of the twelve strongest photographs are of animals.

        First is the one with the largest ratio of animals to vehicles.
        """
        return self._first(
            count,
            lambda counts: counts["animals"] == STRONGEST,
            lambda means: means["animals"] / means["vehicles"],
        )

    def _first(self, count: int, chosen: Rule, order: Rule) -> list[str]:
        found = []
        for layer in LATER:
            values = self.largest[layer]
            strongest = self.groups[np.argsort(-values, axis=0)[:STRONGEST]]
            kinds = (*GROUPS, "others")
            ratios = order(
                {
                    kind: np.sort(values[self.groups == kind], axis=0)[-5:].mean(0) + 1e-6
                    for kind in kinds
                }
            )
            passing = chosen({kind: (strongest == kind).sum(0) for kind in kinds})
            found += [(ratios[index], f"{layer}:{index}") for index in np.flatnonzero(passing)]
        return [unit for _, unit in sorted(found, reverse=True)[:count]]


def look(network: Network, folder: Path) -> Seen:
    """Run the network on a third of the animals, all vehicles, and an eighth of the rest."""
    given = photographs(folder)
    vehicles = class_numbers(VEHICLES, network.classes)
    groups = np.array(
        [
            "animals" if label in ANIMALS else "vehicles" if label in vehicles else "others"
            for label in given.labels
        ]
    )
    places = np.concatenate(
        [
            np.flatnonzero(groups == "animals")[::3],
            np.flatnonzero(groups == "vehicles"),
            np.flatnonzero(groups == "others")[::8],
        ]
    )
    chosen = given.part(list(places))
    layers = [*LAYERS, *LATER, JUDGE]
    mean: dict[str, list[np.ndarray]] = {layer: [] for layer in layers}
    largest: dict[str, list[np.ndarray]] = {layer: [] for layer in layers}
    with bar("photographs", len(chosen)) as advance, torch.inference_mode():
        for pictures in chosen.batches(network.size, 16):
            for layer, maps in network.activations(pictures, layers).items():
                mean[layer].append(maps.mean((2, 3)).numpy())
                largest[layer].append(maps.amax((2, 3)).numpy())
            advance(len(pictures))
    return Seen(groups[places], _joined(mean), _joined(largest))


def _joined(parts: dict[str, list[np.ndarray]]) -> dict[str, Float[np.ndarray, "photographs _"]]:
    return {layer: np.concatenate(each) for layer, each in parts.items()}


def steered(
    network: Network,
    unit: str,
    facets: dict[str, Facet],
    seen: Seen,
    settings: Settings,
    seeds: int,
) -> Iterator[dict[str, results.Cell]]:
    """Render a unit with each facet, and classify the pictures."""
    for group, facet in facets.items():
        goal = faceted(network, unit, facet, weights=[WEIGHT] * seeds)
        pictures = list(render_all(network, goal, settings=settings))
        yield row(network, unit, group, pictures, [group] * seeds, seen)


def controlled(
    network: Network,
    unit: str,
    facets: dict[str, Facet],
    seen: Seen,
    settings: Settings,
    seeds: int,
) -> Iterator[dict[str, results.Cell]]:
    """Render it with what are no facets, another in each picture, and without any."""
    controls = {
        "the weights on other units": [
            permuted(facets[GROUPS[seed % 2]], seed) for seed in range(seeds)
        ],
        "groups shuffled": [seen.facet(GROUPS[seed % 2], shuffled=seed) for seed in range(seeds)],
    }
    for name, drawn in controls.items():
        pictures = [
            render(
                network, faceted(network, unit, facet, weights=[WEIGHT]), settings=settings,
                seed=seed,
            )
            for seed, facet in enumerate(drawn)
        ]  # fmt: skip
        yield row(network, unit, name, pictures, [facet.name for facet in drawn], seen)
    plain = [render(network, unit, settings=settings, seed=seed) for seed in range(seeds)]
    yield row(network, unit, "none, counted as animals", plain, ["animals"] * seeds, seen)


def permuted(facet: Facet, seed: int) -> Facet:
    """Return a facet with its weights on other units, at random."""
    rng = np.random.default_rng(seed)
    return Facet(
        facet.name,
        tuple(
            Direction(d.layer, rng.permutation(d.weights), name=d.name) for d in facet.directions
        ),
    )


@torch.inference_mode()
def row(
    network: Network,
    unit: str,
    name: str,
    pictures: Sequence[Visualization],
    own: Sequence[str],
    seen: Seen,
) -> dict[str, results.Cell]:
    """Count the pictures that are classified as their own group; without a facet, as animals."""
    layer, index = unit.split(":")
    best = float(seen.largest[layer][:, int(index)].max())
    shown = torch.stack([picture.picture for picture in pictures])
    classes = network(shown).softmax(1)
    vehicles = sorted(class_numbers(VEHICLES, network.classes))
    sums = {"animals": classes[:, ANIMALS].sum(1), "vehicles": classes[:, vehicles].sum(1)}
    first: Tensor = sums["animals"] > sums["vehicles"]
    maps = network.activations(shown, [JUDGE])[JUDGE]
    inside = seen.judge().inside(maps.mean((2, 3)).numpy())
    is_animal = np.array([group == "animals" for group in own])
    total = len(pictures)
    probability = [sums[group][place].item() for place, group in enumerate(own)]
    return {
        "unit": unit,
        "facet": name,
        "own group, by classes": f"{int((first.numpy() == is_animal).sum())} of {total}",
        "own group, by a probe": f"{int((inside == is_animal).sum())} of {total}",
        "probability of the own group, median": round(statistics.median(probability), 2),
        "activation over the best photograph's, median": round(
            statistics.median(picture.activation for picture in pictures) / best, 1
        ),
    }


def draw(
    network: Network, units: Sequence[str], facets: dict[str, Facet], settings: Settings, path: Path
) -> None:
    """Draw a row for each unit and facet, from the smallest weight to the largest."""
    goals = [
        faceted(network, unit, facet, weights=SHOWN) for unit in units for facet in facets.values()
    ]
    pictures = list(render_all(network, goals, settings=settings, size=144, steps=80, batch=5))
    captions = [f"{group} × {weight:g}" for _ in units for group in facets for weight in SHOWN]
    sheet = contact_sheet(pictures, captions=captions, columns=len(SHOWN))
    sheet.savefig(path, dpi=200)


if __name__ == "__main__":
    main()
