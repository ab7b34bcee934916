"""Directions found in a layer's activations: dictionaries, and units that are several features."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
