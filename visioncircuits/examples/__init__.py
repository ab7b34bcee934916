"""Dataset examples: what activates units in photographs, how often, and how strongly."""

from visioncircuits.examples.collect import collect
from visioncircuits.examples.crops import crop, masked
from visioncircuits.examples.datasets import dataset
from visioncircuits.examples.folders import folder
from visioncircuits.examples.labeled import Photographs, photographs
from visioncircuits.examples.moments import Moments
from visioncircuits.examples.parts import photograph
from visioncircuits.examples.photographs import Photograph
from visioncircuits.examples.record import Examples, LayerExamples
from visioncircuits.examples.sheet import expected_value, sheet
from visioncircuits.examples.survey import Survey, survey
from visioncircuits.examples.tar import shards
from visioncircuits.examples.tops import Places

__all__ = [
    "Examples",
    "LayerExamples",
    "Moments",
    "Photograph",
    "Photographs",
    "Places",
    "Survey",
    "collect",
    "crop",
    "dataset",
    "expected_value",
    "folder",
    "masked",
    "photograph",
    "photographs",
    "shards",
    "sheet",
    "survey",
]
