"""Units that separate cars or dogs from other photographs."""

import io
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float

from visioncircuits.datasets import Photographs
from visioncircuits.examples.roc import auc
from visioncircuits.networks import Network
from visioncircuits.thread import Study
from visioncircuits.thread.articles.zoom_in.published import CARS, DOGS
from visioncircuits.thread.claims import Unavailable
from visioncircuits.thread.intervals import middle
from visioncircuits.thread.photographs import batched


def chosen(study: Study, group: str) -> Photographs:
    """Choose photographs of cars, of dogs, or of anything else, evenly over the classes."""
    everything = study.classified(1_000_000)
    labels = np.array(everything.labels)
    masks = {"cars": np.isin(labels, CARS), "dogs": np.isin(labels, DOGS)}
    masks["rest"] = ~masks["cars"] & ~masks["dogs"]
    places = np.flatnonzero(masks[group])
    if len(places) < 12:
        raise Unavailable(f"{len(places)} photographs of {group}; 12 are needed")
    most = {"cars": 60, "dogs": study.of(118, quick=40), "rest": study.of(300, quick=60)}[group]
    taken = np.unique(np.linspace(0, len(places) - 1, min(most, len(places))).round().astype(int))
    return everything.part(places[taken].tolist())


def maxima(
    study: Study, group: str, layer: str, *, flip: bool = False
) -> Float[np.ndarray, "photographs units"]:
    """Compute every unit's highest activation in each photograph, original or mirrored."""
    photographs = chosen(study, group)

    def make() -> bytes:
        found = []
        for batch in batched(photographs):
            pixels = batch.pictures(study.network.size)
            pixels = pixels.flip(3) if flip else pixels
            with torch.inference_mode():
                maps = study.network.activations(pixels, [layer])[layer]
            found.append(maps.flatten(2).amax(2).cpu().numpy())
        buffer = io.BytesIO()
        np.save(buffer, np.concatenate(found))
        return buffer.getvalue()

    what = f"maxima of {layer} in {len(photographs)} {group}{' mirrored' if flip else ''}"
    values: np.ndarray = np.load(io.BytesIO(study.kept(what, "npy", make)))
    return values


def spatial(network: Network, layer: str) -> list[int]:
    """List the units of branches with kernels larger than one position: 3 × 3, 5 × 5."""
    branches = network.branches(layer)
    wide = [units for name, units in branches.items() if name.endswith(("_3x3", "_5x5"))]
    return [unit for units in wide or [range(network.layer(layer).units)] for unit in units]


def detector(
    study: Study, layer: str, group: str, others: Sequence[str], units: Sequence[int]
) -> tuple[int, float, tuple[float, float]]:
    """Choose the unit that separates a group best on half the photographs; test it on the rest."""
    ones = maxima(study, group, layer)
    rest = np.concatenate([maxima(study, other, layer) for other in others])
    scores = auc(ones[::2], rest[::2])[list(units)]
    best = int(np.asarray(units)[scores.argmax()])
    one, other = ones[1::2, [best]], rest[1::2, [best]]
    rng = study.rng(f"{group} in {layer}")
    drawn = [
        auc(
            one[rng.integers(0, len(one), len(one))], other[rng.integers(0, len(other), len(other))]
        )
        for _ in range(500)
    ]
    return best, float(auc(one, other)[0]), middle(np.concatenate(drawn))
