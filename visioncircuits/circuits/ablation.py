"""Ablation: what a network loses when features fall silent, beside what it loses with others."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import numpy as np
import torch
import xarray as xr

from visioncircuits import __version__
from visioncircuits.circuits.interventions import Edit, averaged, resampled, silenced
from visioncircuits.circuits.photographs import Photographs
from visioncircuits.circuits.replacement import replaced
from visioncircuits.circuits.transplants import SCORES, check_classes, control_units, score
from visioncircuits.errors import InputError
from visioncircuits.networks import Network, Unit

Silence = Literal["zero", "mean", "resample"]

SILENCES: Mapping[Silence, Edit] = {
    "zero": silenced(),
    "mean": averaged(),
    "resample": resampled(),
}


def ablate(
    network: Network,
    units: Sequence[str | Unit],
    photographs: Photographs,
    *,
    silence: Silence = "zero",
    controls: int = 3,
    batch: int = 20,
    seed: int = 0,
    advance: Callable[[int], object] = lambda more: None,
) -> xr.Dataset:
    """Score a network on photographs, intact and without some units.

    Parameters
    ----------
    network
        That tells classes apart.
    units
        Of one layer.
    photographs
        With their classes.
    silence
        What is said instead: `"zero"`; each unit's `"mean"` over a batch; or, to `"resample"`,
        what it says of another photograph of the batch, at the same places.
    controls
        How many times as many other units of the same branches are taken out instead.
    batch
        Photographs at once; 2 or more, for `"mean"` and `"resample"`.
    seed
        Of the controls.
    advance
        Is told how many photographs more are scored.

    Returns
    -------
    xarray.Dataset
        `cross_entropy` (nats), `divergence` from the intact network (Kullback-Leibler, nats),
        `top1`, `top5` by `condition` and `photograph`. Conditions are "intact", "ablated" and
        "control 1", …; `damage` gives their differences with intervals.

    Raises
    ------
    InputError
        For unknown units, units of several layers, a network without ImageNet's classes, or too
        few units for the controls.
    """
    if batch < 2 or len(photographs) < 2:
        raise InputError("an ablation needs 2 photographs or more, and as many at once")
    layer, removed = removals(network, units, controls=controls, seed=seed)
    check_classes(network)
    tables: dict[str, list[np.ndarray]] = {name: [] for name in ("intact", *removed)}
    for places in batches(len(photographs), batch):
        some = photographs.part(places)
        pictures, labels = some.pictures(network.size), torch.tensor(some.labels)
        with torch.inference_mode():
            whole = network.activations(pictures, [layer])[layer]
            intact = replaced(network, layer, whole, pictures=pictures)
            tables["intact"].append(score(intact, intact, labels))
            for name, indices in removed.items():
                values = whole.clone()
                values[:, indices] = SILENCES[silence](whole[:, indices])
                said = replaced(network, layer, values, pictures=pictures)
                tables[name].append(score(said, intact, labels))
        advance(len(some))
    table = np.stack([np.concatenate(parts, 1) for parts in tables.values()], 1)
    record = {
        "visioncircuits": __version__,
        "network": network.record(),
        "layer": layer,
        "removed": removed,
        "silence": silence,
    }
    return xr.Dataset(
        {name: (("condition", "photograph"), table[row]) for row, name in enumerate(SCORES)},
        coords={"condition": list(tables), "photograph": photographs.names},
        attrs={"record": json.dumps(record, sort_keys=True)},
    )


def removals(
    network: Network, units: Sequence[str | Unit], *, controls: int = 3, seed: int = 0
) -> tuple[str, dict[str, list[int]]]:
    """Name the units that an ablation takes out, and those taken out in their place.

    Returns
    -------
    str, dict
        The layer; by condition ("ablated", "control 1", …) the units.

    Raises
    ------
    InputError
        For unknown units, units of several layers, or too few others for the controls.
    """
    listed = [network.feature(unit) for unit in units]
    layers = sorted({unit.layer for unit in listed})
    if len(layers) != 1 or not all(isinstance(unit, Unit) for unit in listed):
        raise InputError("an ablation takes units of one layer; name one or more of them")
    layer, family = layers[0], [unit.index for unit in listed if isinstance(unit, Unit)]
    others = {
        f"control {place + 1}": list(control_units(network, layer, family, seed=seed + place))
        for place in range(controls)
    }
    return layer, {"ablated": family} | others


def batches(count: int, batch: int) -> list[range]:
    """Runs of photographs, none of a single one."""
    starts = list(range(0, count, batch))
    if count - starts[-1] == 1:
        starts.pop()
    return [range(a, b) for a, b in zip(starts, [*starts[1:], count], strict=True)]
