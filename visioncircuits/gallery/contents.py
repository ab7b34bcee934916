"""What a gallery shows: layers, their units and directions, and the evidence of each."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from visioncircuits.featurevis.visualization import PROBLEMS
from visioncircuits.networks import Direction, Feature, Unit


@dataclass(frozen=True)
class Picture:
    """One picture of a feature.

    Attributes
    ----------
    kind
        "positive", "negative" or "diversity".
    path
        The file, a WebP, from the site's root.
    width, height
        Pixels.
    activation
        The feature's activation to it.
    history
        Activation over the optimizer's steps.
    problem
        Why it shows nothing of the feature, a key of `featurevis.visualization.PROBLEMS`; else "".
    record
        How it was made.
    """

    kind: str
    path: str
    width: int
    height: int
    activation: float
    history: tuple[float, ...]
    problem: str
    record: Mapping[str, Any] = field(repr=False)

    @property
    def dead(self) -> bool:
        """Whether no gradient ever reached it, so that there is nothing to see."""
        return self.problem == "no gradient"

    @property
    def reason(self) -> str:
        """The problem in a sentence."""
        return PROBLEMS.get(self.problem, "")

    @property
    def thumbnail(self) -> str:
        """The file of a small, light copy, which a feature's first picture has."""
        return self.path.removesuffix(".webp") + "-small.webp"


@dataclass(frozen=True)
class FeatureEntry:
    """A unit or a direction that has a page.

    Attributes
    ----------
    pictures
        At least one; the first stands for the feature.
    branch
        "" for a direction, and where its layer has none.
    evidence
        Everything else, by the name of its kind: see `evidence.Kind`.
    """

    feature: Feature
    pictures: tuple[Picture, ...]
    families: tuple[str, ...] = ()
    branch: str = ""
    evidence: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)

    def __str__(self) -> str:
        return str(self.feature)

    @property
    def label(self) -> str:
        """What it is called within its layer."""
        return label(self.feature)

    @property
    def file(self) -> str:
        """Its page, from its layer's."""
        return f"{slug(self.label)}.html"

    @property
    def page(self) -> str:
        """Its page, from the site's root."""
        return f"layers/{slug(self.feature.layer)}/{self.file}"

    @property
    def first(self) -> Picture:
        """The picture that stands for the feature wherever it is mentioned."""
        return self.pictures[0]

    def of_kind(self, kind: str) -> tuple[Picture, ...]:
        """Return the pictures of one kind."""
        return tuple(picture for picture in self.pictures if picture.kind == kind)


@dataclass(frozen=True)
class LayerEntry:
    """A layer: the features that the site shows of it.

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
    features: tuple[FeatureEntry, ...]

    @property
    def page(self) -> str:
        """The layer's page, from the site's root."""
        return f"layers/{slug(self.name)}/index.html"

    @cached_property
    def units(self) -> dict[int, FeatureEntry]:
        """The units that are shown, by their numbers."""
        return {e.feature.index: e for e in self.features if isinstance(e.feature, Unit)}

    @cached_property
    def labeled(self) -> dict[str, FeatureEntry]:
        """The features that are shown, by what they are called within the layer."""
        return {entry.label: entry for entry in self.features}

    @cached_property
    def directions(self) -> tuple[FeatureEntry, ...]:
        """The directions that are shown."""
        return tuple(entry for entry in self.features if isinstance(entry.feature, Direction))

    @cached_property
    def problems(self) -> dict[str, int]:
        """Count the features whose pictures show nothing of them, by why."""
        return dict(Counter(each.first.problem for each in self.features if each.first.problem))

    @cached_property
    def families(self) -> dict[str, int]:
        """Count the units shown of each family, largest first."""
        counts = Counter(family for entry in self.features for family in entry.families)
        return dict(counts.most_common())

    @cached_property
    def branches(self) -> dict[str, int]:
        """Count the units shown of each branch, in the layer's order."""
        return dict(Counter(entry.branch for entry in self.features if entry.branch))


@dataclass(frozen=True)
class Thumbnails:
    """Small pictures of a layer's features, which pages show from one sheet.

    Attributes
    ----------
    layer
        The layer's name.
    files
        What a feature is called within the layer to its file, from the site's root, in the
        sheet's order.
    """

    layer: str
    files: Mapping[str, str]

    @property
    def path(self) -> str:
        """The file of the sheet."""
        return f"layers/{slug(self.layer)}/units.webp"

    @cached_property
    def places(self) -> dict[str, int]:
        """Map each feature to its place on the sheet."""
        return {name: place for place, name in enumerate(self.files)}


@dataclass(frozen=True)
class Link:
    """A page on the network as a whole, as the index shows it; see `chapter.Chapter`.

    Attributes
    ----------
    title
        What the page is called.
    page, thumbnail
        Files, from the site's root.
    note
        A few words on it.
    """

    title: str
    page: str
    thumbnail: str
    note: str


@dataclass(frozen=True)
class Gallery:
    """A whole site.

    Attributes
    ----------
    network
        The network's record: its name, its checkpoint's SHA-256, its preprocessing.
    recipe
        The text of the recipe that it was built from.
    partners
        Features that others' pages show and that have none: by layer, what a feature is called
        within it to a quick small picture: a file in an archive.
    chapters
        Links to pages on the network as a whole, by their heading.
    """

    title: str
    description: str
    network: Mapping[str, Any]
    layers: tuple[LayerEntry, ...]
    recipe: str = field(repr=False)
    partners: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)
    chapters: Mapping[str, Sequence[Link]] = field(default_factory=dict, repr=False)

    @cached_property
    def thumbnails(self) -> dict[str, Thumbnails]:
        """The thumbnails of all features that have a picture, by layer."""
        files = {
            layer.name: {
                name: entry.first.thumbnail
                for name, entry in layer.labeled.items()
                if not entry.first.dead
            }
            for layer in self.layers
        }
        for name, partners in self.partners.items():
            files[name] = {**files.get(name, {}), **partners}
        return {name: Thumbnails(name, found) for name, found in files.items() if found}

    def layer(self, name: str) -> LayerEntry | None:
        """Return a layer; None where the site does not show it."""
        return next((layer for layer in self.layers if layer.name == name), None)


def label(feature: Feature) -> str:
    """Return what a feature is called within its layer: a unit's number, a direction's name.

    Examples
    --------
    >>> label(Unit("mixed3b", 413)), label(Direction("mixed3b", [1, 0], name="dog"))
    ('413', 'dog')
    """
    return str(feature.index) if isinstance(feature, Unit) else feature.name


def slug(name: str) -> str:
    """Convert the name of a layer or a feature to a file name.

    Examples
    --------
    >>> slug("features.3.expand1x1")
    'features.3.expand1x1'
    >>> slug("a/b c")
    'a_b_c'
    """
    return re.sub(r"[^\w.-]", "_", name, flags=re.ASCII)
