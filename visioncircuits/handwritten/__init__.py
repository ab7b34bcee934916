"""Networks whose weights are set by formula, to test whether an algorithm suffices."""

from visioncircuits.handwritten.boundaries import boundaries
from visioncircuits.handwritten.catalog import available, load
from visioncircuits.handwritten.circuit import Stage, build, labels
from visioncircuits.handwritten.color import (
    black_and_white,
    color_center_surround,
    color_contrast,
)
from visioncircuits.handwritten.curves import circles, curves, evolutes
from visioncircuits.handwritten.frequency import high_low
from visioncircuits.handwritten.labels import Label, around
from visioncircuits.handwritten.lines import line_divergence, lines
from visioncircuits.handwritten.storage import save

__all__ = [
    "Label",
    "Stage",
    "around",
    "available",
    "black_and_white",
    "boundaries",
    "build",
    "circles",
    "color_center_surround",
    "color_contrast",
    "curves",
    "evolutes",
    "high_low",
    "labels",
    "line_divergence",
    "lines",
    "load",
    "save",
]
