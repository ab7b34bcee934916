"""Reverse engineer convolutional vision networks the way the Circuits thread did.

>>> import visioncircuits
>>> network = visioncircuits.load("bvlc_googlenet")  # doctest: +SKIP
>>> visioncircuits.render(network, "mixed3b:413")  # doctest: +SKIP
"""

import importlib
from typing import Any

__version__ = "0.1.0"

_PUBLIC = {
    "InputError": "visioncircuits.errors",
    "Network": "visioncircuits.networks",
    "Preprocessing": "visioncircuits.networks",
    "Settings": "visioncircuits.featurevis",
    "Visualization": "visioncircuits.featurevis",
    "load": "visioncircuits.networks",
    "render": "visioncircuits.featurevis",
    "render_all": "visioncircuits.featurevis",
    "wrap": "visioncircuits.networks",
}

__all__ = ["__version__", *_PUBLIC]


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
