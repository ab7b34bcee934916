"""The kinds of evidence that a gallery shows: a module each plans, makes, reads and shows one.

A further kind is a further module and template here, listed in `building.KINDS` and,
with its sections of a unit's page, in `sections.SECTIONS`. Its options are a table of the recipe,
in `recipe_tables`: mistakes in a recipe are reported before torch is imported.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
