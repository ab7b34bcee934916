"""How units answer to stimuli whose parameters were chosen, and what that says of them."""

from visioncircuits.tuning.orientation import orientation_tuning, radial_tuning
from visioncircuits.tuning.responses import measure
from visioncircuits.tuning.storage import read, write
from visioncircuits.tuning.window import Window, window

__all__ = [
    "Window",
    "measure",
    "orientation_tuning",
    "radial_tuning",
    "read",
    "window",
    "write",
]
