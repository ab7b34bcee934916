"""How units answer to stimuli whose parameters were chosen, and what that says of them."""

from visioncircuits.tuning.evidence import Evidence, gather
from visioncircuits.tuning.hypotheses import Hypothesis, Prediction, from_toml
from visioncircuits.tuning.orientation import orientation_tuning, radial_tuning
from visioncircuits.tuning.predefined import PREDEFINED, predefined
from visioncircuits.tuning.responses import measure
from visioncircuits.tuning.storage import read, write
from visioncircuits.tuning.verdicts import Outcome, Verdict, find, judge, survey, table, weigh
from visioncircuits.tuning.window import Window, window

__all__ = [
    "PREDEFINED",
    "Evidence",
    "Hypothesis",
    "Outcome",
    "Prediction",
    "Verdict",
    "Window",
    "find",
    "from_toml",
    "gather",
    "judge",
    "measure",
    "orientation_tuning",
    "predefined",
    "radial_tuning",
    "read",
    "survey",
    "table",
    "weigh",
    "window",
    "write",
]
