"""Ablation: what a network loses without some features, beside what it loses without others."""

import json
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import torch

from visioncircuits import __version__, datasets
from visioncircuits.datasets import Source
from visioncircuits.errors import InputError
from visioncircuits.interventions.edits import Change, mean, resample, zero
from visioncircuits.interventions.effects import Scores
from visioncircuits.interventions.replacement import output_with
from visioncircuits.interventions.scoring import SCORES, check_classes, score
from visioncircuits.networks import Features, Network, Unit, expand
from visioncircuits.progress import bar

Ablation = Literal["zero", "mean", "resample"]

ABLATIONS: Mapping[Ablation, Change] = {
    "zero": zero(),
    "mean": mean(),
    "resample": resample(),
}


def ablate(
    network: Network,
    features: Features,
    photographs: Source,
    *,
    mode: Ablation = "zero",
    controls: int = 3,
    batch: int = 20,
    seed: int = 0,
    progress: bool = False,
) -> Scores:
    """Score a network on photographs, as it is and without some units.

    Parameters
    ----------
    network
        A classifier.
    features
        Units of one layer.
    photographs
        With their classes, among the network's.
    mode
        What takes the place of the values: `"zero"`; each unit's `"mean"` over a batch; or, to
        `"resample"`, its values on another photograph of the batch, at the same positions.
    controls
        How many times as many other units of the same branches are removed instead.
    batch
        Photographs at once; 2 or more, for `"mean"` and `"resample"`.
    seed
        Of the controls.
    progress
        Whether to show a bar.

    Returns
    -------
    Scores
        `cross_entropy` (nats), `divergence` from the original network (Kullback-Leibler, nats),
        `top1`, `top5` by `condition` and `photograph`. Conditions are "original", "ablated" and
        "control 1", …; `damage` gives their differences with intervals.

    Raises
    ------
    InputError
        For unknown units, units of several layers, a network without ImageNet's classes, or too
        few units for the controls.
    """
    found = datasets.photographs(photographs)
    if batch < 2 or len(found) < 2:
        raise InputError("an ablation needs 2 photographs or more, and as many at once")
    layer, removed = removals(network, features, controls=controls, seed=seed)
    check_classes(network)
    tables: dict[str, list[np.ndarray]] = {name: [] for name in ("original", *removed)}
    labels = torch.tensor(found.labels_in(network))
    with torch.inference_mode(), bar("photographs", len(found), visible=progress) as advance:
        for places in batches(len(found), batch):
            pictures = found.part(places).pictures(network.size)
            wanted = labels[list(places)]
            whole = network.activations(pictures, [layer])[layer]
            original = output_with(network, layer, whole, pictures=pictures)
            tables["original"].append(score(original, original, wanted))
            for name, indices in removed.items():
                values = whole.clone()
                values[:, indices] = ABLATIONS[mode](whole[:, indices])
                output = output_with(network, layer, values, pictures=pictures)
                tables[name].append(score(output, original, wanted))
            advance(len(places))
    table = np.stack([np.concatenate(parts, 1) for parts in tables.values()], 1)
    record = {
        "visioncircuits": __version__,
        "network": network.record(),
        "layer": layer,
        "removed": removed,
        "mode": mode,
    }
    return Scores(
        {name: (("condition", "photograph"), table[row]) for row, name in enumerate(SCORES)},
        coords={"condition": list(tables), "photograph": list(found.names)},
        attrs={"record": json.dumps(record, sort_keys=True)},
    )


def removals(
    network: Network, features: Features, *, controls: int = 3, seed: int = 0
) -> tuple[str, dict[str, list[int]]]:
    """Return the units that an ablation removes, and those removed as controls.

    Returns
    -------
    str, dict
        The layer; by condition ("ablated", "control 1", …) the units.

    Raises
    ------
    InputError
        For unknown units, units of several layers, or too few others for the controls.
    """
    listed = expand(network, features)
    layers = sorted({unit.layer for unit in listed})
    if len(layers) != 1 or not all(isinstance(unit, Unit) for unit in listed):
        raise InputError("an ablation takes units of one layer; name one or more of them")
    layer, family = layers[0], [unit.index for unit in listed if isinstance(unit, Unit)]
    others = {
        f"control {place + 1}": list(control_units(network, layer, family, seed=seed + place))
        for place in range(controls)
    }
    return layer, {"ablated": family} | others


def control_units(
    network: Network, layer: str, units: Sequence[int], *, seed: int = 0
) -> tuple[int, ...]:
    """Draw as many other units from the branches that a family lies in.

    Raises
    ------
    InputError
        Where there are not so many.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> network = untrained("bvlc_googlenet")
    >>> len(control_units(network, "mixed3a", [3, 5]))
    2
    """
    branches = network.branches(layer).values() or [range(network.layer(layer).units)]
    home = [span for span in branches if any(unit in span for unit in units)]
    others = [unit for span in home for unit in span if unit not in units]
    if len(others) < len(units):
        raise InputError(
            f"{layer} has only {len(others)} units beside the family; a control needs {len(units)}"
        )
    drawn = np.random.default_rng(seed).choice(others, len(units), replace=False)
    return tuple(sorted(int(unit) for unit in drawn))


def batches(count: int, batch: int) -> list[range]:
    """Runs of photographs, none of a single one."""
    starts = list(range(0, count, batch))
    if count - starts[-1] == 1:
        starts.pop()
    return [range(a, b) for a, b in zip(starts, [*starts[1:], count], strict=True)]
