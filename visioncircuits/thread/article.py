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
from visioncircuits.thread.claims import NEGATIVE, Claim, Row
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
    named: tuple[str, ...] = NEGATIVE
    """The stand-ins of all claims that name none themselves."""

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

    @property
    def stand_ins(self) -> tuple[str, ...]:
        """The stand-ins that any of its claims is tested on."""
        used = [name for claim in self.claims for name in self._of(claim)]
        return tuple(name for name in dict.fromkeys((*self.named, *used)) if name in used)

    def tested_on(self, stand_in: str | None) -> tuple[Claim, ...]:
        """Return the claims that are tested on a stand-in; all, where it is None."""
        return tuple(c for c in self.claims if stand_in is None or stand_in in self._of(c))

    def _of(self, claim: Claim) -> tuple[str, ...]:
        if claim.kind != "this network":
            return ()
        return self.named if claim.stand_ins is None else claim.stand_ins


def part(*claims: Claim, stand_ins: tuple[str, ...] = NEGATIVE) -> Callable[[Test], Part]:
    """Make a part of a function that yields a row for every claim, and plates.

    The function's docstring is the section's title and text. Where it raises `Unavailable`, the
    claims that have no row yet are reported as untested.

    Parameters
    ----------
    claims
        Each has one row.
    stand_ins
        Names of those that claims about this network are tested on as well, where they name none
        themselves. By default the negative ones; a network that was designed to have the property
        is named besides, such as "handwritten curves".

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
    return lambda test: Part(test, claims, stand_ins)


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
    "toy-models",
    "circuits-tested",
    "building-blocks",
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
