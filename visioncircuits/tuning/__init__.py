"""How units answer to stimuli whose parameters were chosen, and what that says of them."""

from visioncircuits.tuning.achromatic import black_and_white
from visioncircuits.tuning.circles import circle_detectors
from visioncircuits.tuning.deviations import deviations, in_deviations
from visioncircuits.tuning.evidence import Answers, Evidence, ask, gather
from visioncircuits.tuning.heatmaps import boundary_maps, curve_maps
from visioncircuits.tuning.hypotheses import Hypothesis, Prediction, from_toml
from visioncircuits.tuning.joint import align, joint_panel
from visioncircuits.tuning.orientation import orientation_tuning, radial_tuning
from visioncircuits.tuning.plots import save_plot
from visioncircuits.tuning.predefined import PREDEFINED, predefined
from visioncircuits.tuning.radial import radial_panel
from visioncircuits.tuning.responses import measure
from visioncircuits.tuning.selectivity import axis_tuning, invariance, preferred_value, sparseness
from visioncircuits.tuning.storage import read, write
from visioncircuits.tuning.tracing import trace
from visioncircuits.tuning.turned import turned
from visioncircuits.tuning.verdict_panel import verdict_panel
from visioncircuits.tuning.verdicts import Outcome, Verdict, find, judge, survey, table, weigh
from visioncircuits.tuning.window import Window, window

__all__ = [
    "PREDEFINED",
    "Answers",
    "Evidence",
    "Hypothesis",
    "Outcome",
    "Prediction",
    "Verdict",
    "Window",
    "align",
    "ask",
    "axis_tuning",
    "black_and_white",
    "boundary_maps",
    "circle_detectors",
    "curve_maps",
    "deviations",
    "find",
    "from_toml",
    "gather",
    "in_deviations",
    "invariance",
    "joint_panel",
    "judge",
    "measure",
    "orientation_tuning",
    "predefined",
    "preferred_value",
    "radial_panel",
    "radial_tuning",
    "read",
    "save_plot",
    "sparseness",
    "survey",
    "table",
    "trace",
    "turned",
    "verdict_panel",
    "weigh",
    "window",
    "write",
]
