"""Zoom In (Olah et al., 2020): features, circuits, universality."""

from visioncircuits.thread import Article
from visioncircuits.thread.articles.zoom_in.cars import car_circuit
from visioncircuits.thread.articles.zoom_in.curve_unit import seven_arguments
from visioncircuits.thread.articles.zoom_in.dogs import dog_circuit, superposition
from visioncircuits.thread.articles.zoom_in.inception import google
from visioncircuits.thread.articles.zoom_in.other_networks import universality
from visioncircuits.thread.articles.zoom_in.published import published_circuits

ARTICLE = Article(
    "Zoom In: An Introduction to Circuits",
    "Olah, Cammarata, Schubert, Goh, Petrov, Carter, 2020",
    "https://distill.pub/2020/circuits/zoom-in/",
    "Three claims about neural networks: they have features that can be understood, which are "
    "joined by circuits that can be understood, and other networks have the same.",
    (
        published_circuits,
        seven_arguments,
        car_circuit,
        dog_circuit,
        superposition,
        universality,
        google,
    ),
    families={"mixed3a": "curve", "mixed3b": "curve"},
)
