"""An article as a list of parts, each of which tests some claims and remakes some figures."""

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from inspect import cleandoc

from PIL import Image

from visioncircuits.errors import unknown
from visioncircuits.figures import Figure
from visioncircuits.thread import articles
from visioncircuits.thread.claims import Claim, Row
from visioncircuits.thread.study import Study


@dataclass(frozen=True)
class Plate:
    """A figure of the article, remade.

    Attributes
    ----------
    name
        Of its file, without suffix.
    picture
        Drawn by matplotlib, or an image.
    caption
        What is shown, by which convention, and from how much.

    Examples
    --------
    >>> Plate("gray", Image.new("RGB", (8, 8)), "A tile of 8 pixels.").caption
    'A tile of 8 pixels.'
    """

    name: str
    picture: Figure | Image.Image
    caption: str


Test = Callable[[Study], Iterator[Row | Plate]]


@dataclass(frozen=True)
class Part:
    """A section of an article; made by `part`."""

    test: Test
    claims: tuple[Claim, ...]

    @property
    def name(self) -> str:
        """The function's."""
        return self.test.__name__

    @property
    def title(self) -> str:
        """The docstring's first line."""
        return cleandoc(self.test.__doc__ or self.name).partition("\n")[0].rstrip(".")

    @property
    def text(self) -> str:
        """The rest of the docstring."""
        return cleandoc(self.test.__doc__ or "").partition("\n")[2].strip()


def part(*claims: Claim) -> Callable[[Test], Part]:
    """Make a part of a function that yields a row for every claim, and plates.

    The function's docstring is the section's title and text. Where it raises `Unavailable`, the
    claims that have no row yet are reported as untested.

    Examples
    --------
    >>> from visioncircuits.thread import Row, Study, here
    >>> HALF = here("half of the layer's units are curve detectors", "50 %")
    >>> @part(HALF)
    ... def curves(study: Study) -> Iterator[Row | Plate]:
    ...     '''Curve detectors.'''
    ...     share = len(study.found("curve", "mixed3b")) / study.network.layer("mixed3b").units
    ...     yield HALF.found(f"{share:.0%}", holds=share > 0.45)
    >>> curves.title
    'Curve detectors'
    """
    return lambda test: Part(test, claims)


@dataclass(frozen=True)
class Article:
    """A reproduction of an article.

    Attributes
    ----------
    title, authors, url
        Of the article; no address where it is a question of our own.
    parts
        Its sections, in order.
    summary
        Its question, in a sentence or two.
    families
        Layers of InceptionV1 that it studies, each with the family that decides which layer of
        another network takes its place; others go by their receptive fields.

    Examples
    --------
    >>> article = Article("Curves", "Someone", "", "Does this network have any?", parts=())
    >>> article.title
    'Curves'
    """

    title: str
    authors: str
    url: str
    summary: str
    parts: tuple[Part, ...]
    families: Mapping[str, str] = field(default_factory=dict)


def names() -> list[str]:
    """List the articles, in the thread's order.

    Examples
    --------
    >>> "weight-banding" in names()
    True
    """
    found = sorted(
        module.name.replace("_", "-") for module in pkgutil.iter_modules(articles.__path__)
    )
    return sorted(found, key=lambda name: _ORDER.index(name) if name in _ORDER else len(_ORDER))


_ORDER = (
    "zoom-in",
    "early-vision",
    "curve-detectors",
    "equivariance",
    "high-low-frequency-detectors",
    "curve-circuits",
    "visualizing-weights",
    "branch-specialization",
    "weight-banding",
    "missing-curves",
    "coverage",
)


def load(name: str) -> Article:
    """Import an article.

    Raises
    ------
    InputError
        If the article is unknown.

    Examples
    --------
    >>> load("weight-banding").title
    'Weight Banding'
    """
    if name not in names():
        raise unknown("article", name, names())
    module = importlib.import_module(f"{articles.__name__}.{name.replace('-', '_')}")
    article: Article = module.ARTICLE
    return article
