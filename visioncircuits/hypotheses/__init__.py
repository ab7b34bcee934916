"""Claims about features that stimuli can refute, and tests of them."""

from visioncircuits.hypotheses.evidence import Answers, Evidence, ask, gather
from visioncircuits.hypotheses.hypothesis import Hypothesis, Prediction, from_toml
from visioncircuits.hypotheses.predefined import PREDEFINED, predefined
from visioncircuits.hypotheses.verdict_panel import verdict_panel
from visioncircuits.hypotheses.verdicts import (
    Outcome,
    Verdict,
    find,
    judge,
    survey,
    table,
    weigh,
)

__all__ = [
    "PREDEFINED",
    "Answers",
    "Evidence",
    "Hypothesis",
    "Outcome",
    "Prediction",
    "Verdict",
    "ask",
    "find",
    "from_toml",
    "gather",
    "judge",
    "predefined",
    "survey",
    "table",
    "verdict_panel",
    "weigh",
]
