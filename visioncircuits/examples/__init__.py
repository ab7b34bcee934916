"""Dataset examples: what drives units in photographs, how often, and how strongly."""

from visioncircuits.examples.collect import collect
from visioncircuits.examples.crops import crop, masked
from visioncircuits.examples.labeled import Photographs, photographs
from visioncircuits.examples.parts import photograph
from visioncircuits.examples.record import Examples, LayerExamples, Moments
from visioncircuits.examples.sheet import expected_value, sheet
from visioncircuits.examples.sources import Photograph, dataset, folder, shards
from visioncircuits.examples.survey import Survey, survey
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
