"""Dataset examples: what activates units in photographs, how often, and how strongly."""

from visioncircuits.datasets import Photograph, Photographs, photographs
from visioncircuits.examples.activations import save_activations
from visioncircuits.examples.collect import collect
from visioncircuits.examples.crops import crop, masked
from visioncircuits.examples.loading import load_activations
from visioncircuits.examples.moments import Moments
from visioncircuits.examples.preference import Preferences, prefer
from visioncircuits.examples.preference_panel import preference_panel
from visioncircuits.examples.record import Examples, LayerExamples
from visioncircuits.examples.sheet import expected_value, sheet
from visioncircuits.examples.survey import Survey, survey
from visioncircuits.examples.tops import Places

__all__ = [
    "Examples",
    "LayerExamples",
    "Moments",
    "Photograph",
    "Photographs",
    "Places",
    "Preferences",
    "Survey",
    "collect",
    "crop",
    "expected_value",
    "load_activations",
    "masked",
    "photographs",
    "prefer",
    "preference_panel",
    "save_activations",
    "sheet",
    "survey",
]
