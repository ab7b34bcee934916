"""How well a classifier does: cross-entropy, divergence from its original logits, accuracy."""

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from visioncircuits.errors import InputError
from visioncircuits.networks import Network, imagenet_classes

SCORES = ("cross_entropy", "divergence", "top1", "top5")


def check_classes(network: Network) -> None:
    """Refuse a network whose logits are not known to be ImageNet's classes, in sorted order.

    Raises
    ------
    InputError
        Where `network.classes` is None, names others or these in another order, as inception5h
        has them, or where there are more or fewer logits.
    """
    if network.classes != imagenet_classes():
        known = "it has others, or in another order" if network.classes else "its are not known"
        raise InputError(
            f"scoring by labels takes a network of ImageNet's 1000 classes in the order of their "
            f"synsets, and of {network.name} {known}; where its logits stand for them, wrap it "
            "with classes=networks.imagenet_classes()"
        )
    with torch.no_grad():
        logits = network(torch.zeros(1, network.preprocessing.channels, *(network.size,) * 2))
    if logits.ndim != 2 or logits.shape[1] != len(network.classes):
        raise InputError(
            f"{network.name} gives {tuple(logits.shape[1:])} values a picture, not a logit for "
            "each of its 1000 classes"
        )


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
