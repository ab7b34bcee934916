"""Networks whose weights are set by formula, to test whether an algorithm suffices."""

from visioncircuits.handwritten.boundaries import boundaries
from visioncircuits.handwritten.catalog import available, incomplete, load
from visioncircuits.handwritten.circuit import HandwrittenNetwork, Stage, build, labels
from visioncircuits.handwritten.color import (
    black_and_white,
    color_center_surround,
    color_contrast,
)
from visioncircuits.handwritten.contours import (
    Contour,
    arc,
    inward_ring,
    opposing_arc,
    opposing_rays,
    rays,
    ring,
)
from visioncircuits.handwritten.curves import circles, curves, evolutes
from visioncircuits.handwritten.early_vision import merged
from visioncircuits.handwritten.frequency import high_low
from visioncircuits.handwritten.gabors import gabors
from visioncircuits.handwritten.labels import Label, around
from visioncircuits.handwritten.lines import line_divergence, line_stages, lines
from visioncircuits.handwritten.panels import circuit_panel, contour_panel, rule_panel
from visioncircuits.handwritten.plane import Positions
from visioncircuits.handwritten.rules import (
    Rule,
    along,
    center_surround,
    pooled,
    sided,
    straight,
    wave,
)
from visioncircuits.handwritten.storage import save

__all__ = [
    "Contour",
    "HandwrittenNetwork",
    "Label",
    "Positions",
    "Rule",
    "Stage",
    "along",
    "arc",
    "around",
    "available",
    "black_and_white",
    "boundaries",
    "build",
    "center_surround",
    "circles",
    "circuit_panel",
    "color_center_surround",
    "color_contrast",
    "contour_panel",
    "curves",
    "evolutes",
    "gabors",
    "high_low",
    "incomplete",
    "inward_ring",
    "labels",
    "line_divergence",
    "line_stages",
    "lines",
    "load",
    "merged",
    "opposing_arc",
    "opposing_rays",
    "pooled",
    "rays",
    "ring",
    "rule_panel",
    "save",
    "sided",
    "straight",
    "wave",
]
