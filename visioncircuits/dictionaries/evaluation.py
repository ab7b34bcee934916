"""How good a dictionary is: what it explains and keeps, beside what is simpler.

Baselines are at the dictionary's own L0, k: **identity-TopK** keeps the k units of the largest
magnitude at each position, **PCA** the k directions of the largest variance of these very samples
(no others of as many explain more of it), and the **untrained** dictionary has random atoms, and
codes multiplied by the one number with which its error on these samples is the least.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from visioncircuits import __version__, datasets
from visioncircuits.datasets import Source
from visioncircuits.dictionaries.agreement import best_cosines, unit_cosines
from visioncircuits.dictionaries.baselines import (
    Photos,
    Sums,
    Way,
    largest_units,
    moments_of,
    principal,
    rows_of,
    unchanged,
)
from visioncircuits.dictionaries.dictionary import Dictionary
from visioncircuits.dictionaries.evaluated import Evaluation, Interval, Measured
from visioncircuits.dictionaries.rules import Linear
from visioncircuits.dictionaries.untrained import untrained_like
from visioncircuits.errors import InputError
from visioncircuits.interventions import output_with
from visioncircuits.interventions.intervals import ends, resamples
from visioncircuits.interventions.scoring import labels_of, scored
from visioncircuits.networks import Network
from visioncircuits.networks.network import Pictures
from visioncircuits.numbers import real, whole
from visioncircuits.progress import Advance, bar
from visioncircuits.wording import counted

DEAD, DENSE = 1e-5, 0.1
"""Shares of samples below which an atom counts as dead, and above which as dense."""


def evaluate(
    dictionary: Dictionary,
    network: Network,
    photographs: Source,
    *,
    second: Dictionary | None = None,
    untrained: Dictionary | None = None,
    dead: float = DEAD,
    dense: float = DENSE,
    batch: int = 8,
    seed: int = 0,
    progress: bool = False,
) -> Evaluation:
    """Measure a dictionary on photographs that it was not fitted to, beside baselines.

    Memory does not grow with the number of photographs: they are read twice, and encoded one by
    one.

    Parameters
    ----------
    dictionary
        Of a layer with or without positions.
    network
        That it is of.
    photographs
        Held out, 2 or more; `datasets.split_by_name` divides them. Where they have classes of the
        network's, the cross-entropy that the reconstruction recovers is measured too.
    second
        The same fitted from another seed, for the agreement.
    untrained
        A dictionary to compare with; by default `untrained_like` of this one.
    dead, dense
        Shares of samples: atoms with fewer, or more, codes that are not 0 count as dead, or dense.
    batch
        Photographs in one forward pass; 2 or more.
    seed
        Of the bootstrap over photographs, and of the untrained dictionary.
    progress
        Whether to show a bar.

    Returns
    -------
    Evaluation
        Its first line states whether the dictionary beats the baselines.

    Raises
    ------
    InputError
        For dictionaries of another layer or number of units, fewer than 2 photographs, a file that
        is no picture, or photographs of which some have a class and others none.

    Examples
    --------
    All units as atoms explain everything:

    >>> from visioncircuits.dictionaries import Linear
    >>> from visioncircuits.networks import untrained
    >>> network, eye = untrained("bvlc_googlenet"), torch.eye(64)
    >>> units = Dictionary("conv2d1", eye, eye, torch.zeros(64), Linear(), torch.ones(64),
    ...                    torch.zeros(64), method="units")
    >>> found = evaluate(units, network, torch.rand(2, 3, 64, 64))
    >>> found.measured[0].explained
    (1.0, 1.0, 1.0)
    >>> found.verdict.split(" (")[0]
    'units of 64 atoms in conv2d1 beats identity-TopK'
    """
    given = datasets.photographs(photographs)
    if len(given) < 2:
        raise InputError(f"a dictionary is evaluated on 2 photographs or more, not {len(given)}")
    real("dead", dead, least=0, most=1)
    real("dense", dense, least=0, most=1)
    layer = network.layer(dictionary.layer)
    plain = untrained or untrained_like(dictionary, seed=seed)
    for each in (dictionary, plain, *([second] if second else [])):
        if (each.layer, each.atoms.shape[1]) != (layer.name, layer.units):
            raise InputError(
                f"a dictionary of {each.atoms.shape[1]} units of {each.layer} is none of "
                f"{layer.name} of {network.name}, which has {layer.units}"
            )
    whole("batch", batch, least=2)
    labeled = any(label is not None for label in given.labels)
    if labeled:
        labels_of(network, given)  # what cannot be scored is refused before anything is computed
    own, plain = dictionary.to(network.device), plain.to(network.device)
    with bar("photographs", 2 * len(given), visible=progress) as advance:
        moments = moments_of(own, plain, network, given, batch, advance)
        plain = replace(plain, gain=plain.gain * moments.plain_gain)
        k = min(max(round(moments.l0), 1), layer.units)
        ways = {
            dictionary.method: Way(own.encode, own.decode),
            f"identity-TopK ({counted(k, 'unit')})": Way(partial(largest_units, k), unchanged),
            f"PCA ({counted(k, 'direction')})": principal(moments, k),
            "an untrained dictionary": Way(plain.encode, plain.decode),
        }
        replaced = partial(_replaced, network, layer.name, ways, moments.mean, labeled, advance)
        if labeled:
            names = ["original", "zero", "mean", *ways]
            costs = scored(network, names, replaced, given, batch=batch, progress=False, record={})[
                "cross_entropy"
            ].values
        else:
            costs = None
            with torch.inference_mode():
                for pictures in given.batches(network.size, batch):
                    for _ in replaced(pictures):
                        pass
    weights = resamples(len(given), seed)
    sums = [way.sums for way in ways.values()]
    described = [
        _measured(name, each.sums, moments.total, costs, 3 + row, weights)
        for row, (name, each) in enumerate(ways.items())
    ]
    own_firing, plain_firing = (sums[row].active / sums[row].samples for row in (0, 3))
    described[0] |= _of_atoms(dictionary, own_firing, second, dead, dense)
    described[3] |= _of_atoms(plain, plain_firing, second, dead, dense)
    for row in range(1, len(described)):
        costlier = None if costs is None else costs[3 + row] - costs[3]
        more = sums[row].residual - sums[0].residual
        described[row]["beaten"] = _beaten(moments.total, more, costlier, weights)
    recurring = {"recurrence": recurrence(dictionary, second).tolist()} if second else {}
    original, zero, mean = (None,) * 3 if costs is None else costs[:3].mean(1).tolist()
    atoms = {"firing": own_firing, "unit_cosine": unit_cosines(dictionary.atoms.cpu()).tolist()}
    return Evaluation(
        layer=layer.name,
        method=dictionary.method,
        measured=tuple(Measured(**each) for each in described),
        original=original,
        zero=zero,
        mean=mean,
        atoms=pd.DataFrame(atoms | recurring),
        photographs=len(given),
        samples=sums[0].samples,
        thresholds={"dead": dead, "dense": dense},
        record={
            "visioncircuits": __version__,
            "torch": torch.__version__,
            "network": network.record(),
            "dictionary": dict(dictionary.record),
            "photographs": {"count": len(given), "sha256": given.digest()},
            "seed": seed,
        },
    )


def recurrence(dictionary: Dictionary, second: Dictionary) -> Float[Tensor, " atoms"]:
    """Return each atom's largest cosine with an atom of a second dictionary.

    Of either sign where codes are of either sign and signs mean nothing, as in PCA.
    """
    others = second.atoms
    if isinstance(dictionary.rule, Linear):
        others = torch.cat([others, -others])
    return best_cosines(dictionary.atoms.cpu(), others.cpu())


def _replaced(
    network: Network,
    layer: str,
    ways: Mapping[str, Way],
    mean: Float[Tensor, " units"],
    labeled: bool,
    advance: Advance,
    pictures: Pictures,
) -> Iterator[Float[Tensor, "batch classes"]]:
    """Describe a batch in all ways; yield the original logits, ablated ones, and each way's."""
    values = network.activations(pictures, [layer])[layer]
    if labeled:
        average = mean.reshape(1, -1, *(1,) * (values.ndim - 2)).expand_as(values)
        for given in (values, torch.zeros_like(values), average):
            yield output_with(network, layer, given, pictures=pictures)
    for way in ways.values():
        described = []
        for rows in rows_of(values):
            codes = way.encode(rows)
            again = way.decode(codes)
            way.sums.add(rows, codes, again)
            described.append(again.T.reshape(values.shape[1:]))
        if labeled:
            yield output_with(network, layer, torch.stack(described), pictures=pictures)
    advance(len(pictures))


def _measured(
    name: str,
    sums: Sums,
    total: Photos,
    costs: Float[np.ndarray, "conditions photographs"] | None,
    row: int,
    weights: Float[np.ndarray, "photos draws"],
) -> dict[str, Any]:
    """Return what one way achieves; its cross-entropy is in the row `row` of the costs."""
    found: dict[str, Any] = {
        "name": name,
        "explained": _ratio(total, total - sums.residual, weights),
        "l0": sums.l0 / sums.samples,
        "shrinkage": sums.shrinkage / sums.samples,
    }
    if costs is None:
        return found | dict.fromkeys(("cross_entropy", "recovered_zero", "recovered_mean"))
    original, zero, mean = costs[:3]
    return found | {
        "cross_entropy": float(costs[row].mean()),
        "recovered_zero": _ratio(zero - original, zero - costs[row], weights),
        "recovered_mean": _ratio(mean - original, mean - costs[row], weights),
    }


def _ratio(whole: Photos, part: Photos, weights: Float[np.ndarray, "photos draws"]) -> Interval:
    """Return the ratio of two sums over photographs, with its bootstrap interval."""
    with np.errstate(invalid="ignore", divide="ignore"):
        low, high = ends((part @ weights) / (whole @ weights))
        return float(part.sum() / whole.sum()), float(low), float(high)


def _beaten(
    total: Photos, more: Photos, costlier: Photos | None, weights: Float[np.ndarray, "photos draws"]
) -> bool:
    """Whether a baseline leaves more residual, and costs more nats where that is known."""
    clear = [ends((more @ weights) / (total @ weights))[0] > 0]
    if costlier is not None:
        clear.append(ends(costlier @ weights)[0] > 0)
    return bool(all(clear))


def _of_atoms(
    dictionary: Dictionary,
    firing: Float[np.ndarray, " atoms"],
    second: Dictionary | None,
    dead: float,
    dense: float,
) -> dict[str, float | None]:
    return {
        "dead": float((firing < dead).mean()),
        "dense": float((firing > dense).mean()),
        "nearest_unit": float(unit_cosines(dictionary.atoms.cpu()).double().mean()),
        "agreement": float(recurrence(dictionary, second).double().mean()) if second else None,
    }
