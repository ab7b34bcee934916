"""Hypotheses about how a behavior is computed, tested by exchanging all that they allow."""

from visioncircuits.scrubbing.alternatives import alternatives_to, other_units
from visioncircuits.scrubbing.from_file import from_toml
from visioncircuits.scrubbing.from_labels import from_labels
from visioncircuits.scrubbing.hypothesis import CausalHypothesis, Variable
from visioncircuits.scrubbing.interchange import Interchanged, interchange
from visioncircuits.scrubbing.readings import Contour, Reading
from visioncircuits.scrubbing.scrub import Claim, Scrubbed, scrub
from visioncircuits.scrubbing.scrub_panel import scrub_panel
from visioncircuits.scrubbing.shown import Shown, drawn_stimuli, shown_photographs

__all__ = [
    "CausalHypothesis",
    "Claim",
    "Contour",
    "Interchanged",
    "Reading",
    "Scrubbed",
    "Shown",
    "Variable",
    "alternatives_to",
    "drawn_stimuli",
    "from_labels",
    "from_toml",
    "interchange",
    "other_units",
    "scrub",
    "scrub_panel",
    "shown_photographs",
]
