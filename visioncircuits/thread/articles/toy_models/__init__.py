"""Toy Models of Superposition (Elhage et al., 2022): more features than dimensions."""

from visioncircuits.thread import Article
from visioncircuits.thread.articles.toy_models.curves import curves, dictionaries
from visioncircuits.thread.articles.toy_models.features import (
    phases,
    plateaus,
    polytopes,
    superposition,
)

ARTICLE = Article(
    "Toy models of superposition",
    "Elhage et al., 2022",
    "https://transformer-circuits.pub/2022/toy_model/index.html",
    "Can a layer represent more features than it has units, and how? Shown in models that are "
    "small enough to be understood whole; they are trained here, whichever network is studied. Two "
    "parts are new: a convolutional layer on pictures of curves, and whether a dictionary finds "
    "what it holds.",
    (superposition, plateaus, polytopes, phases, curves, dictionaries),
)
