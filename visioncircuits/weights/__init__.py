"""Reading an algorithm out of the weights: what feeds a feature, and what it feeds."""

from visioncircuits.weights.differentiation import expanded_weights_by_autograd
from visioncircuits.weights.expanded import ExpandedWeights, expanded_weights
from visioncircuits.weights.linearization import LOCAL, Linearization

__all__ = [
    "LOCAL",
    "ExpandedWeights",
    "Linearization",
    "expanded_weights",
    "expanded_weights_by_autograd",
]
