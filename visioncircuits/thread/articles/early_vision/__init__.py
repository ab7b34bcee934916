"""An Overview of Early Vision (Olah et al., 2020): families of units in the first five layers."""

from visioncircuits.thread import Article
from visioncircuits.thread.articles.early_vision.circuits import circuits_here
from visioncircuits.thread.articles.early_vision.filters import (
    complex_gabors,
    families_here,
    filters_here,
)
from visioncircuits.thread.articles.early_vision.inception import google
from visioncircuits.thread.articles.early_vision.published import (
    published_families,
    published_filters,
)
from visioncircuits.thread.articles.early_vision.published_kernels import published_circuits

ARTICLE = Article(
    "An Overview of Early Vision in InceptionV1",
    "Olah, Cammarata, Schubert, Goh, Petrov, Carter, 2020",
    "https://distill.pub/2020/circuits/early-vision/",
    "A guided tour of the first five layers: every unit in a family, and how the families make "
    "each other.",
    (
        published_families,
        published_filters,
        published_circuits,
        filters_here,
        families_here,
        complex_gabors,
        circuits_here,
        google,
    ),
    families={"mixed3a": "high-low", "mixed3b": "curve"},
)
