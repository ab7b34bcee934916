"""Curve Detectors (Cammarata et al., 2020): a family of units, from several sides."""

from visioncircuits.thread import Article
from visioncircuits.thread.articles.curve_detectors.activations import photographs
from visioncircuits.thread.articles.curve_detectors.contributions import attribution
from visioncircuits.thread.articles.curve_detectors.inception import inception5h
from visioncircuits.thread.articles.curve_detectors.joint import joint_tuning
from visioncircuits.thread.articles.curve_detectors.labeling import without_humans
from visioncircuits.thread.articles.curve_detectors.maps import published_maps, stimuli_and_labels
from visioncircuits.thread.articles.curve_detectors.synthetic import (
    angles,
    echoes,
    synthetic_curves,
)
from visioncircuits.thread.articles.curve_detectors.tracing import traced
from visioncircuits.thread.articles.curve_detectors.tuning import published_tuning

ARTICLE = Article(
    "Curve Detectors",
    "Cammarata, Goh, Carter, Schubert, Petrov, Olah, 2020",
    "https://distill.pub/2020/circuits/curve-detectors/",
    "Units of one family respond to curves of one orientation each, however they are drawn, "
    "and hardly to anything else.",
    (
        published_tuning, published_maps, stimuli_and_labels, synthetic_curves, echoes, angles,
        photographs, without_humans, attribution, joint_tuning, traced, inception5h,
    ),
    families={"mixed3b": "curve"},
)  # fmt: skip
