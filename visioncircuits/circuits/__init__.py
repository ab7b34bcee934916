"""Circuits of edges: what carries a feature through several layers, found, run and evaluated."""

from visioncircuits.circuits.candidates import Candidates, candidates
from visioncircuits.circuits.circuit import Circuit, Edge
from visioncircuits.circuits.running import Measured, measured, run
from visioncircuits.circuits.scores import METHODS, EdgeScores, score

__all__ = [
    "METHODS", "Candidates", "Circuit", "Edge", "EdgeScores", "Measured", "candidates", "measured",
    "run", "score",
]
