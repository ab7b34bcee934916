"""Expanded weights of a network, in families and along paths."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch.nn.functional import conv2d

from visioncircuits.thread import Plate, Row, Study, here, part
from visioncircuits.weights import expanded_weights, kernel_grid

PATHS = here(
    "strong inputs of high-low frequency detectors cancel in the units that these feed most",
    "conv2d2:89 in 345",
)


@part(PATHS)
def cancellation_here(study: Study) -> Iterator[Row | Plate]:
    """Families in context, and what cancels.

    Kernels side by side, in the order of their units' preferred orientations: that curves excite
    curves of their orientation is tested in Curve Circuits. A unit's effect two layers on may be
    weak, though each of the paths is strong.
    """
    yield from curves_in_context(study)
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


def curves_in_context(study: Study) -> Iterator[Plate]:
    """Draw the kernels from curves to curves, where both are found."""
    early, late = (study.found("curve", layer) for layer in ("mixed3a", "mixed3b"))
    if not len(early) or not len(late):
        return
    sources, targets = (
        table.sort_values("orientation")["unit"].tolist() for table in (early, late)
    )
    weights = expanded_weights(study.network, sources, targets)
    yield Plate(
        "curves",
        kernel_grid(weights, study.thumbnails([*sources, *targets])),
        f"Figure 5 from {study.network.name}: curves of {weights.source} (across) to curves of "
        f"{weights.target} (down), both by orientation.",
    )
