"""TopK autoencoders: the k largest projections of each sample are its codes.

Source: Gao et al., "Scaling and evaluating sparse autoencoders" (2024).
"""

from dataclasses import dataclass

from visioncircuits.dictionaries.method import Coded, Method, Parameters, Values, gathered
from visioncircuits.dictionaries.rules import Largest
from visioncircuits.numbers import whole


@dataclass(frozen=True)
class TopK(Method):
    """An autoencoder whose codes are the `k` largest projections, where they are above 0.

    Raises
    ------
    InputError
        If `k` is not a whole number of 1 or more.

    Examples
    --------
    >>> TopK(32)
    TopK(k=32)
    """

    k: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "k", whole("k", self.k, least=1))

    def coded(self, projections: Values, parameters: Parameters) -> Coded:
        """Return what the largest projections give."""
        top = projections.topk(self.k, dim=1, sorted=False)
        return gathered(top.indices, top.values.relu(), parameters)

    def rule(self, parameters: Parameters, projections: Values) -> Largest:
        """Return the rule of the k largest."""
        return Largest(self.k)
