"""Ablation: what a network loses without some features, beside what it loses without others."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from visioncircuits import datasets
from visioncircuits.datasets import Source
from visioncircuits.errors import InputError
from visioncircuits.examples import Examples
from visioncircuits.interventions.controls import control_draws
from visioncircuits.interventions.edits import Change, access, mean, resample, zero
from visioncircuits.interventions.effects import Scores
from visioncircuits.interventions.replacement import output_with
from visioncircuits.interventions.scoring import Logits, labels_of, scored
from visioncircuits.networks import Feature, Features, Network, select
from visioncircuits.networks.network import Pictures

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
        How many times as many other units are removed instead: of the same branches, and with
        firing rates near those of the units on these photographs, as `control_units` draws them.
        Where a feature is a direction, how often other directions are: the same weights, dealt at
        random to the units of each branch, which keeps their norms and the angles between them.
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
        `record["matched"]` has the branches and the median firing rate of the units ("given") and
        of each control.

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
    given = datasets.photographs(photographs)
    labels_of(network, given)  # what cannot be scored is refused before firing rates are measured
    layer, removed, matched = removals(
        network, features, mode=mode, controls=controls, seed=seed, photographs=given
    )

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
        given,
        batch=batch,
        progress=progress,
        record={"layer": layer, "removed": records, "matched": matched, "mode": mode},
    )


def removals(
    network: Network,
    features: Features,
    *,
    mode: Ablation,
    controls: int,
    seed: int,
    photographs: Source | Examples | None,
) -> tuple[str, dict[str, tuple[Feature, ...]], dict[str, dict[str, Any]]]:
    """Check the options of an ablation, and return the features that it removes.

    Returns
    -------
    str, dict, dict
        The layer; by condition ("ablated", "control 1", …) the features; and what controls were
        matched in, see `control_draws`.

    Raises
    ------
    InputError
        For an unknown mode, unknown features, features of several layers, or too few other units
        for the controls.
    """
    if mode not in ABLATIONS:
        raise InputError(f"the mode of an ablation is 'zero', 'mean' or 'resample', not {mode!r}")
    chosen = select(network, features)
    drawn, matched = control_draws(
        network, features, controls=controls, seed=seed, photographs=photographs
    )
    return chosen.layer, {"ablated": chosen.features, **drawn}, matched
