"""Reading an algorithm out of the weights: what feeds a feature, and what it feeds."""

from visioncircuits.weights.colors import decoded, signed_colors
from visioncircuits.weights.differentiation import expanded_weights_by_autograd
from visioncircuits.weights.expanded import ExpandedWeights, expanded_weights
from visioncircuits.weights.linearization import LOCAL, Linearization
from visioncircuits.weights.pictures import connection_cards, kernel_grid
from visioncircuits.weights.ranking import Connection, strongest_inputs, strongest_outputs

__all__ = [
    "LOCAL",
    "Connection",
    "ExpandedWeights",
    "Linearization",
    "connection_cards",
    "decoded",
    "expanded_weights",
    "expanded_weights_by_autograd",
    "kernel_grid",
    "signed_colors",
    "strongest_inputs",
    "strongest_outputs",
]
