"""Cards of features on a page: a name, a number, a thumbnail and a kernel, a link to their page.

They are made without a template, and their pictures are CSS's: a page has hundreds of them, and a
site thousands of pages.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from visioncircuits.gallery.section import FeaturePage
from visioncircuits.networks import channels
from visioncircuits.site import thumbnails
from visioncircuits.weights.tracing import INPUT


@dataclass(frozen=True)
class Card:
    """How a page shows a feature.

    Attributes
    ----------
    name
        What it is called: a unit's number, a direction's name, or a channel of the picture.
    page
        Its page, from this one; "" where it has none.
    at
        Column and row of its thumbnail on the layer's sheet, if it has one.
    bare
        Whether others of its layer have one, but not it.
    families
        Those that it is in.
    """

    name: str
    page: str
    at: tuple[int, int] | None
    bare: bool
    families: tuple[str, ...]

    @classmethod
    def of(cls, page: FeaturePage, layer: str, label: str) -> "Card":
        """Find how a page shows a feature, by what it is called within its layer."""
        shown, small = page.gallery.layer(layer), page.gallery.thumbnails.get(layer)
        entry = shown and shown.labeled.get(label)
        place = small.places.get(label) if small else None
        stated = page.gallery.network.get("preprocessing", {})
        names = dict(enumerate(channels.labels(stated))) if layer == INPUT else {}
        return cls(
            name=names.get(int(label), label) if names else label,
            page=page.root + entry.page if entry else "",
            at=None if place is None else thumbnails.position(place),
            bare=small is not None and place is None,
            families=entry.families if entry else (),
        )

    def html(
        self,
        text: str,
        *,
        data: str = "",
        families: Sequence[int] = (),
        place: int | None = None,
        inside: str = "",
    ) -> Markup:
        """Return the card.

        Parameters
        ----------
        text
            Its number.
        data
            What it is sorted by.
        families
            The numbers of its families among the page's.
        place
            Of its kernel in the row of kernels.
        inside
            HTML before its name.
        """
        style = "" if self.at is None else "--x:{};--y:{};".format(*self.at)
        style += "" if place is None else f"--k:{place}"
        tag, link = ("a", f' href="{escape(self.page)}"') if self.page else ("span", "")
        return Markup(
            f"<{tag}{link}"
            + (' class="bare"' if self.bare else "")
            + (f' data-weights="{data}"' if data else "")
            + (f' data-family="{" ".join(map(str, families))}"' if families else "")
            + (f' style="{style}"' if style else "")
            + f">{inside}<b>{escape(self.name)}</b><small>{text}</small></{tag}>"
        )
