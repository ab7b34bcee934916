"""A section of a feature's page, and what it is made from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from markupsafe import Markup

from visioncircuits.gallery.contents import FeatureEntry, Gallery, LayerEntry


@dataclass(frozen=True)
class Section:
    """A part of a feature's page.

    Attributes
    ----------
    title
        Its heading.
    anchor
        Its id, for links to it.
    body
        HTML. It refers to files of the site by `FeaturePage.root` and their path from the root.
    assets
        Files that it refers to, path from the site's root to content; sections of different
        pages may have the same.
    """

    title: str
    anchor: str
    body: Markup
    assets: Mapping[str, bytes] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class FeaturePage:
    """What a section of a feature's page is made from.

    Attributes
    ----------
    root
        The path from the page to the site's root: comes before every path.
    """

    gallery: Gallery
    layer: LayerEntry
    entry: FeatureEntry
    root: str = "../../"


MakeSection = Callable[[FeaturePage], Section | None]
"""Returns None where there is nothing to show of the feature."""
