"""Whether a classifier is right about photographs more often than by chance."""

from typing import TYPE_CHECKING

import torch
from jaxtyping import Int64
from scipy.stats import binom
from torch import Tensor

from visioncircuits.errors import InputError
from visioncircuits.networks.checks import Check
from visioncircuits.networks.network import Network
from visioncircuits.progress import bar

if TYPE_CHECKING:  # datasets import this folder
    from visioncircuits.datasets import Source

LEAST = 20
"""Photographs: of fewer a sound network may classify none."""

ALLOWED = 1e-3
"""The probability of as many right by chance, up to which a classifier is taken to be better."""

BATCH = 32

Numbers = Int64[Tensor, " photographs"]


def accuracy(
    network: Network, photographs: "Source", named: str, *, progress: bool = False
) -> Check:
    """Check that a network is right about photographs, which are `named` so, by more than chance.

    Raises
    ------
    InputError
        As `classified`.
    """
    given, labels = classified(network, photographs, progress=progress)
    expected, probability = by_chance(given, labels)
    right = int((given == labels).sum())
    return Check(
        f"classes of {len(labels)} photographs: {right} right, {expected:.2g} by chance",
        probability,
        ALLOWED,
        f"{network.name} classifies {named} no better than chance: its preprocessing or the order "
        "of its classes is wrong, or these are not the classes that it was trained on",
    )


def classified(
    network: Network, photographs: "Source", *, progress: bool = False
) -> tuple[Numbers, Numbers]:
    """Return the class that a network gives each photograph, and the one that it has.

    Raises
    ------
    InputError
        For fewer than `LEAST` photographs, photographs of a single class or without classes, and
        for a network that has no logits of their classes.
    """
    from visioncircuits import datasets
    from visioncircuits.interventions.scoring import classes_of

    given = datasets.photographs(photographs)
    if len(given) < LEAST:
        raise InputError(f"accuracy is verified on {LEAST} photographs or more, not {len(given)}")
    labels = classes_of(network, given)
    if len(set(labels.tolist())) == 1:
        raise InputError("accuracy is verified on photographs of two classes or more, not of one")
    found = []
    with bar("photographs", len(given), visible=progress) as advance, torch.inference_mode():
        for pictures in given.batches(network.size, BATCH):
            found.append(network(pictures).argmax(1).cpu())
            advance(len(pictures))
    return torch.cat(found), labels


def by_chance(given: Numbers, labels: Numbers) -> tuple[float, float]:
    """Compare predicted classes with some that have nothing to do with the photographs.

    These are the same predictions, drawn independently of the photographs' classes: a network that
    predicts one class only is right as often as that class is there, and no better than chance.

    Returns
    -------
    expected
        How many of these would be right.
    probability
        That as many or more would be as are, by the binomial distribution.

    Examples
    --------
    >>> by_chance(torch.tensor([0, 1, 2, 3] * 5), torch.tensor([0, 1, 2, 3] * 5))
    (5.0, 9.09...e-13)
    >>> by_chance(torch.tensor([0] * 20), torch.tensor([0, 1, 2, 3] * 5))
    (5.0, 0.58...)
    """
    count, classes = len(labels), int(max(given.max(), labels.max())) + 1
    predicted, known = (
        each.bincount(minlength=classes).double() / count for each in (given, labels)
    )
    share = float(predicted @ known)
    right = int((given == labels).sum())
    return count * share, float(binom.sf(right - 1, count, share))
