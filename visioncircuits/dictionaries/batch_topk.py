"""BatchTopK autoencoders: a batch has k codes a sample on average, some samples more, some fewer.

Source: Bussmann, Leask and Nanda, "BatchTopK sparse autoencoders" (2024).
"""

from dataclasses import dataclass

import torch

from visioncircuits.dictionaries.method import Coded, Method, Parameters, Values, gathered
from visioncircuits.dictionaries.rules import AboveThreshold
from visioncircuits.numbers import whole


@dataclass(frozen=True)
class BatchTopK(Method):
    """An autoencoder whose codes are the largest projections of a batch, `k` a sample on average.

    After training, codes are the projections above the threshold that gives as many on a sample of
    the training's activations, so that a sample's codes do not depend on others.

    Raises
    ------
    InputError
        If `k` is not a whole number of 1 or more.

    Examples
    --------
    >>> BatchTopK(32)
    BatchTopK(k=32)
    """

    k: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "k", whole("k", self.k, least=1))

    def coded(self, projections: Values, parameters: Parameters) -> Coded:
        """Return what the batch's largest projections give."""
        samples, atoms = projections.shape
        flat = projections.flatten()
        chosen = flat.detach().topk(self.k * samples, sorted=False).indices.sort().values
        begin = torch.arange(samples, device=flat.device) * atoms
        starts = torch.searchsorted(chosen, begin)
        return gathered(chosen % atoms, flat[chosen].relu(), parameters, starts=starts)

    def rule(self, parameters: Parameters, projections: Values) -> AboveThreshold:
        """Return the rule of the threshold that leaves k codes on average."""
        largest = projections.flatten().topk(self.k * len(projections) + 1, sorted=False).values
        return AboveThreshold(max(float(largest.min()), 0.0))
