"""Ablation: what a network loses without some features, beside what it loses without others."""

from collections.abc import Iterator, Mapping
from typing import Literal

import numpy as np

from visioncircuits.datasets import Source
from visioncircuits.errors import InputError
from visioncircuits.interventions.edits import Change, mean, resample, zero
from visioncircuits.interventions.effects import Scores
from visioncircuits.interventions.replacement import output_with
from visioncircuits.interventions.scoring import Logits, scored
from visioncircuits.networks import Features, Network, Unit, select
from visioncircuits.networks.network import Pictures
from visioncircuits.numbers import whole

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
        With their classes; see `datasets.photographs`.
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
        By `condition` and `photograph`. Conditions are "original", "ablated" and "control 1", …;
        `damage` gives their differences with intervals, `damage_by_class` what each class loses.

    Raises
    ------
    InputError
        For unknown units, units of several layers, a direction, photographs without a class of
        the network's, or too few units for the controls.

    Examples
    --------
    >>> import torch
    >>> from visioncircuits.datasets import photographs
    >>> from visioncircuits.networks import untrained
    >>> pictures = photographs(torch.rand(2, 3, 64, 64), labels=[281, 207])
    >>> scores = ablate(untrained("bvlc_googlenet"), "mixed5a:7", pictures, controls=1)
    >>> scores["condition"].values.tolist()
    ['original', 'ablated', 'control 1']
    """
    layer, removed = removals(network, features, mode=mode, controls=controls, seed=seed)

    def outputs(pictures: Pictures) -> Iterator[Logits]:
        """Compute the layer once for all conditions."""
        values = network.activations(pictures, [layer])[layer]
        yield output_with(network, layer, values, pictures=pictures)
        for indices in removed.values():
            changed = values.clone()
            changed[:, indices] = ABLATIONS[mode](values[:, indices])
            yield output_with(network, layer, changed, pictures=pictures)

    return scored(
        network,
        ["original", *removed],
        outputs,
        photographs,
        batch=batch,
        progress=progress,
        record={"layer": layer, "removed": removed, "mode": mode},
    )


def removals(
    network: Network, features: Features, *, mode: Ablation, controls: int, seed: int
) -> tuple[str, dict[str, list[int]]]:
    """Check the options of an ablation, and return the units that it removes.

    Returns
    -------
    str, dict
        The layer; by condition ("ablated", "control 1", …) the units.

    Raises
    ------
    InputError
        For an unknown mode, unknown units, a direction, units of several layers, or too few others
        for the controls.
    """
    if mode not in ABLATIONS:
        raise InputError(f"the mode of an ablation is 'zero', 'mean' or 'resample', not {mode!r}")
    layer, family = units_of(network, features)
    drawn = control_draws(network, features, controls=controls, seed=seed)
    others = {name: [unit.index for unit in units] for name, units in drawn.items()}
    return layer, {"ablated": family} | others


def control_draws(
    network: Network, features: Features, *, controls: int, seed: int
) -> dict[str, tuple[Unit, ...]]:
    """Draw `control_units` several times, by condition: "control 1", …."""
    whole("controls", controls, least=0)
    return {
        f"control {place + 1}": control_units(network, features, seed=seed + place)
        for place in range(controls)
    }


def units_of(network: Network, features: Features) -> tuple[str, list[int]]:
    """Return the layer of some units, and their indices.

    Raises
    ------
    InputError
        As `networks.select`, and for a direction.
    """
    chosen = select(network, features)
    if chosen.indices is None:
        raise InputError(
            f"units are needed, such as {chosen.layer}:0, and one of these features is a "
            "direction; `edited` changes directions"
        )
    return chosen.layer, chosen.indices


def control_units(network: Network, features: Features, *, seed: int = 0) -> tuple[Unit, ...]:
    """Draw as many other units from the branches that some units lie in.

    Raises
    ------
    InputError
        For features that are not units of one layer, and where there are not so many others.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> drawn = control_units(untrained("bvlc_googlenet"), ["mixed3b:413", "mixed3b:408"])
    >>> len(drawn), all(320 <= unit.index < 416 for unit in drawn)  # of the 5x5 branch
    (2, True)
    """
    layer, units = units_of(network, features)
    branches = network.branches(layer).values() or [range(network.layer(layer).units)]
    home = [span for span in branches if any(unit in span for unit in units)]
    others = [unit for span in home for unit in span if unit not in units]
    if len(others) < len(units):
        raise InputError(
            f"{layer} has only {len(others)} units beside these; a control needs {len(units)}"
        )
    drawn = np.random.default_rng(seed).choice(others, len(units), replace=False)
    return tuple(Unit(layer, int(index)) for index in sorted(drawn))
