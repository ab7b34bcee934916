"""A recipe says what a gallery shows: one TOML file, checked before anything is computed."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from visioncircuits.errors import InputError, unknown
from visioncircuits.gallery.lines import line_of
from visioncircuits.networks import names

PRESETS = {"draft": 64, "standard": 256, "fine": 512}
"""Steps of the optimizer at the named qualities."""


def parse_units(value: Any) -> tuple[int, ...] | Literal["all"]:
    """Read which units are meant.

    Parameters
    ----------
    value
        `"all"`, a text such as `"0-63, 413"`, or a list of numbers and such texts.

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
        raise ValueError(f'{value!r} names no units; write "all", "0-63, 70" or [1, 2, 3]')
    units: list[int] = []
    for part in parts:
        match = re.fullmatch(r"\s*(\d+)\s*(?:-\s*(\d+)\s*)?", str(part))
        if match is None:
            raise ValueError(f'{part!r} is no unit; write "all", "0-63, 70" or [1, 2, 3]')
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first:
            raise ValueError(f"the range {part!r} ends before it begins")
        units.extend(range(first, last + 1))
    if len(set(units)) < len(units):
        twice = next(unit for unit in units if units.count(unit) > 1)
        raise ValueError(f"unit {twice} is named twice")
    return tuple(units)


def parse_families(value: Any) -> dict[str, tuple[int, ...] | None]:
    """Read which families are meant: names from the taxonomy, or names with their units.

    Returns
    -------
    dict
        Name to units; to None where the taxonomy is to say which.

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


def parse_depth(value: Any) -> int | Literal["all"]:
    """Read how many layers are meant.

    Raises
    ------
    ValueError
        For anything but a number from 1 on, or "all".

    Examples
    --------
    >>> parse_depth(3)
    3
    """
    if value == "all" or (type(value) is int and value >= 1):
        return value
    raise ValueError(f'{value!r} is no number of layers; write 1 or more, or "all"')


def parse_stimuli(value: Any) -> tuple[str, ...]:
    """Read which sets of stimuli are meant.

    Raises
    ------
    ValueError
        For anything but a list of names of ready sets with orientations all around.

    Examples
    --------
    >>> parse_stimuli(["curves", "lines"])
    ('curves', 'lines')
    """
    from visioncircuits.gallery.sets import oriented  # needs torch, which few mistakes do

    if not isinstance(value, list):
        raise ValueError(f'{value!r} is no list of sets of stimuli; write ["curves"]')
    for name in value:
        if name not in oriented():
            raise ValueError(str(unknown("set of stimuli that turn around", str(name), oriented())))
        if value.count(name) > 1:
            raise ValueError(f"the set {name!r} is named twice")
    return tuple(value)


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Show(_Table):
    """Which pictures every unit gets.

    Attributes
    ----------
    positive
        One that drives it as far as it goes.
    negative
        One that drives it the other way, before its rectifier where the network has a name for
        that; a unit that cannot be negative has no gradient there to follow.
    diversity
        How many that drive it and differ from one another; 0 for none.
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


class Quality(_Table):
    """How pictures are made.

    Attributes
    ----------
    preset
        "draft", "standard" or "fine": how many steps, where `steps` does not say.
    steps
        Steps of the optimizer.
    size
        Height and width of all pictures, in pixels; by default what suits each layer's depth.
    seed
        Fixes all randomness.
    """

    preset: Literal["draft", "standard", "fine"] = "standard"
    steps: Annotated[int, Field(ge=1, le=100_000)] | None = None
    size: Annotated[int, Field(ge=16, le=1024)] | None = None
    seed: Annotated[int, Field(ge=0)] = 0

    def settings(self) -> dict[str, int | None]:
        """Give what the preset leaves open, as plain data."""
        steps = self.steps or PRESETS[self.preset]
        return {"steps": steps, "size": self.size, "seed": self.seed}


class Weights(_Table):
    """What is told of every unit's weights.

    Attributes
    ----------
    connections
        How many of the strongest inputs and outputs; 0 for no weights at all.
    layers
        How many of the layers before a unit's own the inputs are taken from, or "all" with the
        picture itself.
    factors
        How many groups the inputs are put in; 0 for none.
    """

    connections: Annotated[int, Field(ge=0, le=200)] = 50
    layers: Annotated[int | Literal["all"], BeforeValidator(parse_depth)] = "all"
    factors: Annotated[int, Field(ge=0, le=6)] = 2


class Tuning(_Table):
    """How every unit is tuned to orientation.

    Attributes
    ----------
    stimuli
        Names of ready sets of stimuli, those that go all around in their orientation.
    """

    stimuli: Annotated[tuple[str, ...], BeforeValidator(parse_stimuli)] = ()


class Examples(_Table):
    """What photographs drive every unit.

    Attributes
    ----------
    images
        A folder of photographs, relative to the recipe; without one there are no examples.
    labels
        "folders" where the folders in it are the photographs' classes.
    top
        How many of the strongest examples are shown, and of the weakest.
    crop
        The side in pixels of what is cut out, the whole picture at most; by default all that a
        neuron sees.
    """

    images: Annotated[str, Field(min_length=1)] | None = None
    labels: Literal["none", "folders"] = "none"
    top: Annotated[int, Field(ge=1, le=64)] = 8
    crop: Annotated[int, Field(ge=8, le=1024)] | None = None


class LayerChoice(_Table):
    """Which units of a layer are shown.

    Attributes
    ----------
    name
        The layer's.
    units
        Their numbers, or "all"; where it is None, those of the families.
    families
        Name to units; to None where the taxonomy says which.
    """

    name: str
    units: Annotated[
        tuple[int, ...] | Literal["all"] | None,
        BeforeValidator(parse_units),
    ] = None
    families: Annotated[dict[str, tuple[int, ...] | None], BeforeValidator(parse_families)] = Field(
        default_factory=dict
    )

    @model_validator(mode="after")
    def _some(self) -> "LayerChoice":
        if self.units is None and not self.families:
            raise ValueError(f"layer {self.name!r} needs `units` or `families`")
        return self


class Recipe(_Table):
    """What a gallery shows.

    Attributes
    ----------
    title, description
        Head the site.
    network
        A name that `networks.load` knows.
    checkpoint
        A file of parameters to use instead of the one that would be found; relative to the recipe.
    taxonomy
        A JSON file of families, as `networks.read_families` takes it; relative to the recipe.
    show, quality
        Which pictures, and how they are made.
    weights
        What is told of the weights.
    tuning
        What is told of the tuning to orientation.
    examples
        What is told of photographs.
    layers
        In the order in which the site shows them.
    """

    title: Annotated[str, Field(min_length=1)]
    description: str = ""
    network: Annotated[str, AfterValidator(names.network)]
    checkpoint: str | None = None
    taxonomy: str | None = None
    show: Show = Show()
    quality: Quality = Quality()
    weights: Weights = Weights()
    tuning: Tuning = Tuning()
    examples: Examples = Examples()
    layers: Annotated[list[LayerChoice], Field(min_length=1)]


@dataclass(frozen=True)
class Source:
    """A recipe with the text that it was read from, so that what is wrong can be pointed at."""

    path: Path
    text: str
    recipe: Recipe

    def error(self, at: Sequence[str | int], message: str) -> InputError:
        """Say what is wrong with the key at the path `at`."""
        return _error(self.path, line_of(self.text, at), message)

    def beside(self, name: str | None) -> Path | None:
        """Find a file that the recipe names."""
        return None if name is None else self.path.parent / Path(name).expanduser()


def read(path: str | Path) -> Source:
    """Read and check a recipe.

    Raises
    ------
    InputError
        Where it cannot be read, is no TOML, or says what no recipe can say; with the line.
    """
    path = Path(path)
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise InputError(f"the recipe {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"the recipe {path} is not text in UTF-8: {error}") from error
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _syntax_error(path, text, str(error)) from error
    try:
        return Source(path, text, Recipe.model_validate(content))
    except ValidationError as error:
        # A key spelt wrong is often also a key missing: the spelling is what to say.
        first = min(error.errors(), key=lambda problem: problem["type"] != "extra_forbidden")
        raise _error(path, line_of(text, first["loc"]), _sentence(first)) from error


def _error(path: Path, line: int, message: str) -> InputError:
    return InputError(f"{path}, line {line}: {message}")


def _syntax_error(path: Path, text: str, message: str) -> InputError:
    where = re.search(r" \(at line (\d+), column \d+\)$", message)
    line = int(where[1]) if where else len(text.splitlines())
    what = message[: where.start()] if where else message.removesuffix(" (at end of document)")
    return _error(path, line, f"not TOML: {what[0].lower()}{what[1:]}")


def _sentence(problem: Mapping[str, Any]) -> str:
    """Say in our words what pydantic found."""
    *table, key = problem["loc"] or ("",)
    keys = [step for step in table if isinstance(step, str)]
    where = f" of [{'.'.join(keys)}]" if keys else ""
    match problem["type"]:
        case "extra_forbidden":
            return str(unknown(f"key{where}", str(key), _fields(keys)))
        case "missing":
            return f"the key {key!r}{where} is missing"
        case "value_error":
            return str(problem["ctx"]["error"])
        case "too_short":
            return f"{key!r}{where} is empty"
        case _:
            told = problem["msg"].removeprefix("Input ")
            return f"the value of {key!r}{where} {told}, not {problem['input']!r}"


def _fields(keys: Sequence[str]) -> list[str]:
    """List what may stand in the table that `keys` lead to."""
    tables: dict[str, type[_Table]] = {
        "show": Show,
        "quality": Quality,
        "weights": Weights,
        "tuning": Tuning,
        "examples": Examples,
        "layers": LayerChoice,
    }
    return list((tables[keys[0]] if keys else Recipe).model_fields)
