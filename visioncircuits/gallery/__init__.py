"""The site that shows everything: from a recipe to static pages."""

from visioncircuits.gallery.build import build
from visioncircuits.gallery.contents import Gallery, LayerEntry, Picture, UnitEntry
from visioncircuits.gallery.recipe import Recipe
from visioncircuits.gallery.section import MakeSection, Section, UnitPage
from visioncircuits.gallery.sections import SECTIONS

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
