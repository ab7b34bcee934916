"""Circuits of edges: what carries a feature through several layers, found, run and evaluated."""

from visioncircuits.circuits.candidates import Candidates, candidates
from visioncircuits.circuits.circuit import Circuit, Edge
from visioncircuits.circuits.running import run

__all__ = ["Candidates", "Circuit", "Edge", "candidates", "run"]
