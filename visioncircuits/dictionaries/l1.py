"""Autoencoders whose codes are sparse by a penalty on their sum.

Sources: Cunningham et al. (2023), with a tied encoder; Bricken et al., "Towards monosemanticity"
(2023), with one of its own.
"""

from dataclasses import dataclass

import torch

from visioncircuits.dictionaries.method import Coded, Method, Parameters, Values, dense
from visioncircuits.dictionaries.rules import Rectified
from visioncircuits.numbers import real


@dataclass(frozen=True)
class L1(Method):
    """An autoencoder of rectified projections, with a penalty on the sum of the codes.

    Attributes
    ----------
    penalty
        Weight of ``Σ z / √V`` beside the loss ``‖y − ŷ‖² / V``, where V is the variance of
        normalized activations y, summed over units.
    tied
        Whether the encoder is the decoder.

    Raises
    ------
    InputError
        If the penalty is not above 0.

    Examples
    --------
    >>> L1(0.05, tied=True)
    L1(penalty=0.05, tied=True)
    """

    penalty: float
    tied: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "penalty", real("penalty", self.penalty, least=0, open=True))

    def start(self, units: int, atoms: int, generator: torch.Generator) -> Parameters:
        """Draw the parameters; a tied encoder has a bias too."""
        return {"bias": torch.zeros(atoms), **super().start(units, atoms, generator)}

    def coded(self, projections: Values, parameters: Parameters) -> Coded:
        """Return what the projections above 0 give."""
        codes = projections.relu()
        return dense(codes, parameters, self.penalty * codes.sum(1))

    def rule(self, parameters: Parameters, projections: Values) -> Rectified:
        """Return the rule of those above 0."""
        return Rectified()
