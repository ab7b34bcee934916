from .building import build
from .contents import Gallery, LayerEntry, Picture, UnitEntry
from .recipe import Recipe
from .section import MakeSection, Section, UnitPage
from .sections import SECTIONS

__all__ = [
    "SECTIONS",
    "Gallery",
    "LayerEntry",
    "MakeSection",
    "Picture",
    "Recipe",
    "Section",
    "UnitEntry",
    "UnitPage",
    "build",
]
