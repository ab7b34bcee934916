"""Circuits, tested: what a circuit claims of a layer, put to tests that it could fail."""

from visioncircuits.thread import Article
from visioncircuits.thread.articles.circuits_tested.edges import edges
from visioncircuits.thread.articles.circuits_tested.induction import circles, curves, high_low
from visioncircuits.thread.articles.circuits_tested.scrubs import scrubs

ARTICLE = Article(
    "Circuits, tested",
    "a question that came after the thread",
    "",
    "The thread took circuits apart and showed that their parts make sense. Zoom In also sketched "
    "how a circuit could be proven: take the theory of each neuron of one layer as given, and "
    "derive the next layer from the weights. Here that is done, and it can fail; hypotheses are "
    "scrubbed, and circuits of edges run by themselves.",
    (curves, high_low, circles, scrubs, edges),
    families={"mixed3a": "curve", "mixed3b": "curve"},
)
