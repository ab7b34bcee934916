"""Argument 1: what picture drives it most?"""

from visioncircuits.featurevis import gradients, objectives
from visioncircuits.featurevis.caricature import accentuate, caricature
from visioncircuits.featurevis.defaults import suited
from visioncircuits.featurevis.lucent import from_lucent
from visioncircuits.featurevis.objectives import Objective
from visioncircuits.featurevis.parameterizations import (
    Fourier,
    Laplacian,
    Maco,
    Pixels,
    Transparent,
    measure_spectrum,
)
from visioncircuits.featurevis.render import render, render_all
from visioncircuits.featurevis.settings import Settings
from visioncircuits.featurevis.transforms import STILL, Robustness
from visioncircuits.featurevis.visualization import Visualization

__all__ = [
    "STILL",
    "Fourier",
    "Laplacian",
    "Maco",
    "Objective",
    "Pixels",
    "Robustness",
    "Settings",
    "Transparent",
    "Visualization",
    "accentuate",
    "caricature",
    "from_lucent",
    "gradients",
    "measure_spectrum",
    "objectives",
    "render",
    "render_all",
    "suited",
]
