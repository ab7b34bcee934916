"""A section of a unit's page, and what it is made from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from markupsafe import Markup

from visioncircuits.gallery.contents import Gallery, LayerEntry, UnitEntry


@dataclass(frozen=True)
class Section:
    """A part of a unit's page.

    Attributes
    ----------
    title
        Its heading.
    anchor
        Its id, for links to it.
    body
        HTML. It refers to files of the site by `UnitPage.root` and their path from the root.
    assets
        Files that it refers to, path from the site's root to content; sections of different
        pages may have the same.
    """

    title: str
    anchor: str
    body: Markup
    assets: Mapping[str, bytes] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class UnitPage:
    """What a section of a unit's page is made from.

    Attributes
    ----------
    root
        The path from the page to the site's root: comes before every path.
    """

    gallery: Gallery
    layer: LayerEntry
    unit: UnitEntry
    root: str = "../../"


MakeSection = Callable[[UnitPage], Section | None]
"""Returns None where there is nothing to show of the unit."""
