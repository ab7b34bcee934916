"""What a site shows: layers, their units, and the pictures of each."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Picture:
    """One picture of a unit.

    Attributes
    ----------
    kind
        "positive", "negative" or "diversity".
    path
        The file, a WebP, from the site's root.
    width, height
        Pixels.
    activation
        What the unit answers to it.
    history
        Activation over the optimizer's steps.
    dead
        Whether the unit never got a gradient, so that there is nothing to see.
    record
        How it was made.
    """

    kind: str
    path: str
    width: int
    height: int
    activation: float
    history: tuple[float, ...]
    dead: bool
    record: Mapping[str, Any] = field(repr=False)

    @property
    def record_path(self) -> str:
        """The file of its record."""
        return self.path.removesuffix(".webp") + ".json"

    @property
    def thumbnail(self) -> str:
        """The file of a small, light copy."""
        return self.path.removesuffix(".webp") + "-small.webp"


@dataclass(frozen=True)
class UnitEntry:
    """A unit: what a page of its own tells.

    Attributes
    ----------
    pictures
        At least one; the first stands for the unit.
    branch
        "" where its layer has none.
    """

    layer: str
    index: int
    pictures: tuple[Picture, ...]
    families: tuple[str, ...] = ()
    branch: str = ""

    def __str__(self) -> str:
        return f"{self.layer}:{self.index}"

    @property
    def page(self) -> str:
        """The unit's page, from the site's root."""
        return f"layers/{slug(self.layer)}/{self.index}.html"

    @property
    def first(self) -> Picture:
        """The picture that stands for the unit wherever it is mentioned."""
        return self.pictures[0]

    def of_kind(self, kind: str) -> tuple[Picture, ...]:
        """Give the pictures of one kind."""
        return tuple(picture for picture in self.pictures if picture.kind == kind)


@dataclass(frozen=True)
class LayerEntry:
    """A layer: the units that the site shows of it.

    Attributes
    ----------
    total
        How many units the layer has, shown or not.
    receptive_field, stride
        Pixels, height and width.
    """

    name: str
    total: int
    receptive_field: tuple[int, int]
    stride: tuple[int, int]
    units: tuple[UnitEntry, ...]

    @property
    def page(self) -> str:
        """The layer's page, from the site's root."""
        return f"layers/{slug(self.name)}/index.html"

    @property
    def families(self) -> dict[str, int]:
        """Count the units shown of each family, largest first."""
        counts = Counter(family for unit in self.units for family in unit.families)
        return dict(counts.most_common())

    @property
    def branches(self) -> dict[str, int]:
        """Count the units shown of each branch, in the layer's order."""
        return dict(Counter(unit.branch for unit in self.units if unit.branch))


@dataclass(frozen=True)
class Gallery:
    """A whole site.

    Attributes
    ----------
    network
        The network's record: its name, its checkpoint's SHA-256, its preprocessing.
    recipe
        The text of the recipe that it was built from.
    """

    title: str
    description: str
    network: Mapping[str, Any]
    layers: tuple[LayerEntry, ...]
    recipe: str = field(repr=False)


def slug(name: str) -> str:
    """Turn a layer's name into a file name.

    Examples
    --------
    >>> slug("features.3.expand1x1")
    'features.3.expand1x1'
    >>> slug("a/b c")
    'a_b_c'
    """
    return re.sub(r"[^\w.-]", "_", name, flags=re.ASCII)
