"""The dog circuit, and cars in superposition."""

from collections.abc import Callable, Generator, Iterator, Sequence

import numpy as np
from jaxtyping import Float
from scipy.stats import binomtest

from visioncircuits.comparison import mirrored
from visioncircuits.examples.roc import auc
from visioncircuits.thread import Plate, Row, Study, here, part
from visioncircuits.thread.articles.zoom_in.cars import cards
from visioncircuits.thread.articles.zoom_in.detectors import detector, maxima, spatial
from visioncircuits.thread.claims import SHUFFLED
from visioncircuits.thread.intervals import middle
from visioncircuits.weights import expanded_weights, strongest_inputs, strongest_outputs

TURNED = here(
    "dog features of mixed4a come in pairs facing left and right", "mixed4a 308, 222 and 234, 235"
)
UNION = here("dog detectors of mixed4b are excited by both cases of a pair", "both cases")
MIRRORED = here(
    "the two cases enter a dog detector by kernels that are mirror images", "0.98 and 0.96"
)


@part(TURNED, UNION, MIRRORED, stand_ins=(SHUFFLED,))
def dog_circuit(study: Study) -> Iterator[Row | Plate]:
    """The dog circuit.

    Two units are a pair if one responds to photographs as the other does to their mirror images,
    each more so than any other unit and than itself. Dog units separate dogs from other
    photographs in 80% of pairs.
    """
    network, before, layer = study.network, study.layer("mixed4a"), study.layer("mixed4b")
    dogs, others = maxima(study, "dogs", before), maxima(study, "rest", before)
    doggy = np.flatnonzero(auc(dogs, others) >= 0.8)
    pairs = facing(dogs, maxima(study, "dogs", before, flip=True), doggy)
    rng = study.rng("pairs")
    by_chance = len(facing(dogs, rng.permuted(maxima(study, "dogs", before, flip=True)), doggy))
    yield TURNED.found(
        f"{len(pairs)} pairs among {len(doggy)} dog units of {before}",
        holds=len(pairs) >= 2 and len(pairs) > by_chance,
        interval=f"{by_chance} with shuffled photographs",
        why="Holds from two pairs, if chance gives fewer.",
    )
    inside = spatial(network, layer)
    scores = auc(maxima(study, "dogs", layer), maxima(study, "rest", layer))
    targets = [unit for unit in np.argsort(-scores) if unit in set(inside)][:10]
    if not pairs or scores[targets[0]] < 0.8:
        for claim in (UNION, MIRRORED):
            yield claim.untestable(f"{len(pairs)} pairs of dog units found in {before}")
        return
    sums = yield from both_cases(study, pairs, doggy, targets, rng)
    place = {int(unit): at for at, unit in enumerate(doggy)}
    strongest_pair = max(pairs, key=lambda pair: sums[0, [place[unit] for unit in pair]].min())
    every = strongest_inputs(
        expanded_weights(network, before, f"{layer}:{targets[0]}"),
        top=network.layer(before).units,
    )
    pair_ = {f"{before}:{unit}" for unit in strongest_pair}
    connections = [connection for connection in every if str(connection.source) in pair_]
    yield Plate(
        "dog",
        cards(study, connections, columns=4),
        f"A dog detector, {layer}:{targets[0]}, and a pair of {before} that face left and right.",
    )


def both_cases(
    study: Study,
    pairs: Sequence[tuple[int, int]],
    doggy: np.ndarray,
    targets: Sequence[int],
    rng: np.random.Generator,
) -> Generator[Row, None, Float[np.ndarray, "targets doggy"]]:
    """Test the kernels from both cases of each pair; return the sums of all kernels."""
    network, before, layer = study.network, study.layer("mixed4a"), study.layer("mixed4b")
    weights = expanded_weights(
        network,
        [f"{before}:{unit}" for unit in doggy],
        [f"{layer}:{unit}" for unit in targets],
    ).weight.cpu().numpy()  # fmt: skip
    place = {int(unit): at for at, unit in enumerate(doggy)}
    sums = weights.sum((2, 3))

    def over(test: Callable[[int, int, int], float], couples: Sequence[tuple[int, int]]) -> float:
        return float(np.mean([test(row, place[a], place[b]) for row in range(len(weights))
                              for a, b in couples]))  # fmt: skip

    strangers = [
        [(int(a), int(b)) for a, b in (rng.choice(doggy, 2, replace=False) for _ in pairs)]
        for _ in range(200)
    ]
    for claim, measured, test in (
        (UNION, "{:.0%} of kernels excite in both cases",
         lambda row, a, b: float(sums[row, a] > 0 and sums[row, b] > 0)),
        (MIRRORED, "mean mirrored correlation {:.2f}",
         lambda row, a, b: mirrored(weights[row, a], weights[row, b])),
    ):  # fmt: skip
        value = over(test, pairs)
        low, most = middle([over(test, couples) for couples in strangers])
        yield claim.found(
            measured.format(value),
            holds=value > most,
            interval=f"{low:.2f} to {most:.2f} for dog units that are no pair",
            why=f"{len(pairs)} pairs, {len(targets)} dog detectors of {layer}. Holds above the "
            "interval.",
        )
    return np.asarray(sums)


def facing(
    straight: Float[np.ndarray, "photographs units"],
    flipped: Float[np.ndarray, "photographs units"],
    units: np.ndarray,
) -> list[tuple[int, int]]:
    """Pair units of which each responds to mirror images as the other does to photographs."""
    if not len(units):
        return []
    one, other = (
        (values[:, units] - values[:, units].mean(0)) / values[:, units].std(0).clip(1e-9)
        for values in (straight, flipped)
    )
    alike = one.T @ other / len(one)
    best = alike.argmax(1)
    return [
        (int(units[at]), int(units[partner]))
        for at, partner in enumerate(best)
        if at < partner and best[partner] == at and alike[at, partner] > 0.5
    ]


SPREAD = here(
    "the car detector excites detectors of dogs in the next layer", "mixed4d 241, 277, 417"
)
BOTH = here("units of mixed4d respond to cars and to dogs", "3")


@part(SPREAD, BOTH, stand_ins=(SHUFFLED,))
def superposition(study: Study) -> Iterator[Row | Plate]:
    """Cars in superposition.

    The article's car detector is pure, and is then spread over dog detectors of the next layer.
    """
    network, layer, after = study.network, study.layer("mixed4c"), study.layer("mixed4d")
    car, _, _ = detector(study, layer, "cars", ("dogs", "rest"), spatial(network, layer))
    rest = maxima(study, "rest", after)
    dogs, cars = (auc(maxima(study, group, after), rest) for group in ("dogs", "cars"))
    weights = expanded_weights(network, f"{layer}:{car}", after)
    sums = weights.weight.sum((2, 3))[:, 0].cpu().numpy()
    strong = sums > np.quantile(sums, 0.9)
    doggy = dogs >= 0.75
    count, total = int((strong & doggy).sum()), int(doggy.sum())
    chance = binomtest(count, max(total, 1), 0.1, alternative="greater").pvalue
    named = [f"{after}:{unit}" for unit in np.flatnonzero(strong & doggy)]
    yield SPREAD.found(
        f"{count} of {total} dog units are among the tenth that {layer}:{car} excites most",
        holds=count >= 3 and chance < 0.05,
        interval=f"10% by chance, P = {chance:.2g}",
        why="Dog units separate dogs from the rest in 75% of pairs. Holds from three units and "
        f"beyond chance. {', '.join(named[:6])}",
    )
    both = np.flatnonzero(doggy & (cars >= 0.75))
    expected = doggy.mean() * (cars >= 0.75).mean() * len(cars)
    excited = float((sums[both] > 0).mean()) if len(both) else 0.0
    yield BOTH.found(
        f"{len(both)} units",
        holds=len(both) >= 3,
        interval=f"{expected:.1f} were the two independent",
        why="Units that separate either from the rest in 75% of pairs; holds from three. The car "
        f"detector excites {excited:.0%} of them.",
    )
    outputs = strongest_outputs(weights, top=network.layer(after).units)
    targets = {f"{after}:{unit}" for unit in both}
    connections = [each for each in outputs if str(each.target) in targets][:8]
    if connections:
        yield Plate(
            "superposition",
            cards(study, connections),
            f"The car detector {layer}:{car} and the units of {after} that respond to cars and to "
            "dogs, by the weight from it.",
        )
