"""Claims about features that stimuli can refute, and tests of them."""

from visioncircuits.hypotheses.axis_edges import AxisEdge
from visioncircuits.hypotheses.each import find_each
from visioncircuits.hypotheses.evidence import Evidence, VariantResponses
from visioncircuits.hypotheses.found import Found
from visioncircuits.hypotheses.hypothesis import Hypothesis, from_toml
from visioncircuits.hypotheses.judging import find, judge, judge_all
from visioncircuits.hypotheses.measuring import measure_responses
from visioncircuits.hypotheses.on_photographs import OnPhotographs
from visioncircuits.hypotheses.outcome import Outcome
from visioncircuits.hypotheses.predefined import PREDEFINED, applicable, predefined
from visioncircuits.hypotheses.prediction import Prediction
from visioncircuits.hypotheses.reader import Reader
from visioncircuits.hypotheses.significance import judge_evidence
from visioncircuits.hypotheses.verdict_panel import verdict_panel
from visioncircuits.hypotheses.verdicts import Verdict, verdict_table

__all__ = [
    "PREDEFINED",
    "AxisEdge",
    "Evidence",
    "Found",
    "Hypothesis",
    "OnPhotographs",
    "Outcome",
    "Prediction",
    "Reader",
    "VariantResponses",
    "Verdict",
    "applicable",
    "find",
    "find_each",
    "from_toml",
    "judge",
    "judge_all",
    "judge_evidence",
    "measure_responses",
    "predefined",
    "verdict_panel",
    "verdict_table",
]
