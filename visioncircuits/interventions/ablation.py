"""Ablation: what a network loses without some features, beside what it loses without others."""

from collections.abc import Iterator, Mapping
from typing import Literal

import numpy as np

from visioncircuits.datasets import Source
from visioncircuits.errors import InputError
from visioncircuits.interventions.edits import Change, access, mean, resample, zero
from visioncircuits.interventions.effects import Scores
from visioncircuits.interventions.replacement import output_with
from visioncircuits.interventions.scoring import Logits, scored
from visioncircuits.networks import Direction, Feature, Features, Network, Unit, select
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
    """Score a network on photographs, as it is and without some features.

    Ablating a direction with `"zero"` projects it out of the layer's activations: what is left has
    no component along it, and nothing else changes. `"mean"` and `"resample"` replace the component
    along it.

    Parameters
    ----------
    network
        A classifier.
    features
        Units or directions of one layer.
    photographs
        With their classes; see `datasets.photographs`. Without any, the divergence and the logits
        are all that is scored.
    mode
        What takes the place of the values: `"zero"`; each feature's `"mean"` over a batch; or, to
        `"resample"`, its values on another photograph of the batch, at the same positions.
    controls
        How many times as many other units of the same branches are removed instead. Where a
        feature is a direction, how often other directions are: the same weights, dealt at random
        to the units of each branch, which keeps their norms and the angles between them.
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
        For unknown features, features of several layers, photographs without a class of the
        network's, or too few units for the controls.

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
        for ablated in removed.values():
            place = access(network, ablated)
            changed = place.write(values, ABLATIONS[mode](place.read(values)))
            yield output_with(network, layer, changed, pictures=pictures)

    records = {name: [each.record() for each in ablated] for name, ablated in removed.items()}
    return scored(
        network,
        ["original", *removed],
        outputs,
        photographs,
        batch=batch,
        progress=progress,
        record={"layer": layer, "removed": records, "mode": mode},
    )


def removals(
    network: Network, features: Features, *, mode: Ablation, controls: int, seed: int
) -> tuple[str, dict[str, tuple[Feature, ...]]]:
    """Check the options of an ablation, and return the features that it removes.

    Returns
    -------
    str, dict
        The layer; by condition ("ablated", "control 1", …) the features.

    Raises
    ------
    InputError
        For an unknown mode, unknown features, features of several layers, or too few other units
        for the controls.
    """
    if mode not in ABLATIONS:
        raise InputError(f"the mode of an ablation is 'zero', 'mean' or 'resample', not {mode!r}")
    chosen = select(network, features)
    drawn = control_draws(network, features, controls=controls, seed=seed)
    return chosen.layer, {"ablated": chosen.features, **drawn}


def control_draws(
    network: Network, features: Features, *, controls: int, seed: int
) -> dict[str, tuple[Feature, ...]]:
    """Draw controls several times, by condition: "control 1", …."""
    whole("controls", controls, least=0)
    chosen = select(network, features)
    draw = control_directions if chosen.indices is None else control_units
    return {
        f"control {place + 1}": draw(network, chosen.features, seed=seed + place)
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


def control_directions(
    network: Network, features: Features, *, seed: int = 0
) -> tuple[Feature, ...]:
    """Deal the weights of directions at random to the units of each branch, the same way for all.

    Raises
    ------
    InputError
        As `networks.select`.

    Examples
    --------
    >>> from visioncircuits.networks import Direction, untrained
    >>> network = untrained("bvlc_googlenet")
    >>> (drawn,) = control_directions(network, Direction("mixed3b", range(480)))
    >>> sorted(drawn.weights[320:416]) == list(range(320, 416))  # of the 5x5 branch
    True
    """
    chosen = select(network, features)
    rng, units = np.random.default_rng(seed), network.layer(chosen.layer).units
    order = np.arange(units)
    for span in network.branches(chosen.layer).values() or [range(units)]:
        order[list(span)] = rng.permutation(span)
    return tuple(
        Direction(chosen.layer, vector[order], name=f"{feature} at random")
        for feature, vector in zip(chosen.features, chosen.vectors.cpu(), strict=True)
    )
