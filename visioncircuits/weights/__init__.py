"""Weights: how a feature is computed from earlier layers, and how later layers use it."""

from visioncircuits.colors import decoded, signed_colors
from visioncircuits.weights.backbone import Surroundings, main_layers, surroundings
from visioncircuits.weights.banding import (
    Banding,
    banding,
    banding_picture,
    reduced_kernels,
)
from visioncircuits.weights.circuit import Circuit, Level, circuit
from visioncircuits.weights.contextual import Flow, contextual_weights
from visioncircuits.weights.diagram import circuit_diagram
from visioncircuits.weights.differentiation import expanded_weights_by_autograd
from visioncircuits.weights.expanded import ExpandedWeights
from visioncircuits.weights.expansion import expanded_weights
from visioncircuits.weights.factors import Factors, one_sided_nmf
from visioncircuits.weights.linearization import LOCAL, Linearization
from visioncircuits.weights.pictures import connection_cards, factor_grid, kernel_grid
from visioncircuits.weights.positions import PositionView, position_grid, position_view
from visioncircuits.weights.ranking import Connection, strongest_inputs, strongest_outputs

__all__ = [
    "LOCAL",
    "Banding",
    "Circuit",
    "Connection",
    "ExpandedWeights",
    "Factors",
    "Flow",
    "Level",
    "Linearization",
    "PositionView",
    "Surroundings",
    "banding",
    "banding_picture",
    "circuit",
    "circuit_diagram",
    "connection_cards",
    "contextual_weights",
    "decoded",
    "expanded_weights",
    "expanded_weights_by_autograd",
    "factor_grid",
    "kernel_grid",
    "main_layers",
    "one_sided_nmf",
    "position_grid",
    "position_view",
    "reduced_kernels",
    "signed_colors",
    "strongest_inputs",
    "strongest_outputs",
    "surroundings",
]
