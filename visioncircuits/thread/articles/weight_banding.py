"""Weight Banding (Petrov et al., 2021): kernels before a global pooling are striped."""

from collections.abc import Iterator, Mapping
from functools import partial

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import cross_entropy

from visioncircuits.figures import Figure
from visioncircuits.interventions import edited
from visioncircuits.networks import Network, Unit
from visioncircuits.thread import Article, Plate, Row, Study, here, paper, part
from visioncircuits.thread.claims import SHUFFLED, Unavailable
from visioncircuits.thread.intervals import interval
from visioncircuits.thread.photographs import batched
from visioncircuits.weights import (
    banding,
    banding_picture,
    expanded_weights,
    main_layers,
    reduced_kernels,
    surroundings,
)

Bounds = tuple[float, float]

PUBLISHED: Mapping[str, str] = {
    "InceptionV1 - modelzoo|mixed5b_5x5": "0.97 / 0.01",
    "Simplified-Base|": "0.97 / 0.02",
    "Simplified-90deg|": "0.02 / 0.97",
    "Simplified-fc-only|": "0.52 / 0.35",
    "Simplified-x-avgpool|v0_v1_5a": "0.90 / 0.06",
    "Simplified-x-avgpool|v0_v1_5b": "0.65 / 0.30",
    "InceptionV1 - baseline|": "0.74 / 0.19",
    "InceptionV1 - 90deg|": "0.16 / 0.75",
    "InceptionV1 - fc-only|": "0.57 / 0.26",
    "ResNet50 - baseline|": "0.92 / 0.07",
    "ResNet50 - 90deg|": "0.08 / 0.91",
    "ResNet50 - fc-only|": "0.72 / 0.22",
    "VGG19 - baseline|": "0.86 / 0.12",
    "VGG19 - 90deg|": "0.11 / 0.87",
    "VGG19 - fc-only|": "0.87 / 0.12",
    "AlexNet - modelzoo|": "0.51 / 0.26",
}
"""Start of a key in `weight_banding_reduced_rgb.npz`: share between rows, between columns."""

SHARES = {
    name: paper(
        f"kernels of {name.replace('|', ' ').strip()} have the printed shares of variance between "
        "rows / columns",
        shares,
    )
    for name, shares in PUBLISHED.items()
}
TURNED = paper("bands are vertical where pictures are turned by 90° in training", "all")
UNPOOLED = paper(
    "bands fade with fully connected layers in place of the pooling, except in VGG19",
    "all but VGG19",
)
MOVED = paper("pooling over x alone moves the bands from 5b to 5a", "5a banded, 5b less")


@part(*SHARES.values(), TURNED, UNPOOLED, MOVED)
def published_kernels(study: Study) -> Iterator[Row | Plate]:
    """The published kernels.

    Each neuron's kernel is reduced to three channels by one-sided factorization, drawn as red,
    green and blue. The share of its variance that lies between rows is near 1 for horizontal
    bands, the share between columns for vertical ones.
    """
    with np.load(study.published("weight_banding_reduced_rgb.npz")) as arrays:
        kernels = {
            name: torch.tensor(arrays[key]).permute(0, 3, 1, 2).float()
            for name in PUBLISHED
            for key in arrays
            if key.startswith(name)
        }
    rows = {}
    for name, claim in SHARES.items():
        found = banding(kernels[name])
        rows[name.partition("|")[0], name.partition("|")[2]] = found.rows
        measured = f"{found.rows:.2f} / {found.columns:.2f}"
        yield claim.found(measured, holds=measured == claim.published)
    for name in ("InceptionV1 - modelzoo|mixed5b_5x5", "InceptionV1 - 90deg|"):
        slug = name.partition("|")[0].lower().replace(" - ", "-")
        yield Plate(slug, banding_picture(kernels[name]), f"{name.partition('|')[0]}, published.")
    share = {name: value for (name, layer), value in rows.items() if not layer.startswith("v0")}
    bases = {"InceptionV1 - baseline": "InceptionV1 - ", "ResNet50 - baseline": "ResNet50 - ",
             "VGG19 - baseline": "VGG19 - ", "Simplified-Base": "Simplified-"}  # fmt: skip
    turned = {base: share[start + "90deg"] for base, start in bases.items()}
    yield TURNED.found(
        f"{sum(value < 0.5 for value in turned.values())} of {len(turned)} networks",
        holds=all(value < 0.5 < share[base] for base, value in turned.items()),
    )
    faded = {base: share[base] - share[start + "fc-only"] for base, start in bases.items()}
    yield UNPOOLED.found(
        ", ".join(f"{base.partition('-')[0].strip()} {-fall:+.2f}" for base, fall in faded.items()),
        holds=all((fall > 0.1) == ("VGG19" not in base) for base, fall in faded.items()),
        why="Change of the share between rows; faded where it falls by more than .1.",
    )
    moved = [rows["Simplified-x-avgpool", f"v0_v1_5{module}"] for module in "ab"]
    yield MOVED.found(
        f"5a {moved[0]:.2f}, 5b {moved[1]:.2f}",
        holds=moved[0] > moved[1] and moved[1] < share["Simplified-Base"],
    )


BANDED = here("the last layer's kernels have horizontal bands", "0.97 / 0.01 (mixed5b_5x5)")
LAST = here("no earlier layer is banded as much", "none is")
LEARNED = here("bands are learned: untrained, the last layer has none", "")


@part(BANDED, LAST, LEARNED, stand_ins=(SHUFFLED,))
def kernels_here(study: Study) -> Iterator[Row | Plate]:
    """The kernels of this network.

    Kernels are expanded from the main layer before, so that bottlenecks are multiplied out. Of a
    layer's neurons those with the largest kernels are taken; intervals come from drawing among
    them.
    """
    shares = {}
    for layer in main_layers(study.network):
        if surroundings(study.network, layer).before:
            kernels = largest_kernels(study, study.network, layer)
            if kernels.shape[2] >= 3 and kernels.std((2, 3)).any():  # a pool's are all alike
                shares[layer] = kernels
    if len(shares) < 2:
        raise Unavailable("fewer than two layers with kernels of 3 × 3 or more")
    last = list(shares)[-1]
    intervals = {
        layer: interval(
            kernels.numpy(), study.rng(layer), draws=500,
            statistic=lambda drawn: banding(torch.from_numpy(drawn)).rows,
        )
        for layer, kernels in shares.items()
    }  # fmt: skip
    found, chance = banding(shares[last]), 1 / (shares[last].shape[2] + 1)
    sample = f"{len(shares[last])} neurons of {last}, expanded from the main layer before it"
    yield Plate(
        "bands",
        banding_picture(shares[last]),
        f"{sample}; reduced to three channels, each scaled to its largest weight.",
    )
    yield Plate(
        "by-layer",
        by_layer(shares, intervals),
        "Share of the kernels' variance that lies between rows (filled) and between columns "
        "(hollow). Bars are 95 % intervals over neurons, the ticks what chance gives.",
    )
    yield BANDED.found(
        f"{found.rows:.2f} / {found.columns:.2f} ({last})",
        holds=intervals[last][0] > max(found.columns, chance),
        interval=f"{intervals[last][0]:.2f} to {intervals[last][1]:.2f}; chance {chance:.2f}",
        why=f"{sample}; holds where the interval is above chance and above the columns' share.",
    )
    others = {layer: banding(kernels).rows for layer, kernels in shares.items() if layer != last}
    nearest = max(others, key=lambda layer: others[layer])
    yield LAST.found(
        f"next is {nearest}, {others[nearest]:.2f}",
        holds=intervals[nearest][1] < intervals[last][0],
        interval=f"{intervals[nearest][0]:.2f} to {intervals[nearest][1]:.2f}",
        why="Holds where its interval and the last layer's do not overlap.",
    )
    nothing = banding(largest_kernels(study, study.untrained(), last))
    yield LEARNED.found(
        f"{nothing.rows:.2f} / {nothing.columns:.2f}", holds=nothing.rows < intervals[last][0]
    )


def largest_kernels(
    study: Study, network: Network, layer: str
) -> Float[Tensor, "neurons 3 height width"]:
    """Return reduced kernels of some units in a layer's branch with the largest kernels."""
    before = surroundings(network, layer).before[0]
    branches = network.branches(layer) or {layer: range(network.layer(layer).units)}
    one_each = [f"{layer}:{units[0]}" for units in branches.values()]
    kernels = expanded_weights(network, before, one_each).weight
    sizes = (kernels != 0).any(1).sum((1, 2))
    units = list(branches.values())[int(sizes.argmax())]
    count = min(study.of(32, quick=8), len(units))
    chosen = np.linspace(0, len(units) - 1, count).round().astype(int)
    features = [Unit(layer, units[int(place)]) for place in chosen]
    return reduced_kernels(expanded_weights(network, before, features), seed=study.seed)


def by_layer(shares: Mapping[str, Tensor], intervals: Mapping[str, Bounds]) -> Figure:
    """Draw the shares of every layer."""
    figure = Figure(figsize=(7.6, 2.8), layout="constrained")
    axes = figure.subplots()
    for place, (layer, kernels) in enumerate(shares.items()):
        found, chance = banding(kernels), 1 / (kernels.shape[2] + 1)
        axes.plot([place, place], intervals[layer], color="#1b1c1e", lw=1.5)
        axes.plot(place, found.rows, "o", color="#1b1c1e", ms=6)
        axes.plot(place, found.columns, "o", mfc="white", mec="#1b1c1e", ms=6)
        axes.plot([place - 0.3, place + 0.3], [chance, chance], color="#9a9ea5", lw=1)
    axes.set_xticks(range(len(shares)), shares)
    axes.set_ylim(0, 1)
    axes.set_ylabel("share of variance")
    axes.spines[["top", "right"]].set_visible(False)
    return figure


MIXED = here(
    "the last layer depends on vertical position more than on horizontal position: permuting the "
    "rows of its input harms more than permuting the columns",
    "bands keep what the pooling would lose",
)


@part(MIXED, stand_ins=(SHUFFLED,))
def mixing(study: Study) -> Iterator[Row | Plate]:
    """What bands are for, without training.

    The article changes the pooling and trains again. Without training, the rows or the columns of
    the layer before the last are permuted, in the same way for all units of a picture. The pooling
    after the last layer is invariant to their order, so that any harm is to the last layer's input.
    """
    network = study.network
    main = main_layers(network)
    before = surroundings(network, main[-1]).before[0]
    units = [Unit(before, unit) for unit in range(network.layer(before).units)]
    photographs = study.scorable(study.of(1000, quick=120))
    losses: dict[str, list[Tensor]] = {"": [], "rows": [], "columns": []}
    rng = study.rng("mixing")
    for batch in batched(photographs):
        pixels = batch.pictures(network.size)
        labels = torch.tensor(batch.labels, device=network.device)
        for how, values_ in losses.items():
            order = torch.from_numpy(rng.permutation(network.layer(before).shape[0]))
            edit = partial(reordered, axis={"rows": 2, "columns": 3}.get(how), order=order)
            with torch.inference_mode(), edited(network, units, edit):
                values_.append(cross_entropy(network(pixels), labels, reduction="none").cpu())
    values = {how: torch.cat(each).double().numpy() for how, each in losses.items()}
    rows, columns = (values[how] - values[""] for how in ("rows", "columns"))
    apart = rows - columns
    low, high = interval(apart, rng, statistic=np.mean, draws=2000)
    yield MIXED.found(
        f"rows +{rows.mean():.3f}, columns {columns.mean():+.3f} nats",
        holds=low > 0,
        interval=f"difference {low:.3f} to {high:.3f}",
        why=f"{before} of {len(photographs)} photographs; paired bootstrap over photographs.",
    )


def reordered(maps: Tensor, axis: int | None, order: Tensor) -> Tensor:
    """Permute the rows or the columns of activation maps."""
    return maps if axis is None else maps.index_select(axis, order.to(maps.device))


ARTICLE = Article(
    "Weight Banding",
    "Petrov, Voss, Schubert, Cammarata, Goh, Olah, 2021",
    "https://distill.pub/2020/circuits/weight-banding/",
    "Kernels of the last layers before a global average pooling are striped horizontally: they "
    "keep the place of things, which the pooling would lose.",
    (published_kernels, kernels_here, mixing),
)
