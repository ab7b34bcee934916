"""A recipe, one TOML file, sets what a gallery shows; it is checked before anything is computed."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationError

from visioncircuits.errors import InputError, unknown
from visioncircuits.gallery.lines import line_of
from visioncircuits.gallery.recipe_tables import (
    AtlasChoice,
    DictionaryChoice,
    Examples,
    Explain,
    LayerChoice,
    Quality,
    Show,
    Table,
    Tuning,
    Weights,
)
from visioncircuits.networks import names


class Recipe(Table):
    """What a gallery shows.

    Attributes
    ----------
    title, description
        The site's heading and introduction.
    network
        A name that `networks.load` knows; of a function of a Python file, which is run, the file is
        relative to the recipe. Not needed where `build` is given a network.
    checkpoint
        A file of parameters to use instead of the one that would be found; relative to the recipe.
    taxonomy
        A JSON file of families, as `networks.Families.load` takes it; relative to the recipe.
    show, quality
        Which pictures are shown, and how they are made.
    weights
        Which weights are shown.
    tuning
        With which stimuli tuning to orientation is measured.
    examples
        Which photographs are searched for examples, and how many are shown.
    explain
        Photographs that are explained, each on a page of its own: tables `[[explain]]`.
    atlas
        Activation atlases, each on a page of its own: tables `[[atlas]]`.
    layers
        In the order in which the site shows them. Not needed where `build` is given features.

    Examples
    --------
    >>> recipe = Recipe(
    ...     title="Curves",
    ...     network="bvlc_googlenet",
    ...     layers=[LayerChoice(name="mixed3b", families={"curves": "379, 385, 406"})],
    ... )
    >>> recipe.show.positive, recipe.layers[0].families
    (True, {'curves': (379, 385, 406)})
    """

    title: Annotated[str, Field(min_length=1)]
    description: str = ""
    network: Annotated[str, AfterValidator(names.network)] | None = None
    checkpoint: str | None = None
    taxonomy: str | None = None
    show: Show = Show()
    quality: Quality = Quality()
    weights: Weights = Weights()
    tuning: Tuning = Tuning()
    examples: Examples = Examples()
    explain: list[Explain] = Field(default_factory=list)
    atlas: list[AtlasChoice] = Field(default_factory=list)
    layers: list[LayerChoice] = Field(default_factory=list)


@dataclass(frozen=True)
class Source:
    """A recipe with the text that it was read from, so that errors can name a line."""

    path: Path
    text: str
    recipe: Recipe

    def error(self, at: Sequence[str | int], message: str) -> InputError:
        """Build the error of the key at the path `at`."""
        return _error(self.path, line_of(self.text, at), message)

    @property
    def network(self) -> str:
        """The network's name; a Python file's is relative to the recipe's folder."""
        assert self.recipe.network is not None  # `read` checks that
        return names.absolute(self.recipe.network, folder=self.path.parent)

    def beside(self, name: str | None) -> Path | None:
        """Resolve a file name of the recipe, relative to its folder."""
        return None if name is None else self.path.parent / Path(name).expanduser()


def read(path: str | Path, *, named: bool = True, chosen: bool = True) -> Source:
    """Read and check a recipe.

    Parameters
    ----------
    path
        A TOML file.
    named, chosen
        Whether it must name its network, and choose layers.

    Raises
    ------
    InputError
        Where it cannot be read, is no TOML, or breaks a rule of recipes; with the line.
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
        source = Source(path, text, Recipe.model_validate(content))
    except ValidationError as error:
        # A misspelled key is often a missing key too: the spelling is reported.
        first = min(error.errors(), key=lambda problem: problem["type"] != "extra_forbidden")
        raise _error(path, line_of(text, first["loc"]), _sentence(first)) from error
    if named and source.recipe.network is None:
        raise source.error(("network",), "the key 'network' is missing")
    if chosen and not source.recipe.layers:
        raise source.error(("layers",), "'layers' is missing or empty")
    return source


def _error(path: Path, line: int, message: str) -> InputError:
    return InputError(f"{path}, line {line}: {message}")


def _syntax_error(path: Path, text: str, message: str) -> InputError:
    where = re.search(r" \(at line (\d+), column \d+\)$", message)
    line = int(where[1]) if where else len(text.splitlines())
    what = message[: where.start()] if where else message.removesuffix(" (at end of document)")
    return _error(path, line, f"not TOML: {what[0].lower()}{what[1:]}")


def _sentence(problem: Mapping[str, Any]) -> str:
    """Reword what pydantic found."""
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
            rule = problem["msg"].removeprefix("Input ")
            return f"the value of {key!r}{where} {rule}, not {problem['input']!r}"


def _fields(keys: Sequence[str]) -> list[str]:
    """List the keys of the table at the path `keys`."""
    tables: dict[str, type[Table]] = {
        "show": Show,
        "quality": Quality,
        "weights": Weights,
        "tuning": Tuning,
        "examples": Examples,
        "explain": Explain,
        "atlas": AtlasChoice,
        "layers": LayerChoice,
        "dictionary": DictionaryChoice,
    }
    return list((tables[keys[-1]] if keys else Recipe).model_fields)
