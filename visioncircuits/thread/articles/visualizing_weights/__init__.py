"""Visualizing Weights (Voss et al., 2021): how to read weights, between layers near and far."""

from visioncircuits.thread import Article
from visioncircuits.thread.articles.visualizing_weights.absence import center_here
from visioncircuits.thread.articles.visualizing_weights.expanded import cancellation_here
from visioncircuits.thread.articles.visualizing_weights.inception import in_google_s_network
from visioncircuits.thread.articles.visualizing_weights.published import published_weights
from visioncircuits.thread.articles.visualizing_weights.reduced import by_position

ARTICLE = Article(
    "Visualizing Weights",
    "Voss, Cammarata, Goh, Petrov, Schubert, Egan, Lim, Olah, 2021",
    "https://distill.pub/2020/circuits/visualizing-weights/",
    "How to read the weights between neurons: in the context of what they join, over several "
    "layers at once, and with many inputs reduced to a few.",
    (
        published_weights,
        cancellation_here,
        center_here,
        by_position,
        in_google_s_network,
    ),
    families={"mixed3a": "curve", "mixed3b": "curve"},
)
