"""Expanded weights of a network, in families and along paths."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch.nn.functional import conv2d

from visioncircuits.thread import Plate, Row, Study, here, part
from visioncircuits.thread.articles.visualizing_weights.published import cosine
from visioncircuits.thread.claims import NEGATIVE, SHUFFLED
from visioncircuits.thread.intervals import null
from visioncircuits.weights import expanded_weights, expanded_weights_by_autograd, kernel_grid

GRADIENT = here(
    "expanded weights are gradients of the network with its non-linear operations replaced by the "
    "closest linear ones",
    "by definition",
)
ORBITALS = here("expanded from conv2d1, kernels of mixed3b are 22 × 22", "22 × 22 (figure 13)")


@part(GRADIENT, ORBITALS, stand_ins=(SHUFFLED,))
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


@part(FAMILY, stand_ins=(*NEGATIVE, "handwritten circles"))
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
