"""What interventions change in the activations of later features."""

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import partial

import numpy as np
import torch

from visioncircuits import __version__, datasets
from visioncircuits.datasets import Source
from visioncircuits.errors import InputError
from visioncircuits.interventions.ablation import ABLATIONS, Ablation, batches, removals
from visioncircuits.interventions.edits import edited
from visioncircuits.interventions.effects import Observed
from visioncircuits.networks import Features, Network, expand
from visioncircuits.numbers import whole
from visioncircuits.progress import bar

Intervention = Callable[[], AbstractContextManager[None]]
"""Enters an intervention: `partial(path_patched, network, "mixed3a:7", "mixed3b:9", zero())`."""


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
        For unknown features, fewer than 2 photographs, or a file that is no picture.

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


def unit_ablations(
    network: Network,
    features: Features,
    *,
    mode: Ablation = "zero",
    controls: int = 3,
    seed: int = 0,
) -> dict[str, Intervention]:
    """Return the interventions of an ablation, to be measured at later features with `observe`.

    Parameters and errors are those of `ablate`, and so are the conditions, "original" left out.

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
    _, removed = removals(network, features, mode=mode, controls=controls, seed=seed)
    return {
        name: partial(edited, network, others, ABLATIONS[mode]) for name, others in removed.items()
    }
