"""High-Low Frequency Detectors (Schubert et al., 2021): one texture fine, the other coarse."""

from visioncircuits.thread import Article
from visioncircuits.thread.articles.high_low_frequency_detectors.boundaries import downstream_here
from visioncircuits.thread.articles.high_low_frequency_detectors.factors import (
    published_factors,
    published_weights,
)
from visioncircuits.thread.articles.high_low_frequency_detectors.inception import (
    in_google_s_network,
)
from visioncircuits.thread.articles.high_low_frequency_detectors.published import (
    published_downstream,
    published_responses,
)
from visioncircuits.thread.articles.high_low_frequency_detectors.responses import responses_here
from visioncircuits.thread.articles.high_low_frequency_detectors.weights import weights_here

ARTICLE = Article(
    "High-Low Frequency Detectors",
    "Schubert, Voss, Cammarata, Goh, Olah, 2021",
    "https://distill.pub/2020/circuits/frequency-edges/",
    "A family of early units responds to a boundary between a fine and a coarse texture, built "
    "from detectors of either frequency, and used to find the boundaries of things.",
    (
        published_responses,
        published_weights,
        published_factors,
        published_downstream,
        responses_here,
        weights_here,
        downstream_here,
        in_google_s_network,
    ),
    families={"mixed3a": "high-low"},
)
