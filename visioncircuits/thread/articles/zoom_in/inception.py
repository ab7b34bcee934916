"""The published units, in Google's network."""

from collections.abc import Iterator

import numpy as np
import torch

from visioncircuits.examples.roc import auc
from visioncircuits.networks import Network
from visioncircuits.thread import Plate, Row, Study, inception, part
from visioncircuits.thread.articles.zoom_in.published import CARS, DOGS
from visioncircuits.thread.tiles import FILE as TILES
from visioncircuits.thread.tiles import likeness, read_tiles
from visioncircuits.weights import expanded_weights

KERNELS = {
    figure: inception(f"the kernels of the {name} are those of the network", "published")
    for figure, name in {
        "ZoomIn CurveOrientations": "curve circuit",
        "ZoomIn CarCircuit": "car circuit",
        "ZoomIn OrientedDogHeads": "dog circuit",
    }.items()
}
INTO_DOGS = inception("mixed4c:447 (cars) feeds mixed4d 241, 277, 417 (dogs)", "241, 277, 417")
POLYSEMANTIC = inception("mixed4e:55 responds to cats and to cars", "polysemantic")


@part(*KERNELS.values(), INTO_DOGS, POLYSEMANTIC)
def google(study: Study) -> Iterator[Row | Plate]:
    """Google's network, by number."""
    network = study.inceptionv1()
    path = study.published(TILES)
    for figure, claim in KERNELS.items():
        alike = [likeness(network, tile) for tile in read_tiles(path, figure)]
        yield claim.found(
            f"lowest correlation {min(alike):.4f} of {len(alike)}", holds=min(alike) >= 0.999
        )
    yield from by_number(study, network)


def by_number(study: Study, network: Network) -> Iterator[Row]:
    """Test the article's claims about single units."""
    sums = expanded_weights(network, "mixed4c:447", "mixed4d").weight.sum((2, 3))[:, 0]
    ranks = (-sums).argsort().argsort()[[241, 277, 417]].tolist()
    yield INTO_DOGS.found(
        f"places {', '.join(str(rank + 1) for rank in ranks)} of {len(sums)}",
        holds=max(ranks) < len(sums) / 10,
        why="In the order of the kernel's sum; holds where all are in the first tenth.",
    )
    cats = range(281, 286)
    everything = study.classified(1_000_000)
    labels = np.array(everything.labels)
    groups = []
    for mask in (
        np.isin(labels, cats), np.isin(labels, CARS), ~np.isin(labels, [*cats, *CARS, *DOGS])
    ):  # fmt: skip
        group = everything.part(np.flatnonzero(mask)[:60].tolist())
        with torch.inference_mode():
            maps = network.activations(group.pictures(network.size), ["mixed4e"])["mixed4e"]
        groups.append(maps[:, [55]].flatten(2).amax(2).numpy())
    cat, car = (float(auc(each, groups[2])[0]) for each in groups[:2])
    yield POLYSEMANTIC.found(
        f"cats {cat:.0%}, cars {car:.0%} of pairs", holds=min(cat, car) >= 0.7, why="From 70%."
    )
