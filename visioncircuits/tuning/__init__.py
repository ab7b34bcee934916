"""How units answer to stimuli whose parameters were chosen, and what that says of them."""

from visioncircuits.tuning.heatmaps import boundary_maps, curve_maps
from visioncircuits.tuning.orientation import orientation_tuning, radial_tuning
from visioncircuits.tuning.plots import save_plot
from visioncircuits.tuning.radial import radial_panel
from visioncircuits.tuning.responses import measure
from visioncircuits.tuning.storage import read, write
from visioncircuits.tuning.window import Window, window

__all__ = [
    "Window",
    "boundary_maps",
    "curve_maps",
    "measure",
    "orientation_tuning",
    "radial_panel",
    "radial_tuning",
    "read",
    "save_plot",
    "window",
    "write",
]
