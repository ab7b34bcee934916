"""What circuits keep of a feature, photograph by photograph, against the network and nothing."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Bool, Float

from visioncircuits.circuits.running import Measured, activations
from visioncircuits.interventions.ablation import Ablation
from visioncircuits.interventions.intervals import ends, resamples

Measure = Literal["faithfulness", "explained"]

MEASURES: tuple[Measure, ...] = ("faithfulness", "explained")
"""How much a circuit keeps: of the activation at its peak, or of the variance everywhere."""


@dataclass(frozen=True, eq=False)
class Kept:
    """What a circuit keeps of a feature, photograph by photograph.

    Attributes
    ----------
    gained
        The activation at its peak in the circuit, less that of the empty circuit.
    possible
        The same of the network as it is.
    lost
        The square of the change of the activation, summed over all positions.
    spread
        The square of the activation less its mean over all photographs, summed over positions.
    """

    gained: Float[np.ndarray, " photographs"]
    possible: Float[np.ndarray, " photographs"]
    lost: Float[np.ndarray, " photographs"]
    spread: Float[np.ndarray, " photographs"]

    def bounds(self, measure: Measure, *, seed: int = 0) -> Float[np.ndarray, " 3"]:
        """Return a measure and its 95 % interval, by resampling photographs."""
        weights = resamples(len(self.gained), seed)
        return np.array([self.of(measure), *ends(self._weighted(measure, weights))])

    def of(self, measure: Measure) -> float:
        """Return `"faithfulness"` or `"explained"`."""
        weights = np.full((len(self.gained), 1), 1 / len(self.gained))
        return float(self._weighted(measure, weights)[0])

    def _weighted(self, measure: Measure, weights: np.ndarray) -> np.ndarray:
        if measure == "faithfulness":
            return np.asarray(_ratio(self.gained @ weights, self.possible @ weights))
        return np.asarray(1 - _ratio(self.lost @ weights, self.spread @ weights))


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore", divide="ignore"):
        return above / np.where(below == 0, np.nan, below)


class Keeper:
    """Runs circuits on the same photographs, and compares with the network and with nothing.

    Parameters
    ----------
    study
        From `measured`.
    """

    def __init__(self, study: Measured) -> None:
        self.study = study
        self._nothing: dict[Ablation, Float[torch.Tensor, " photographs"]] = {}

    def kept(self, chosen: Bool[np.ndarray, " edges"], ablation: Ablation) -> Kept:
        """Return what the chosen edges keep."""
        study = self.study
        if ablation not in self._nothing:
            empty = np.zeros(len(study.candidates), bool)
            self._nothing[ablation] = study.at_peak(activations(study, empty, ablation))
        nothing, whole = self._nothing[ablation], study.activation
        here = whole if chosen.all() else activations(study, chosen, ablation)
        return Kept(
            _array(study.at_peak(here) - nothing),
            _array(study.at_peak(whole) - nothing),
            _array((here - whole).double().square().sum(1)),
            _array((whole - whole.double().mean()).square().sum(1)),
        )


def _array(values: torch.Tensor) -> np.ndarray:
    return np.asarray(values.double().cpu().numpy())
