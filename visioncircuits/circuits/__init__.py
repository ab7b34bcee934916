"""Circuits of edges: what carries a feature through several layers, found, run and evaluated."""

from visioncircuits.circuits.benchmark import areas, model_distance, performance_ratio
from visioncircuits.circuits.candidates import Candidates, candidates, candidates_of
from visioncircuits.circuits.circuit import Circuit, Edge
from visioncircuits.circuits.diagrams import diagram, shown
from visioncircuits.circuits.discovery import CircuitDiscovery, discover
from visioncircuits.circuits.evaluation import (
    Curves,
    Evaluation,
    curves,
    evaluate,
)
from visioncircuits.circuits.panels import curves_panel
from visioncircuits.circuits.running import Measured, measured, run
from visioncircuits.circuits.scores import METHODS, EdgeScores, score
from visioncircuits.circuits.selection import budgeted, greedy, strongest
from visioncircuits.circuits.truth import true_circuit

__all__ = [
    "METHODS",
    "Candidates",
    "Circuit",
    "CircuitDiscovery",
    "Curves",
    "Edge",
    "EdgeScores",
    "Evaluation",
    "Measured",
    "areas",
    "budgeted",
    "candidates",
    "candidates_of",
    "curves",
    "curves_panel",
    "diagram",
    "discover",
    "evaluate",
    "greedy",
    "measured",
    "model_distance",
    "performance_ratio",
    "run",
    "score",
    "shown",
    "strongest",
    "true_circuit",
]
