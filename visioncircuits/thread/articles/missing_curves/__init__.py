"""Missing curves: are orientations that no curve detector prefers in superposition?"""

from visioncircuits.thread import Article
from visioncircuits.thread.articles.missing_curves.between import between
from visioncircuits.thread.articles.missing_curves.directions import directions
from visioncircuits.thread.articles.missing_curves.family import family_here, published_family
from visioncircuits.thread.articles.missing_curves.inception import inception5h
from visioncircuits.thread.articles.missing_curves.rings import rings
from visioncircuits.thread.claims import OWN

ARTICLE = Article(
    "Missing curves",
    OWN,
    "",
    "The ten published curve detectors leave orientations out. Does the network not detect these, "
    "or does it represent them in directions that are no unit's?",
    (published_family, family_here, between, directions, rings, inception5h),
    families={"mixed3b": "curve"},
)
