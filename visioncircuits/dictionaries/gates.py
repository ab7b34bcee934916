"""Which atoms are new features: four gates against fooling oneself.

It is easy to be fooled: among the atoms of a dictionary that has not converged, of which none
recurs from another seed, a hypothesis about curves is supported for dozens, since mixtures of curve
detectors are tuned to curves too.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import torch

from visioncircuits import __version__, datasets
from visioncircuits.datasets import Source
from visioncircuits.dictionaries.atom_ablation import ablate_atoms
from visioncircuits.dictionaries.dictionary import Dictionary
from visioncircuits.dictionaries.first_gates import RECURS, UNIT, first_gates
from visioncircuits.dictionaries.gated import GATES, NewFeatures
from visioncircuits.errors import InputError
from visioncircuits.hypotheses import Hypothesis, VariantResponses, measure_responses
from visioncircuits.hypotheses.judging import scaled
from visioncircuits.hypotheses.verdicts import LEVEL, Verdict
from visioncircuits.networks import Network
from visioncircuits.numbers import real, whole


def new_features(
    dictionary: Dictionary,
    network: Network,
    photographs: Source,
    hypothesis: str | Hypothesis,
    *,
    second: Dictionary,
    untrained: Dictionary | None = None,
    responses: VariantResponses | None = None,
    unit: float = UNIT,
    recurs: float = RECURS,
    draws: int = 20,
    later: str | None = None,
    controls: int = 5,
    batch: int = 8,
    seed: int = 0,
    progress: bool = False,
) -> NewFeatures:
    """Find the atoms of a dictionary that are new features, by four gates.

    1. **No unit**: the largest cosine with a unit of the layer is below `unit`.
    2. **Recurs**: the largest cosine with an atom of the second seed is at least `recurs`.
    3. **Hypothesis**: it is supported for the atom, as `hypotheses.find` tests it on directions, p
       corrected for the number of atoms; and untrained atoms do not fit it as well: the share of
       them whose worst prediction is met as well or better, corrected (Benjamini and Hochberg
       1995), is at most .05.
    4. **Acts**: ablating the atom changes the network's output more than taking as much along
       random directions does, at a corrected p of at most .05. Atoms that fail another gate are
       not ablated.

    Parameters
    ----------
    dictionary
        Whose atoms are tested.
    network
        That it is of.
    photographs
        For the ablations; held out, 2 or more. Classes are not needed.
    hypothesis
        As for `hypotheses.find`.
    second
        The same fitted from another seed.
    untrained
        A dictionary of random atoms, the first of the draws; by default `untrained_like`.
    responses
        Of all units of the layer to the hypothesis' stimuli; measured if not given.
    unit, recurs
        Thresholds of the first two gates.
    draws
        Untrained dictionaries. With fewer than 20, a single atom cannot pass the third gate.
    later
        A later layer whose change counts; by default that of the output's logits.
    controls
        Random directions for each ablation, 2 or more.
    batch
        Photographs in one forward pass.
    seed
        Of verdicts, untrained atoms and controls.
    progress
        Whether to show bars.

    Raises
    ------
    InputError
        For dictionaries of different layers, fewer than 2 photographs, and as `hypotheses.find`.

    Examples
    --------
    Units copied as atoms are no new features:

    >>> from visioncircuits.dictionaries import Rectified
    >>> from visioncircuits.hypotheses import Prediction, effects
    >>> from visioncircuits.networks import untrained
    >>> from visioncircuits.stimuli import named
    >>> claim = Prediction("responds to one direction of an edge", effects.echo, most=0.5)
    >>> edges = Hypothesis("edge", named("edges"), (claim,), variants=({},))
    >>> eye, zeros, ones = torch.eye(64), torch.zeros(64), torch.ones(64)
    >>> units = Dictionary("conv2d0", eye, eye, zeros, Rectified(), ones, zeros, method="units")
    >>> found = new_features(units, untrained("bvlc_googlenet"), torch.rand(2, 3, 64, 64), edges,
    ...                      second=units)
    >>> len(found), found.table["why"].iloc[0].split(";")[0]
    (0, 'is the unit conv2d0:0 (cosine 1.00)')
    """
    given = datasets.photographs(photographs)
    if len(given) < 2:
        raise InputError(f"ablations are measured on 2 photographs or more, not {len(given)}")
    for name, value, least in (("draws", draws, 1), ("controls", controls, 2), ("batch", batch, 1)):
        whole(name, value, least=least)
    real("unit", unit, least=0, most=1)
    real("recurs", recurs, least=0, most=1)
    for other in (second, *([untrained] if untrained else [])):
        if (other.layer, other.atoms.shape[1]) != (dictionary.layer, dictionary.atoms.shape[1]):
            raise InputError(
                f"a dictionary of {other.layer} has no atoms to compare with those of "
                f"{dictionary.layer}"
            )
    tested = scaled(hypothesis, network, dictionary.layer)
    responses = responses or measure_responses(
        network, dictionary.layer, tested.stimuli, variants=tested.variants,
        controls=tested.controls, progress=progress,
    )  # fmt: skip
    first = first_gates(
        dictionary, network, tested, responses, second=second, untrained=untrained, unit=unit,
        recurs=recurs, draws=draws, seed=seed,
    )  # fmt: skip
    table, left = first.table, first.passing
    ablated = ablate_atoms(
        dictionary, network, given, left, later=later, controls=controls, batch=batch, seed=seed,
        progress=progress and bool(left),
    )  # fmt: skip
    for name, values in (
        ("effect", ablated.effect),
        ("control", ablated.control),
        ("ratio", ablated.ratio),
        ("effect q", ablated.q),
    ):
        table[name] = np.nan
        table.loc[table.index[left], name] = values
    table["acts"] = table["effect q"] <= LEVEL
    table["why"] = [
        "; ".join(_failures(row, verdict, unit, recurs))
        for (_, row), verdict in zip(table.iterrows(), first.verdicts, strict=True)
    ]
    passing = np.flatnonzero(table[list(GATES)].all(axis=1)).tolist()
    return NewFeatures(
        dictionary.layer,
        dictionary.method,
        tested.name,
        table[_COLUMNS],
        {"unit": unit, "recurs": recurs, "level": LEVEL, "draws": draws, "controls": controls},
        first.by_chance,
        tuple(dictionary.features[place] for place in passing),
        {
            "visioncircuits": __version__,
            "torch": torch.__version__,
            "network": network.record(),
            "dictionary": dict(dictionary.record),
            "second": dict(second.record),
            "photographs": {"count": len(given), "sha256": given.digest()},
            "effect": later or "divergence of logits, nats",
            "seed": seed,
        },
    )


_COLUMNS = [
    "unit", "unit cosine", "no unit", "recurrence", "recurs", "verdict", "p", "untrained q",
    "hypothesis", "effect", "control", "ratio", "effect q", "acts", "why",
]  # fmt: skip


def _failures(row: pd.Series, verdict: Verdict, unit: float, recurs: float) -> Iterator[str]:
    if not row["no unit"]:
        yield f"is the unit {row['unit']} (cosine {row['unit cosine']:.2f})"
    if not row["recurs"]:
        yield f"does not recur in the second seed (cosine {row['recurrence']:.2f})"
    if row["verdict"] != "supported":
        first, *others = verdict.reasons
        more = f", and {len(others)} more" if others else ""
        yield f"{row['verdict']}: {first}{more}"
    elif not row["hypothesis"]:
        yield f"untrained atoms fit the hypothesis as well (q = {row['untrained q']:.2g})"
    if not np.isnan(row["effect q"]) and not row["acts"]:
        yield (
            f"its ablation changes no more than random directions do ({row['ratio']:.2g} times as "
            f"much, q = {row['effect q']:.2g})"
        )
