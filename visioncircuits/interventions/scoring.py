"""How well a classifier does: cross-entropy, divergence from its original logits, accuracy."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from visioncircuits import __version__, datasets
from visioncircuits.datasets import Photographs, Source
from visioncircuits.errors import InputError
from visioncircuits.interventions.effects import Scores
from visioncircuits.networks import Network
from visioncircuits.networks.network import Pictures
from visioncircuits.numbers import whole
from visioncircuits.progress import bar

SCORES = ("cross_entropy", "divergence", "top1", "top5")
"""Of photographs with classes; of others there is the divergence alone."""

Logits = Float[Tensor, "batch classes"]


def scored(
    network: Network,
    conditions: Sequence[str],
    outputs: Callable[[Pictures], Iterable[Logits]],
    photographs: Source,
    *,
    batch: int,
    progress: bool,
    record: Mapping[str, Any],
) -> Scores:
    """Score the logits that a function computes under each condition, the original first.

    Photographs have a class each, or none has one.
    """
    whole("batch", batch, least=2)
    given = datasets.photographs(photographs)
    if len(given) < 2:
        raise InputError(f"an intervention is scored on 2 photographs or more, not {len(given)}")
    labels = labels_of(network, given)
    values: list[np.ndarray] = []
    logits: list[np.ndarray] = []
    with bar("photographs", len(given), visible=progress) as advance, torch.inference_mode():
        for places in batches(len(given), batch):
            found = [each.cpu() for each in outputs(given.part(places).pictures(network.size))]
            if labels is None:
                part = [divergence(each, found[0]).numpy()[None] for each in found]
            else:
                wanted = labels[list(places)]
                part = [values_of(each, found[0], wanted) for each in found]
            values.append(np.stack(part, 1))
            logits.append(torch.stack(found).float().numpy())
            advance(len(places))
    return tabulated(
        network,
        given,
        labels,
        conditions,
        np.concatenate(values, 2),
        np.concatenate(logits, 1),
        {
            "visioncircuits": __version__,
            "device": network.device.type,
            "network": network.record(),
            **record,
        },
    )


def tabulated(
    network: Network,
    photographs: Photographs,
    labels: Int64[Tensor, " photographs"] | None,
    conditions: Sequence[str],
    values: Float[np.ndarray, "scores conditions photographs"],
    logits: Float[np.ndarray, "conditions photographs classes"],
    record: Mapping[str, Any],
) -> Scores:
    """Return scores and logits with the names of conditions, photographs and classes."""
    dims, count = ("condition", "photograph"), logits.shape[2]
    known = network.classes is not None and len(network.classes) == count
    names = np.array(network.classes if known else range(count))
    own = {} if labels is None else {"class": ("photograph", names[labels.numpy()])}
    measures = ("divergence",) if labels is None else SCORES
    return Scores(
        {name: (dims, values[row]) for row, name in enumerate(measures)}
        | {"logit": ((*dims, "label"), logits)},
        coords={
            "condition": list(conditions),
            "photograph": list(photographs.names),
            "label": names,
            **own,
        },
        attrs={"record": json.dumps(record, sort_keys=True)},
    )


def batches(count: int, batch: int) -> list[range]:
    """Return runs of photographs, none of a single one.

    Examples
    --------
    >>> batches(7, 3)
    [range(0, 3), range(3, 7)]
    """
    starts = list(range(0, count, batch))
    if count - starts[-1] == 1:
        starts.pop()
    return [range(a, b) for a, b in zip(starts, [*starts[1:], count], strict=True)]


def labels_of(network: Network, photographs: Photographs) -> Int64[Tensor, " photographs"] | None:
    """Return the number of each photograph's class, or None where photographs have none.

    Raises
    ------
    InputError
        As `classes_of`, and where the network gives no logits.
    """
    if any(label is not None for label in photographs.labels):
        return classes_of(network, photographs)
    _logits(network)
    return None


def classes_of(network: Network, photographs: Photographs) -> Int64[Tensor, " photographs"]:
    """Return the number of each photograph's class among the network's logits.

    Raises
    ------
    InputError
        As `Photographs.labels_in`, and where the network has no logit for a class.
    """
    labels = torch.tensor(photographs.labels_in(network))
    logits = _logits(network)
    classes = int(labels.max()) + 1 if network.classes is None else len(network.classes)
    if logits.shape[1] < classes:
        raise InputError(
            f"{network.name} gives {tuple(logits.shape[1:])} values a picture, not a logit for "
            f"each of {classes} classes; score a classifier of these photographs' classes"
        )
    return labels


def _logits(network: Network) -> Logits:
    """Return the logits of a black picture."""
    with torch.no_grad():
        found: Tensor = network(
            torch.zeros(1, network.preprocessing.channels, *(network.size,) * 2)
        )
    if found.ndim != 2:
        raise InputError(
            f"{network.name} gives {tuple(found.shape[1:])} values a picture, not a logit for each "
            "class; score a classifier"
        )
    return found


def divergence(logits: Logits, original: Logits) -> Float[Tensor, " batch"]:
    """Compute Kullback and Leibler's divergence from the original network's logits, in nats.

    Examples
    --------
    >>> divergence(torch.zeros(1, 2), torch.zeros(1, 2)).tolist()
    [0.0]
    """
    after, before = (each.cpu().double().log_softmax(1) for each in (logits, original))
    return (before.exp() * (before - after)).sum(1)


def values_of(
    logits: Logits, original: Logits, labels: Int64[Tensor, " batch"]
) -> Float[np.ndarray, "scores batch"]:
    """Score logits: cross-entropy, divergence from the original network's, top-1 and top-5."""
    after = logits.cpu().double().log_softmax(1)
    rank = (after > after.gather(1, labels[:, None])).sum(1)
    return np.stack(
        [
            -after.gather(1, labels[:, None])[:, 0].numpy(),
            divergence(logits, original).numpy(),
            (rank < 1).double().numpy(),
            (rank < 5).double().numpy(),
        ]
    )
