"""Curve Circuits (Cammarata et al., 2021): how curve detectors are built, and built by hand."""

from visioncircuits.thread import Article
from visioncircuits.thread.articles.curve_circuits.building import (
    curves_from_curves,
    curves_from_lines,
    decomposed,
    made_of,
)
from visioncircuits.thread.articles.curve_circuits.inception import by_number
from visioncircuits.thread.articles.curve_circuits.inhibition import echoes
from visioncircuits.thread.articles.curve_circuits.published import published_figures
from visioncircuits.thread.articles.curve_circuits.transplant import by_hand
from visioncircuits.thread.articles.curve_circuits.uses import parameters, used_for

ARTICLE = Article(
    "Curve Circuits",
    "Cammarata, Goh, Carter, Voss, Schubert, Olah, 2021",
    "https://distill.pub/2020/circuits/curve-circuits/",
    "Curve detectors are built from lines and early curves by one rule: excite along the arc, "
    "inhibit what opposes it. The rule, set by hand, does most of the trained detectors' job.",
    (
        published_figures,
        curves_from_curves,
        curves_from_lines,
        made_of,
        echoes,
        decomposed,
        used_for,
        parameters,
        by_hand,
        by_number,
    ),
    families={"mixed3a": "curve", "mixed3b": "curve"},
)
