"""What interventions change: in a classifier's scores, or in the activations of later features."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from visioncircuits import __version__, datasets
from visioncircuits.datasets import Source
from visioncircuits.errors import InputError
from visioncircuits.examples import Examples
from visioncircuits.interventions.ablation import ABLATIONS, Ablation, removals
from visioncircuits.interventions.controls import control_draws
from visioncircuits.interventions.edits import Intervention, edited
from visioncircuits.interventions.effects import Observed, Scores
from visioncircuits.interventions.scoring import batches, scored
from visioncircuits.networks import Features, Network, expand
from visioncircuits.networks.network import Pictures
from visioncircuits.numbers import whole
from visioncircuits.progress import bar


def score(
    network: Network,
    interventions: Intervention | Mapping[str, Intervention],
    photographs: Source,
    *,
    batch: int = 20,
    progress: bool = False,
) -> Scores:
    """Score a network on photographs, as it is and under interventions.

    Parameters
    ----------
    network
        A classifier.
    interventions
        By name, what enters each: ablations, edits of directions, patched paths, changed weights,
        as `partial(path_patched, network, "mixed3a:7", "mixed3b:9", zero())`. `with_controls`
        returns such a mapping. A single one is called "changed".
    photographs
        2 or more with their classes; see `datasets.photographs`. Without any, the divergence and
        the logits are all that is scored.
    batch
        Photographs at once; 2 or more, for interventions that take means or swap photographs.
    progress
        Whether to show a bar.

    Returns
    -------
    Scores
        By `condition` ("original" and the interventions) and `photograph`; `damage` gives their
        differences with intervals, `damage_by_class` what each class loses.

    Raises
    ------
    InputError
        For photographs without a class of the network's, fewer than 2, an intervention called
        "original", or one that can be entered only once, as `edited(…)` itself.

    Examples
    --------
    >>> from functools import partial
    >>> from visioncircuits.datasets import photographs
    >>> from visioncircuits.interventions import path_patched, scale
    >>> from visioncircuits.networks import untrained
    >>> network = untrained("bvlc_googlenet")
    >>> pictures = photographs(torch.rand(2, 3, 64, 64), labels=[281, 207])
    >>> weaker = partial(path_patched, network, "mixed4e:5", "mixed5a:9", scale(0.5))
    >>> scores = score(network, {"weaker": weaker}, pictures)
    >>> scores["logit"].sel(label="tabby").dims, scores["class"].values.tolist()
    (('condition', 'photograph'), ['tabby', 'golden retriever'])
    """
    named = interventions if isinstance(interventions, Mapping) else {"changed": interventions}
    if not named:
        raise InputError("no intervention is given; pass them by name, or one")
    _check(named)
    conditions: dict[str, Intervention] = {"original": nullcontext, **named}
    changes = {}
    for name, entered in named.items():
        with entered():
            changes[name] = network.record().get("changes", [])

    def outputs(pictures: Pictures) -> Iterator[Tensor]:
        for entered in conditions.values():
            with entered():
                yield network(pictures)

    return scored(
        network,
        list(conditions),
        outputs,
        photographs,
        batch=batch,
        progress=progress,
        record={"interventions": changes},
    )


@torch.inference_mode()
def observe(
    network: Network,
    features: Features,
    photographs: Source,
    interventions: Mapping[str, Intervention],
    *,
    batch: int = 20,
    progress: bool = False,
) -> Observed:
    """Measure features on photographs, in the original network and under interventions.

    Parameters
    ----------
    network
        Any network.
    features
        Of any layers.
    photographs
        2 or more; see `datasets.photographs`.
    interventions
        By name, what enters each.
    batch
        Photographs at once; 2 or more, for interventions that take means or swap photographs.
    progress
        Whether to show a bar.

    Returns
    -------
    Observed
        `mean` and `peak` of each feature's activation over its positions, by `condition`
        ("original" and the interventions), `feature` and `photograph`; `changes` gives the
        differences with intervals.

    Raises
    ------
    InputError
        For unknown features, fewer than 2 photographs, a file that is no picture, or interventions
        that `score` refuses.

    Examples
    --------
    >>> from visioncircuits.interventions import path_patched, scale
    >>> from visioncircuits.networks import untrained
    >>> network, pictures = untrained("bvlc_googlenet"), torch.rand(2, 3, 64, 64)
    >>> weaker = partial(path_patched, network, "conv2d1:5", "conv2d2:9", scale(0.5))
    >>> observed = observe(network, "conv2d2:9", pictures, {"weaker": weaker})
    >>> observed["condition"].values.tolist()
    ['original', 'weaker']
    """
    listed = expand(network, features)
    given = datasets.photographs(photographs)
    whole("batch", batch, least=2)
    if len(given) < 2:
        raise InputError(f"an intervention is measured on 2 photographs or more, not {len(given)}")
    _check(interventions)
    conditions: dict[str, Intervention] = {"original": nullcontext, **interventions}
    layers = list(dict.fromkeys(feature.layer for feature in listed))
    shape = len(conditions), len(listed), len(given)
    means, peaks = np.empty(shape), np.empty(shape)
    with bar("photographs", len(given), visible=progress) as advance:
        for places in batches(len(given), batch):
            shown = given.part(places).pictures(network.size)
            for row, entered in enumerate(conditions.values()):
                with entered():
                    found = network.activations(shown, layers)
                for column, feature in enumerate(listed):
                    values = found[feature.layer]
                    vector = feature.vector(values.shape[1]).to(values)
                    maps = torch.einsum("u,bu...->b...", vector, values).reshape(len(values), -1)
                    means[row, column, places] = maps.cpu().double().mean(1).numpy()
                    peaks[row, column, places] = maps.cpu().double().amax(1).numpy()
            advance(len(places))
    dims = ("condition", "feature", "photograph")
    record = {
        "visioncircuits": __version__,
        "device": network.device.type,
        "network": network.record(),
        "features": [feature.record() for feature in listed],
    }
    return Observed(
        {"mean": (dims, means), "peak": (dims, peaks)},
        coords={
            "condition": list(conditions),
            "feature": [str(feature) for feature in listed],
            "photograph": list(given.names),
        },
        attrs={"record": json.dumps(record, sort_keys=True)},
    )


def _check(interventions: Mapping[str, Any]) -> None:
    if "original" in interventions:
        raise InputError(
            "'original' is the network as it is; choose another name for the intervention"
        )
    for name, entered in interventions.items():
        if isinstance(entered, AbstractContextManager) or not callable(entered):
            raise InputError(
                f"the intervention {name!r} must be entered once a batch: pass a function that "
                "returns its context, as partial(edited, network, features, zero())"
            )


def unit_ablations(
    network: Network,
    features: Features,
    *,
    mode: Ablation = "zero",
    controls: int = 3,
    photographs: Source | Examples | None = None,
    seed: int = 0,
) -> dict[str, Intervention]:
    """Return the interventions of an ablation, to be measured at later features with `observe`.

    Parameters and errors are those of `ablate`, and so are the conditions, "original" left out.
    With `photographs`, controls are matched by firing rate too, see `control_units`.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> network, picture = untrained("bvlc_googlenet"), torch.rand(1, 3, 64, 64)
    >>> ablations = unit_ablations(network, "mixed3a:7", controls=1)
    >>> with ablations["ablated"]():
    ...     values = network.activations(picture, ["mixed3a"])["mixed3a"]
    >>> list(ablations), float(values[:, 7].abs().max())
    (['ablated', 'control 1'], 0.0)
    """
    _, removed, _ = removals(
        network, features, mode=mode, controls=controls, seed=seed, photographs=photographs
    )
    return {
        name: partial(edited, network, others, ABLATIONS[mode]) for name, others in removed.items()
    }


def with_controls(
    network: Network,
    features: Features,
    intervention: Callable[[Features], AbstractContextManager[None]],
    *,
    controls: int = 3,
    photographs: Source | Examples | None = None,
    seed: int = 0,
) -> dict[str, Intervention]:
    """Return an intervention on units, and the same one on other units as controls.

    Parameters
    ----------
    network
        Any network.
    features
        Units of one layer.
    intervention
        Enters the intervention on some units:
        `lambda units: path_patched(network, units, "mixed3b:9", zero())`.
    controls
        How many times it is applied to as many other units of the same branches instead.
    photographs
        What the controls' firing rates are matched on, see `control_units`: those that are scored,
        or examples. Without it, controls are matched by branch alone.
    seed
        Of the controls.

    Returns
    -------
    dict
        "changed", "control 1", …, for `score` and `observe`.

    Raises
    ------
    InputError
        As `control_units`.

    Examples
    --------
    >>> from visioncircuits.interventions import path_patched, zero
    >>> from visioncircuits.networks import untrained
    >>> network = untrained("bvlc_googlenet")
    >>> patched = with_controls(
    ...     network, "mixed3a:7", lambda units: path_patched(network, units, "mixed3b:9", zero())
    ... )
    >>> list(patched)
    ['changed', 'control 1', 'control 2', 'control 3']
    """
    drawn, _ = control_draws(
        network, features, controls=controls, seed=seed, photographs=photographs
    )
    by_condition = {"changed": features, **drawn}
    return {name: partial(intervention, units) for name, units in by_condition.items()}
