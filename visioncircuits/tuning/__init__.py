"""Responses to stimuli whose parameters were chosen: tuning curves, their numbers and plots."""

from visioncircuits.tuning.achromatic import black_and_white
from visioncircuits.tuning.circles import circle_detectors
from visioncircuits.tuning.circular import angular_difference, angular_distance
from visioncircuits.tuning.deviations import deviations, in_deviations
from visioncircuits.tuning.heatmaps import boundary_maps, tuning_maps
from visioncircuits.tuning.joint import align, joint_panel
from visioncircuits.tuning.orientation import orientation_tuning, radial_tuning
from visioncircuits.tuning.placement import Placement, placement
from visioncircuits.tuning.radial import radial_panel
from visioncircuits.tuning.responses import Responses, measure
from visioncircuits.tuning.rotation import rotated_pictures
from visioncircuits.tuning.selectivity import axis_tuning, invariance, preferred_value, sparseness
from visioncircuits.tuning.tracing import trace

__all__ = [
    "Placement",
    "Responses",
    "align",
    "angular_difference",
    "angular_distance",
    "axis_tuning",
    "black_and_white",
    "boundary_maps",
    "circle_detectors",
    "deviations",
    "in_deviations",
    "invariance",
    "joint_panel",
    "measure",
    "orientation_tuning",
    "placement",
    "preferred_value",
    "radial_panel",
    "radial_tuning",
    "rotated_pictures",
    "sparseness",
    "trace",
    "tuning_maps",
]
