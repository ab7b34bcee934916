"""Directions found in a layer's activations: factors, and the atoms of sparse autoencoders."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
