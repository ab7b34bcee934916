"""An article as a list of parts, each of which tests some claims and remakes some figures."""

import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from inspect import cleandoc
from pathlib import Path
from types import ModuleType

from matplotlib.figure import Figure
from PIL import Image

import visioncircuits
from visioncircuits.errors import InputError, unknown
from visioncircuits.thread.claims import Claim, Row
from visioncircuits.thread.study import Study

PREFIX = "reproduce_"


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
        What is seen, by which convention, and from how much.
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
    claims that have no row yet are told as untested.
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
        What it asked, in a sentence or two.
    """

    title: str
    authors: str
    url: str
    summary: str
    parts: tuple[Part, ...]


def folder() -> Path:
    """Find the scripts that hold the articles: in the package, or beside it in a checkout."""
    package = Path(visioncircuits.__file__).parent
    inside = package / "scripts"
    return inside if inside.is_dir() else package.parent / "scripts"


def names() -> list[str]:
    """List the articles, in the thread's order.

    Examples
    --------
    >>> "weight-banding" in names()
    True
    """
    found = [
        path.stem.removeprefix(PREFIX).replace("_", "-")
        for path in sorted(folder().glob(f"{PREFIX}*.py"))
    ]
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


def path(name: str) -> Path:
    """Give the script of an article.

    Raises
    ------
    InputError
        For an unknown article.
    """
    if name not in names():
        raise unknown("article", name, names())
    return folder() / f"{PREFIX}{name.replace('-', '_')}.py"


@cache
def load(name: str) -> Article:
    """Load an article's script.

    Raises
    ------
    InputError
        For an unknown article, and a script without one.
    """
    script = path(name)
    found = getattr(_module(script), "ARTICLE", None)
    if not isinstance(found, Article):
        raise InputError(f"{script} has no ARTICLE")
    return found


def _module(script: Path) -> ModuleType:
    specification = importlib.util.spec_from_file_location(script.stem, script)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module
