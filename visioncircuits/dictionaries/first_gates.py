"""The gates that need no photographs: no unit, recurs in a second seed, fits a hypothesis."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from jaxtyping import Float
from scipy.stats import false_discovery_control

from visioncircuits.dictionaries.agreement import unit_cosines
from visioncircuits.dictionaries.dictionary import Dictionary
from visioncircuits.dictionaries.evaluation import recurrence
from visioncircuits.dictionaries.untrained import untrained_like
from visioncircuits.hypotheses import Evidence, Hypothesis, VariantResponses, effects, find
from visioncircuits.hypotheses.verdicts import LEVEL, Verdict
from visioncircuits.networks import Network

UNIT = 0.9
"""Cosine with a unit from which on an atom is that unit."""

RECURS = 0.7
"""Cosine from which on an atom of another seed is the same (Paulo and Belrose, "Sparse Autoencoders
Trained on the Same Data Learn Different Features", 2025)."""

FIRST = ("no unit", "recurs", "hypothesis")


@dataclass(frozen=True, eq=False)
class FirstGates:
    """Which atoms pass the first three gates.

    Attributes
    ----------
    table
        A row an atom, by its name: the columns of `NewFeatures.table` up to `hypothesis`.
    verdicts
        The hypothesis' of each atom.
    by_chance
        How many atoms of an untrained dictionary fit its predictions: a mean over draws.
    """

    table: pd.DataFrame
    verdicts: tuple[Verdict, ...]
    by_chance: float

    @property
    def passing(self) -> list[int]:
        """The numbers of the atoms that pass all three."""
        return np.flatnonzero(self.table[list(FIRST)].all(axis=1)).tolist()


def first_gates(
    dictionary: Dictionary,
    network: Network,
    hypothesis: Hypothesis,
    responses: VariantResponses,
    *,
    second: Dictionary,
    untrained: Dictionary | None = None,
    unit: float = UNIT,
    recurs: float = RECURS,
    draws: int = 20,
    seed: int = 0,
) -> FirstGates:
    """Put atoms to the first three gates; parameters as of `new_features`.

    `responses` are those of all units of the layer to the hypothesis' stimuli.
    """
    found = find(network, dictionary.features, hypothesis, responses=responses, seed=seed)
    typical = responses.evidence().with_typical().typical

    def worst(atoms: Dictionary) -> Float[np.ndarray, " atoms"]:
        evidence = responses.along(atoms.features).evidence()
        return _worst(replace(evidence, typical=typical), hypothesis)

    by_chance = np.concatenate([worst(d) for d in _drawn(dictionary, untrained, draws, seed)])
    untrained_q = false_discovery_control(_share_as_good(worst(dictionary), by_chance))
    largest = dictionary.atoms.abs().argmax(1).tolist()
    table = pd.DataFrame(
        {
            "unit": [f"{dictionary.layer}:{index}" for index in largest],
            "unit cosine": unit_cosines(dictionary.atoms.cpu()).tolist(),
            "recurrence": recurrence(dictionary, second).tolist(),
            "verdict": [verdict.status for verdict in found.verdicts],
            "p": [verdict.p for verdict in found.verdicts],
            "untrained q": untrained_q,
        },
        index=[f"atom {number}" for number in range(len(dictionary.atoms))],
    )
    table["no unit"] = table["unit cosine"] < unit
    table["recurs"] = table["recurrence"] >= recurs
    table["hypothesis"] = (table["verdict"] == "supported") & (table["untrained q"] <= LEVEL)
    return FirstGates(table, tuple(found.verdicts), float((by_chance >= 0).sum() / draws))


def _drawn(
    dictionary: Dictionary, untrained: Dictionary | None, draws: int, seed: int
) -> Iterator[Dictionary]:
    if untrained is not None:
        yield untrained
    for draw in range(draws - (untrained is not None)):
        yield untrained_like(dictionary, seed=seed + draw)


def _worst(evidence: Evidence, hypothesis: Hypothesis) -> Float[np.ndarray, " features"]:
    """Return by how much each feature meets the prediction that it meets the least."""
    margins = [
        prediction.margin(prediction.measure(evidence))
        for prediction in hypothesis.predictions
        if prediction.function is not effects.strength  # which photographs would be needed for
    ]
    return np.asarray(np.min(margins, 0))


def _share_as_good(
    own: Float[np.ndarray, " atoms"], by_chance: Float[np.ndarray, " draws"]
) -> Float[np.ndarray, " atoms"]:
    """Return the share of draws that are as good as each atom, the atom counted among them."""
    ordered = np.sort(by_chance)
    return (1 + len(ordered) - np.searchsorted(ordered, own)) / (1 + len(ordered))
