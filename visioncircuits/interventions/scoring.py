"""How well a classifier does: cross-entropy, divergence from its original logits, accuracy."""

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from visioncircuits.datasets import Photographs
from visioncircuits.errors import InputError
from visioncircuits.networks import Network

SCORES = ("cross_entropy", "divergence", "top1", "top5")


def classes_of(network: Network, photographs: Photographs) -> Int64[Tensor, " photographs"]:
    """Return the number of each photograph's class among the network's logits.

    Raises
    ------
    InputError
        As `Photographs.labels_in`, and where the network has no logit for a class.
    """
    labels = torch.tensor(photographs.labels_in(network))
    with torch.no_grad():
        logits = network(torch.zeros(1, network.preprocessing.channels, *(network.size,) * 2))
    classes = int(labels.max()) + 1 if network.classes is None else len(network.classes)
    if logits.ndim != 2 or logits.shape[1] < classes:
        raise InputError(
            f"{network.name} gives {tuple(logits.shape[1:])} values a picture, not a logit for "
            f"each of {classes} classes; score a classifier of these photographs' classes"
        )
    return labels


def score(
    logits: Float[Tensor, "batch classes"],
    original: Float[Tensor, "batch classes"],
    labels: Int64[Tensor, " batch"],
) -> Float[np.ndarray, "scores batch"]:
    """Score logits: cross-entropy, divergence from the original network's, top-1 and top-5."""
    after, before = (each.cpu().double().log_softmax(1) for each in (logits, original))
    rank = (after > after.gather(1, labels[:, None])).sum(1)
    return np.stack(
        [
            -after.gather(1, labels[:, None])[:, 0].numpy(),
            (before.exp() * (before - after)).sum(1).numpy(),
            (rank < 1).double().numpy(),
            (rank < 5).double().numpy(),
        ]
    )
