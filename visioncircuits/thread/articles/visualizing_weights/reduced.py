"""Kernels reduced to three colors, and weights position by position."""

from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import cosine_similarity

from visioncircuits.networks import Network, Unit
from visioncircuits.thread import Plate, Row, Study, here, part
from visioncircuits.thread.claims import SHUFFLED, Unavailable
from visioncircuits.thread.photographs import batched
from visioncircuits.weights import (
    banding_picture,
    expanded_weights,
    position_grid,
    position_view,
    reduced_kernels,
    surroundings,
)

PLACED = here(
    "a car neuron's inputs differ between above and below, more than between left and right",
    "figure 6: windows above, wheels below",
)


def reduced(study: Study) -> Iterator[Plate]:
    """Draw kernels that are reduced to three colors."""
    for name in ("mixed4d", "mixed5b"):
        branch, units = widest(study.network, study.layer(name))
        before = surroundings(study.network, study.layer(name)).before[0]
        places = np.linspace(0, len(units) - 1, 10).round().astype(int)
        features = [Unit(study.layer(name), units[int(place)]) for place in places]
        kernels = reduced_kernels(
            expanded_weights(study.network, before, features), seed=study.seed
        )
        yield Plate(
            f"reduced-{name}",
            banding_picture(kernels, columns=10),
            f"Neurons of {branch}, each reduced to three factors of its own, as red, green, blue.",
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


@part(PLACED, stand_ins=(SHUFFLED,))
def by_position(study: Study) -> Iterator[Row | Plate]:
    """Kernels reduced to three colors, and weights position by position.

    That kernels of the last layer are horizontal bands is tested in Weight Banding. Of the branch
    with the largest kernels, the unit that cars activate furthest beyond other photographs is
    decomposed: its input at each position is drawn.
    """
    yield from reduced(study)
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
