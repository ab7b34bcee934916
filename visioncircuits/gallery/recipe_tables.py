"""The tables of a recipe: of each kind of evidence and of each layer, and how they are parsed.

A table and the parser of each of its values are a few lines each; all of them make some 400.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from visioncircuits.errors import unknown
from visioncircuits.networks import names

PRESETS = {"draft": 64, "standard": 256, "fine": 512}
"""Steps of the optimizer by the name of the preset."""


def parse_units(value: Any, *, what: str = "unit") -> tuple[int, ...] | Literal["all"]:
    """Parse the numbers of units.

    Parameters
    ----------
    value
        `"all"`, a text such as `"0-63, 413"`, or a list of numbers and such texts.
    what
        What messages call them.

    Raises
    ------
    ValueError
        For anything else, a range that runs backwards, and a unit named twice.

    Examples
    --------
    >>> parse_units("0-2, 413")
    (0, 1, 2, 413)
    >>> parse_units([7, "9-10"])
    (7, 9, 10)
    """
    if value == "all":
        return "all"
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list) or not parts:
        raise ValueError(f'{value!r} names no {what}s; write "all", "0-63, 70" or [1, 2, 3]')
    units: list[int] = []
    for part in parts:
        match = re.fullmatch(r"\s*(\d+)\s*(?:-\s*(\d+)\s*)?", str(part))
        if match is None:
            raise ValueError(f'{part!r} is no {what}; write "all", "0-63, 70" or [1, 2, 3]')
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first:
            raise ValueError(f"the range {part!r} ends before it begins")
        units.extend(range(first, last + 1))
    if len(set(units)) < len(units):
        twice = next(unit for unit in units if units.count(unit) > 1)
        raise ValueError(f"{what} {twice} is named twice")
    return tuple(units)


def parse_atoms(value: Any) -> tuple[int, ...] | Literal["all"] | str:
    """Parse the numbers of a dictionary's atoms, or how many of those that are used most.

    Raises
    ------
    ValueError
        As `parse_units`.

    Examples
    --------
    >>> parse_atoms("0-2, 413"), parse_atoms("16 most used")
    ((0, 1, 2, 413), '16 most used')
    """
    if isinstance(value, str) and most_used(value):
        return value
    try:
        return parse_units(value, what="atom")
    except ValueError as error:
        raise ValueError(f'{error}, or "16 most used"') from None


def most_used(value: Any) -> int:
    """Return how many atoms a text such as `16 most used` asks for; 0 of anything else.

    Examples
    --------
    >>> most_used("16 most used"), most_used("all")
    (16, 0)
    """
    match = re.fullmatch(r"\s*(\d+) most used\s*", value) if isinstance(value, str) else None
    return int(match[1]) if match else 0


def parse_directions(value: Any) -> tuple[str, ...]:
    """Parse the names of files of directions, and texts.

    Raises
    ------
    ValueError
        For anything but a name or a list of different names, of `.npy` or `.json` files or as
        `text:a photo of a dog`.

    Examples
    --------
    >>> parse_directions("dog.npy"), parse_directions(["text:a cat"])
    (('dog.npy',), ('text:a cat',))
    """
    files = [value] if isinstance(value, str) else value
    if not isinstance(files, list) or not files:
        raise ValueError(f'{value!r} names no files of directions; write ["dog.npy"]')
    for file in files:
        if not isinstance(file, str) or (
            names.description(file) is None and Path(file).suffix.lower() not in names.FEATURE_FILES
        ):
            raise ValueError(f'{file!r} is no file of directions; write "dog.npy" or "dog.json"')
        if files.count(file) > 1:
            raise ValueError(f"{file!r} is named twice")
    return tuple(files)


def parse_photographs(value: Any) -> tuple[str, ...]:
    """Parse the names of photographs' files, or of folders of them.

    Raises
    ------
    ValueError
        For anything but a name or a list of different names.

    Examples
    --------
    >>> parse_photographs("cat.jpg"), parse_photographs(["cat.jpg", "dog.jpg"])
    (('cat.jpg',), ('cat.jpg', 'dog.jpg'))
    """
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not names or not all(n and type(n) is str for n in names):
        raise ValueError(f'{value!r} names no photographs; write "cat.jpg" or ["cat.jpg"]')
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{name!r} is named twice")
    return tuple(names)


def parse_families(value: Any) -> dict[str, tuple[int, ...] | None]:
    """Parse families: names from the taxonomy, or names with their units.

    Returns
    -------
    dict
        Name to units; to None where the taxonomy lists them.

    Raises
    ------
    ValueError
        For anything else.

    Examples
    --------
    >>> parse_families(["Curves"])
    {'Curves': None}
    >>> parse_families({"curves": "379, 406"})
    {'curves': (379, 406)}
    """
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        return dict.fromkeys(value)
    if not isinstance(value, Mapping):
        raise ValueError(
            f"{value!r} names no families; write a list of names from the taxonomy, or a table "
            "{ curves = [379, 406] }"
        )
    families: dict[str, tuple[int, ...] | None] = {}
    for name, given in value.items():
        units = parse_units(given)
        if units == "all":
            raise ValueError(f"the family {name!r} must list its units by number")
        families[name] = units
    return families


def parse_range(value: Any) -> tuple[float, float]:
    """Parse the two values that become 0 and 1.

    Raises
    ------
    ValueError
        For anything but two numbers that differ.

    Examples
    --------
    >>> parse_range([0, 10000])
    (0.0, 10000.0)
    """
    numbers = isinstance(value, list | tuple) and all(type(end) in (int, float) for end in value)
    if not numbers or len(value) != 2 or value[0] == value[1]:
        raise ValueError(f"should be two numbers, such as [0, 10000], not {value!r}")
    return float(value[0]), float(value[1])


def parse_depth(value: Any) -> int | Literal["all"]:
    """Parse a number of layers.

    Raises
    ------
    ValueError
        For anything but a number from 1 on, or "all".

    Examples
    --------
    >>> parse_depth(3)
    3
    """
    if value == "all":
        return "all"
    if type(value) is int and value >= 1:
        return value
    raise ValueError(f'{value!r} is no number of layers; write 1 or more, or "all"')


def parse_stimuli(value: Any) -> tuple[str, ...]:
    """Parse the names of sets of stimuli.

    Raises
    ------
    ValueError
        For anything but a list of different names of sets that turn around.

    Examples
    --------
    >>> parse_stimuli(["curves", "lines"])
    ('curves', 'lines')
    """
    from visioncircuits.gallery.evidence.stimuli import oriented  # imports torch

    if not isinstance(value, list):
        raise ValueError(f'{value!r} is no list of sets of stimuli; write ["curves"]')
    for name in value:
        if name not in oriented():
            raise ValueError(str(unknown("set of stimuli that turn around", str(name), oriented())))
        if value.count(name) > 1:
            raise ValueError(f"the set {name!r} is named twice")
    return tuple(value)


class Table(BaseModel):
    """A table without further keys, whose values are not converted."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Show(Table):
    """Which pictures are made of every unit.

    Attributes
    ----------
    positive
        One that maximizes its activation.
    negative
        One that minimizes it, before its rectifier where the network has a name for that; a unit
        that cannot be negative has no gradient there.
    diversity
        How many that activate it and differ from one another; 0 for none.
    """

    positive: bool = True
    negative: bool = False
    diversity: Annotated[int, Field(ge=0, le=16)] = 0

    @model_validator(mode="after")
    def _something(self) -> "Show":
        if not (self.positive or self.negative or self.diversity):
            raise ValueError("a gallery must show something: set positive, negative or diversity")
        if self.diversity == 1:
            raise ValueError("diversity is about several pictures: give 2 or more, or 0 for none")
        return self


class Quality(Table):
    """How pictures are made.

    Attributes
    ----------
    preset
        "draft", "standard" or "fine": how many steps, where `steps` is not set.
    steps
        Steps of the optimizer.
    size
        Height and width of all pictures, in pixels; by default by each layer's depth.
    seed
        Fixes all randomness.
    lossless
        Whether files keep every pixel of pictures above 64 px too, at four times the size. A
        record makes the picture again in any case.
    """

    preset: Literal["draft", "standard", "fine"] = "standard"
    steps: Annotated[int, Field(ge=1, le=100_000)] | None = None
    size: Annotated[int, Field(ge=16, le=1024)] | None = None
    seed: Annotated[int, Field(ge=0)] = 0
    lossless: bool = False

    def settings(self) -> dict[str, int | None]:
        """Return the settings that the preset does not fix, as plain data."""
        steps = self.steps or PRESETS[self.preset]
        return {"steps": steps, "size": self.size, "seed": self.seed}


class Weights(Table):
    """Which weights of every unit are shown.

    Attributes
    ----------
    connections
        How many of the strongest inputs and outputs; 0 for no weights at all.
    layers
        How many of the layers before a unit's own the inputs are taken from, the picture counting
        as one; or "all".
    factors
        How many factors of the inputs are shown; 0 for none.
    """

    connections: Annotated[int, Field(ge=0, le=200)] = 50
    layers: Annotated[int | Literal["all"], BeforeValidator(parse_depth)] = 6
    factors: Annotated[int, Field(ge=0, le=6)] = 2


class Tuning(Table):
    """How every unit's tuning to orientation is measured.

    Attributes
    ----------
    stimuli
        Names of sets of stimuli, of those whose orientations turn around.
    """

    stimuli: Annotated[tuple[str, ...], BeforeValidator(parse_stimuli)] = ()


class Examples(Table):
    """Which photographs activate every unit.

    Attributes
    ----------
    photographs
        A folder of photographs, relative to the recipe; without one there are no examples.
    labels
        Where the photographs' classes are, as for `datasets.photographs`.
    range
        The values that become 0 and 1 in files of units of their own, as there.
    top
        How many of the strongest examples are shown, and of the weakest.
    crop
        The side in pixels of what is cut out, the whole picture at most; by default a neuron's
        receptive field.
    """

    photographs: Annotated[str, Field(min_length=1)] | None = None
    labels: Literal["auto", "wordnet", "folders", "none"] = "auto"
    range: Annotated[tuple[float, float] | None, BeforeValidator(parse_range)] = None
    top: Annotated[int, Field(ge=1, le=64)] = 8
    crop: Annotated[int, Field(ge=8, le=1024)] | None = None


class Explain(Table):
    """Photographs that are explained, each on a page of its own; see `attribution.explain`.

    Attributes
    ----------
    photographs
        A file, or several; of a folder, all in it. Relative to the recipe.
    layers
        With positions, each computed from the ones before it.
    classes
        Names, or numbers, of those that are of interest.
    top
        How many of the network's most likely classes are added.
    groups
        How many a layer's units are divided into.
    slope
        What activations are multiplied by, to attribute: the gradient with "relaxed" max pools, the
        "gradient", the gradient "integrated" from no activation, or the weights of all "exact"
        paths.
    pictures
        How many units of each layer are rendered for a page.
    steps
        How long each is optimized; 0 for no pictures.
    """

    photographs: Annotated[tuple[str, ...], BeforeValidator(parse_photographs)]
    layers: Annotated[list[str], Field(min_length=1)]
    classes: list[str | int] = Field(default_factory=list)
    top: Annotated[int, Field(ge=0, le=20)] = 3
    groups: Annotated[int, Field(ge=1, le=64)] = 6
    slope: Literal["relaxed", "gradient", "integrated", "exact"] = "relaxed"
    pictures: Annotated[int, Field(ge=0, le=1000)] = 24
    steps: Annotated[int, Field(ge=0, le=100_000)] = 64


class AtlasChoice(Table):
    """An activation atlas, on a page of its own; see `atlas.atlas`, and `atlas.aligned`.

    Attributes
    ----------
    layers
        With positions. Several have the same samples and layout, and a reader slides from one to
        the other.
    photographs
        A folder of photographs, relative to the recipe; by default that of `[examples]`.
    per_photograph, edge
        How many random positions of each photograph, and how many rows and columns next to the
        layer's edges are left out.
    layout
        "umap", which needs its package, "tsne", "pca" or "grid".
    sides
        Cells along either axis, of each grid.
    least
        Samples that a cell needs.
    classes
        Which ones cells are attributed to: "all", or names and numbers of some.
    features
        Units that are shown on the atlas of their layer, such as "mixed4c:7".
    size, steps
        Of each icon, in pixels, and of its optimization.
    """

    layers: Annotated[list[str], Field(min_length=1)]
    photographs: Annotated[str, Field(min_length=1)] | None = None
    per_photograph: Annotated[int, Field(ge=1)] = 16
    edge: Annotated[int, Field(ge=0)] = 1
    layout: Literal["umap", "tsne", "pca", "grid"] = "umap"
    sides: Annotated[list[Annotated[int, Field(ge=1, le=255)]], Field(min_length=1)] = Field(
        default_factory=lambda: [5, 10, 20]
    )
    least: Annotated[int, Field(ge=1)] = 10
    classes: Literal["all"] | list[str | int] = "all"
    features: list[str] = Field(default_factory=list)
    size: Annotated[int, Field(ge=8, le=512)] = 80
    steps: Annotated[int, Field(ge=1, le=100_000)] = 128


class DictionaryChoice(Table):
    """A dictionary of a layer, and which of its atoms are shown.

    Attributes
    ----------
    file
        What `Dictionary.save` wrote, relative to the recipe.
    atoms
        Their numbers, "all", or, by the evaluation, such as "16 most used".
    second
        The file of a dictionary fitted from another seed, where atoms' siblings are found.
    evaluation
        What `Evaluation.save` wrote, or `visioncircuits dictionary evaluate --json`.
    """

    file: Annotated[str, Field(min_length=1)]
    atoms: Annotated[tuple[int, ...] | str, BeforeValidator(parse_atoms)]
    second: Annotated[str, Field(min_length=1)] | None = None
    evaluation: Annotated[str, Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _counted(self) -> "DictionaryChoice":
        if most_used(self.atoms) and self.evaluation is None:
            raise ValueError(
                f"`atoms = {self.atoms!r}` needs `evaluation`, the file that `visioncircuits "
                "dictionary evaluate --json` writes: it has how often each atom is used"
            )
        return self


class LayerChoice(Table):
    """Which units of a layer are shown, which directions, and which atoms of a dictionary.

    Attributes
    ----------
    name
        The layer's name.
    units
        Their numbers, or "all"; where it is None, those of the families.
    families
        Name to units; to None where the taxonomy lists them.
    directions
        Files of directions as `networks.read_features` reads them, relative to the recipe; or, of
        a network with a text encoder, texts, as `text:a photo of a dog`.
    dictionary
        A dictionary of the layer, whose atoms are shown after all others.
    """

    name: str
    units: Annotated[
        tuple[int, ...] | Literal["all"] | None,
        BeforeValidator(parse_units),
    ] = None
    families: Annotated[dict[str, tuple[int, ...] | None], BeforeValidator(parse_families)] = Field(
        default_factory=dict
    )
    directions: Annotated[tuple[str, ...], BeforeValidator(parse_directions)] = ()
    dictionary: DictionaryChoice | None = None

    @model_validator(mode="after")
    def _some(self) -> "LayerChoice":
        if not (self.units is not None or self.families or self.directions or self.dictionary):
            raise ValueError(
                f"layer {self.name!r} needs `units`, `families`, `directions` or a `dictionary`"
            )
        return self
