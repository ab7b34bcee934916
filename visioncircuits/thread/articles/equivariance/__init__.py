"""Naturally Occurring Equivariance (Olah et al., 2020): units that are one another, transformed."""

from visioncircuits.thread import Article
from visioncircuits.thread.articles.equivariance.circuits import circuits_here
from visioncircuits.thread.articles.equivariance.families import families_here
from visioncircuits.thread.articles.equivariance.inception import in_google_s_network
from visioncircuits.thread.articles.equivariance.published import published_circuits

ARTICLE = Article(
    "Naturally Occurring Equivariance in Neural Networks",
    "Olah, Cammarata, Voss, Schubert, Goh, 2020",
    "https://distill.pub/2020/circuits/equivariance/",
    "Many units are one another turned, mirrored, enlarged or recolored, and so are the circuits "
    "that they are made of.",
    (published_circuits, families_here, circuits_here, in_google_s_network),
    families={"mixed3a": "curve", "mixed3b": "curve"},
)
