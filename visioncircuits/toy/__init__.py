"""Toy models of superposition: more features than dimensions, and how a network holds them."""

from visioncircuits.toy.geometry import POLYTOPES, Part, parts, polytope
from visioncircuits.toy.measures import dimensionality, interference, represented
from visioncircuits.toy.models import AbsoluteValue, Linear, Model, ReLUOutput
from visioncircuits.toy.tasks import Task
from visioncircuits.toy.training import Solutions, train

__all__ = [
    "POLYTOPES",
    "AbsoluteValue",
    "Linear",
    "Model",
    "Part",
    "ReLUOutput",
    "Solutions",
    "Task",
    "dimensionality",
    "interference",
    "parts",
    "polytope",
    "represented",
    "train",
]
