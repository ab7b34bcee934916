"""Claims about features that stimuli can refute, and tests of them."""

from visioncircuits.hypotheses.evidence import Evidence, VariantResponses, measure_responses
from visioncircuits.hypotheses.found import Found
from visioncircuits.hypotheses.hypothesis import Hypothesis, Prediction, from_toml
from visioncircuits.hypotheses.judging import find, judge, judge_all
from visioncircuits.hypotheses.predefined import PREDEFINED, predefined
from visioncircuits.hypotheses.significance import judge_evidence
from visioncircuits.hypotheses.verdict_panel import verdict_panel
from visioncircuits.hypotheses.verdicts import Outcome, Verdict, verdict_table

__all__ = [
    "PREDEFINED",
    "Evidence",
    "Found",
    "Hypothesis",
    "Outcome",
    "Prediction",
    "VariantResponses",
    "Verdict",
    "find",
    "from_toml",
    "judge",
    "judge_all",
    "judge_evidence",
    "measure_responses",
    "predefined",
    "verdict_panel",
    "verdict_table",
]
