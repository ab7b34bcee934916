"""Argument 1: which picture activates it most?"""

from visioncircuits.featurevis import facets, gradients, objectives
from visioncircuits.featurevis.caricature import accentuate, caricature
from visioncircuits.featurevis.contact_sheet import contact_sheet
from visioncircuits.featurevis.defaults import suited
from visioncircuits.featurevis.facet import Facet
from visioncircuits.featurevis.facets import faceted
from visioncircuits.featurevis.lucent import from_lucent
from visioncircuits.featurevis.maco import Maco, measure_spectrum
from visioncircuits.featurevis.objective import Objective
from visioncircuits.featurevis.parameterizations import Fourier, Laplacian, Pixels
from visioncircuits.featurevis.render import render, render_all
from visioncircuits.featurevis.settings import Settings
from visioncircuits.featurevis.transforms import NO_TRANSFORMS, Transforms
from visioncircuits.featurevis.transparency import Transparent
from visioncircuits.featurevis.visualization import Visualization

__all__ = [
    "NO_TRANSFORMS",
    "Facet",
    "Fourier",
    "Laplacian",
    "Maco",
    "Objective",
    "Pixels",
    "Settings",
    "Transforms",
    "Transparent",
    "Visualization",
    "accentuate",
    "caricature",
    "contact_sheet",
    "faceted",
    "facets",
    "from_lucent",
    "gradients",
    "measure_spectrum",
    "objectives",
    "render",
    "render_all",
    "suited",
]
