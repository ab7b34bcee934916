"""Toy models of superposition: more features than dimensions, and how a network holds them."""

from visioncircuits.toy.curve_measures import (
    curve_samples,
    curve_tuning,
    explained,
    preferences,
)
from visioncircuits.toy.curve_panel import curve_panel
from visioncircuits.toy.curves import CurveNetwork, LinearCurveNetwork
from visioncircuits.toy.geometry import POLYTOPES, Part, parts, polytope
from visioncircuits.toy.measures import dimensionality, interference, represented
from visioncircuits.toy.models import AbsoluteValue, Linear, Model, ReLUOutput
from visioncircuits.toy.phases import PHASES, PhaseDiagram, expected_phase, phase_diagram
from visioncircuits.toy.plots import dimensionality_plot, directions_panel, phase_panel
from visioncircuits.toy.tasks import Task
from visioncircuits.toy.training import Solutions, train

__all__ = [
    "PHASES",
    "POLYTOPES",
    "AbsoluteValue",
    "CurveNetwork",
    "Linear",
    "LinearCurveNetwork",
    "Model",
    "Part",
    "PhaseDiagram",
    "ReLUOutput",
    "Solutions",
    "Task",
    "curve_panel",
    "curve_samples",
    "curve_tuning",
    "dimensionality",
    "dimensionality_plot",
    "directions_panel",
    "expected_phase",
    "explained",
    "interference",
    "parts",
    "phase_diagram",
    "phase_panel",
    "polytope",
    "preferences",
    "represented",
    "train",
]
