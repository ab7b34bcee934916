"""Reverse engineer convolutional vision networks the way the Circuits thread did.

The toolkit at a glance, one verb a tool; nothing is imported before it is used. Each folder has
more: `visioncircuits.stimuli`, `visioncircuits.handwritten`, …

>>> import visioncircuits
>>> network = visioncircuits.load("bvlc_googlenet")  # doctest: +SKIP
>>> visioncircuits.render(network, "mixed3b:413")  # doctest: +SKIP
"""

import importlib
from typing import Any

__version__ = "0.1.0"

_PUBLIC = {
    "InputError": ("errors", "InputError"),
    "Network": ("networks", "Network"),
    "Preprocessing": ("networks", "Preprocessing"),
    "Settings": ("featurevis", "Settings"),
    "Visualization": ("featurevis", "Visualization"),
    "ablate": ("interventions", "ablate"),
    "attribute": ("attribution", "integrated_gradients"),
    "build_gallery": ("gallery", "build"),
    "circuit": ("weights", "circuit"),
    "collect": ("examples", "collect"),
    "compare": ("comparison", "compare"),
    "contextual_weights": ("weights", "contextual_weights"),
    "discover": ("attribution", "discover"),
    "discover_circuit": ("circuits", "discover"),
    "edited": ("interventions", "edited"),
    "expanded_weights": ("weights", "expanded_weights"),
    "find": ("hypotheses", "find"),
    "judge": ("hypotheses", "judge"),
    "load": ("networks", "load"),
    "match": ("comparison", "match"),
    "measure": ("tuning", "measure"),
    "path_patched": ("interventions", "path_patched"),
    "photographs": ("datasets", "photographs"),
    "prefer": ("examples", "prefer"),
    "render": ("featurevis", "render"),
    "render_all": ("featurevis", "render_all"),
    "scrub": ("scrubbing", "scrub"),
    "survey": ("examples", "survey"),
    "wrap": ("networks", "wrap"),
}

__all__ = ["__version__", *_PUBLIC]


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        folder, original = _PUBLIC[name]
        return getattr(importlib.import_module(f"visioncircuits.{folder}"), original)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
