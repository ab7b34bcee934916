"""What a site shows: layers, their units, and the pictures of each."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
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
class Connected:
    """A unit of another layer, and the weights that connect it.

    Attributes
    ----------
    norm, positive, negative
        L2 norms of the kernel, of its positive and of its negative part.
    """

    index: int
    norm: float
    positive: float
    negative: float


@dataclass(frozen=True)
class Factor:
    """Inputs that one map weighs together: the strongest, with their weights in the group."""

    units: tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class Connections:
    """A unit's strongest connections with one layer.

    Attributes
    ----------
    layer
        The other one's name; "input" is the picture.
    untold
        Why there is nothing to tell, where there is not.
    norm
        L2 norm of all the unit's weights to or from the layer.
    kernel
        Height and width of its kernels, in neurons of the earlier layer.
    mean_of
        How many weights on a side one of a tile's squares stands for.
    tile
        Height and width of the tiles in the unit's picture of kernels, a pixel a square.
    top, factors_top
        The rows of that picture at which the connections' tiles begin, and the factors'.
    scale, factors_scale
        The weight that is drawn in the deepest colour.
    units
        Strongest first, as the tiles from left to right.
    explained
        The share of the squared weight that the factors carry.
    """

    layer: str
    untold: str = ""
    norm: float = 0.0
    kernel: tuple[int, int] = (0, 0)
    mean_of: int = 1
    tile: tuple[int, int] = (0, 0)
    top: int = 0
    scale: float = 0.0
    units: tuple[Connected, ...] = ()
    factors: tuple[Factor, ...] = ()
    factors_top: int = 0
    factors_scale: float = 0.0
    explained: float = 0.0

    @property
    def share(self) -> float:
        """The share of the squared weight that the connections told of carry."""
        return sum(unit.norm**2 for unit in self.units) / self.norm**2 if self.norm else 0.0


@dataclass(frozen=True)
class Weights:
    """What a unit is made of, and what it is used for.

    Attributes
    ----------
    path
        The picture of all kernels, a WebP, from the site's root.
    size
        Its height and width.
    inputs
        By layer, the nearest first.
    outputs
        Of the next layer; empty behind the last.
    """

    path: str
    size: tuple[int, int]
    inputs: tuple[Connections, ...]
    outputs: tuple[Connections, ...]

    @property
    def record_path(self) -> str:
        """The file of its numbers."""
        return self.path.removesuffix(".webp") + ".json"


@dataclass(frozen=True)
class Tuning:
    """How a unit answers to a set of stimuli, by their orientation and one axis more.

    Attributes
    ----------
    stimuli
        The set's name.
    path
        The file with the answers of all units measured together, from the site's root.
    untold
        Why there is nothing to tell, where there is not.
    period
        After how many degrees the orientation comes round.
    angles
        The orientations, in degrees.
    curve
        The radial tuning curve: mean positive answers, by orientation.
    numbers
        As `tuning.orientation_tuning` gives them.
    down, values
        The other axis and its values; "" and nothing where there is none.
    responses
        Answers, by that axis and by orientation.
    """

    stimuli: str
    path: str
    untold: str = ""
    period: float = 360.0
    angles: tuple[float, ...] = ()
    curve: tuple[float, ...] = ()
    numbers: Mapping[str, float] = field(default_factory=dict)
    down: str = ""
    values: tuple[float, ...] = ()
    responses: tuple[tuple[float, ...], ...] = ()

    @property
    def silent(self) -> bool:
        """Whether none of the stimuli drives the unit."""
        return not any(answer > 0 for answers in self.responses for answer in answers)


@dataclass(frozen=True)
class Example:
    """A neuron in a photograph.

    Attributes
    ----------
    value
        What it answers there, before its rectifier where the network has a name for that.
    photograph
        The file's name in the folder of photographs.
    box
        Where it looks: the left and the upper edge and the side of a square, in pixels of the
        picture as the network saw it.
    """

    value: float
    photograph: str
    box: tuple[int, int, int]


@dataclass(frozen=True)
class DatasetExamples:
    """What photographs drive a unit, how often, and how strongly.

    Attributes
    ----------
    path
        The file of these numbers, from the site's root; "" before it is on the site.
    seen, skipped
        How many photographs were shown, and how many could not be read.
    size
        The side of the photographs as the network saw them, in pixels.
    positions
        At how many positions, over all photographs, the unit was asked.
    rectified
        Whether values are those behind a rectifier, for want of a name of those before.
    tops, bottoms
        The strongest and the weakest examples, one a photograph; of the weakest those below zero.
    steps
        Edges of the steps of activation, one more than there are steps.
    quilt
        For each step, examples at random.
    density
        The share of positions for each unit of activation, by bars, some to every step.
    shares
        The part of the mean positive activation that each bar makes up.
    scale
        The activation that is drawn in the deepest colour.
    mean, deviation, firing
        Over all positions; `firing` is the share at which it is above zero.
    quantiles
        Shares, with the value that they stay below.
    classes
        Names and mean highest activations of those that drive it most.
    """

    path: str
    seen: int
    skipped: int
    size: int
    positions: int
    rectified: bool
    tops: tuple[Example, ...]
    bottoms: tuple[Example, ...]
    steps: tuple[float, ...]
    quilt: tuple[tuple[Example, ...], ...]
    density: tuple[float, ...]
    shares: tuple[float, ...]
    scale: float
    mean: float
    deviation: float
    firing: float
    quantiles: tuple[tuple[float, float], ...]
    classes: tuple[tuple[str, float], ...] = ()

    def sheet(self, kind: str) -> str:
        """Name the file of tiles: "crops", or whole pictures, "masked" or "overlaid"."""
        return f"{self.path.removesuffix('.json')}-{kind}.webp"


@dataclass(frozen=True)
class UnitEntry:
    """A unit: what a page of its own tells.

    Attributes
    ----------
    pictures
        At least one; the first stands for the unit.
    branch
        "" where its layer has none.
    weights
        None where the site shows none.
    tunings
        For each set of stimuli that the site tells of.
    examples
        None where the site has no photographs.
    """

    layer: str
    index: int
    pictures: tuple[Picture, ...]
    families: tuple[str, ...] = ()
    branch: str = ""
    weights: Weights | None = None
    tunings: tuple[Tuning, ...] = ()
    examples: DatasetExamples | None = None

    def __str__(self) -> str:
        return f"{self.layer}:{self.index}"

    @property
    def page(self) -> str:
        """The unit's page, from the site's root."""
        return f"layers/{slug(self.layer)}/{self.index}.html"

    @property
    def orientation(self) -> float | None:
        """Where its tuning to the first set of stimuli peaks; None where they do not drive it."""
        if not self.tunings or self.tunings[0].silent:
            return None
        return self.tunings[0].numbers["orientation"]

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

    @cached_property
    def places(self) -> dict[int, int]:
        """Say at which place of the layer a unit is shown, those that are."""
        return {unit.index: place for place, unit in enumerate(self.units)}

    @property
    def thumbnails(self) -> str:
        """The file of all its units' small pictures on one sheet."""
        return f"layers/{slug(self.name)}/units.webp"

    @property
    def oriented(self) -> str:
        """Name the stimuli by which its units have orientations; "" where there are none."""
        told = (unit.tunings[0].stimuli for unit in self.units if unit.orientation is not None)
        return next(told, "")

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

    def layer(self, name: str) -> LayerEntry | None:
        """Find a layer; None where the site does not show it."""
        return next((layer for layer in self.layers if layer.name == name), None)


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
