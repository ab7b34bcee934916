"""Features: a unit of a layer, or a direction in it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from visioncircuits import files
from visioncircuits.errors import InputError
from visioncircuits.networks import names


@dataclass(frozen=True)
class Unit:
    """One channel of a layer, written `mixed3b:379`; `index` counts from 0.

    Examples
    --------
    >>> str(Unit("mixed3b", 379))
    'mixed3b:379'
    """

    layer: str
    index: int

    def __str__(self) -> str:
        return f"{self.layer}:{self.index}"

    def record(self) -> str:
        """Return the unit as JSON can hold it; `parse` reads it."""
        return str(self)

    def vector(self, units: int) -> Float[Tensor, " units"]:
        """Return the unit as a direction among the layer's `units`.

        Raises
        ------
        InputError
            Where the layer does not have the unit.
        """
        if not 0 <= self.index < units:
            raise InputError(f"{self}: {self.layer} has units 0 to {units - 1}")
        return torch.nn.functional.one_hot(torch.tensor(self.index), units).float()


@dataclass(frozen=True, init=False, repr=False)
class Direction:
    """A vector over a layer's units: a probe, a factor, a dictionary atom.

    Its activation is the dot product of the layer's activations with it, at every position. Its
    length counts: twice the weights activate twice as much.

    Parameters
    ----------
    layer
        The layer's name.
    weights
        One finite number for each unit, of any type: a sequence, an array or a tensor. Whether
        the layer has so many units is checked when the direction is used.
    name
        By which results list it.

    Raises
    ------
    InputError
        If the weights are not one row of finite numbers.

    Examples
    --------
    >>> Direction("mixed3a", torch.linspace(-1, 1, 256), name="high frequency")
    Direction('mixed3a:high frequency', 256 weights)
    >>> parse(Direction("mixed3a", [0.5, -0.5]).record())
    Direction('mixed3a:direction', 2 weights)
    """

    layer: str
    weights: tuple[float, ...]
    name: str

    def __init__(
        self,
        layer: str,
        weights: Any,
        name: str = "direction",
    ) -> None:
        # a frozen dataclass sets its own fields this way
        object.__setattr__(self, "layer", layer)
        object.__setattr__(self, "weights", _row(weights))
        object.__setattr__(self, "name", name)

    def __repr__(self) -> str:
        return f"Direction({str(self)!r}, {len(self.weights)} weights)"

    def __str__(self) -> str:
        return f"{self.layer}:{self.name}"

    def record(self) -> dict[str, Any]:
        """Return the direction as JSON can hold it; `parse` reads it."""
        return {"layer": self.layer, "weights": list(self.weights), "name": self.name}

    def save(self, path: str | Path) -> Path:
        """Write the direction's record to a `.json` file.

        Raises
        ------
        InputError
            For another suffix, or where it cannot be written.

        Examples
        --------
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp(), "edge.json")
        >>> Direction.load(Direction("mixed3a", [0.5, -0.5], name="edge").save(path))
        Direction('mixed3a:edge', 2 weights)
        """
        return files.write_json(path, self.record())

    @classmethod
    def load(cls, path: str | Path) -> "Direction":
        """Read a direction that `save` wrote.

        Raises
        ------
        InputError
            Where the file cannot be read, or holds anything else than one direction.
        """
        read = _from_json(Path(path))
        if len(read) != 1 or not isinstance(read[0], cls):
            raise InputError(f"{path} does not hold one direction; read it with read_features")
        return read[0]

    def vector(self, units: int) -> Float[Tensor, " units"]:
        """Return the direction's weights, checked against the layer's number of units.

        Raises
        ------
        InputError
            Where there are more or fewer weights than units, or all are zero.
        """
        if len(self.weights) != units:
            raise InputError(
                f"{self} has {len(self.weights)} weights, but {self.layer} has {units} units"
            )
        vector = torch.tensor(self.weights)
        if not vector.any():
            raise InputError(f"{self} is zero everywhere; a direction needs a weight that is not")
        return vector


def _row(weights: Any) -> tuple[float, ...]:
    try:
        row = np.asarray(weights.tolist() if isinstance(weights, Tensor) else weights)
        row = row.astype(float) if row.dtype.kind in "biuf" else np.array(np.nan)
    except (TypeError, ValueError, RuntimeError):  # such as rows of several lengths
        row = np.array(np.nan)
    if row.ndim != 1 or not (np.abs(row) <= np.finfo(np.float32).max).all():
        raise InputError(
            "a direction has one finite number for each unit of its layer; pass a sequence, or an "
            "array of one dimension"
        )
    return tuple(row.tolist())


Feature = Unit | Direction
"""Every tool that takes a unit takes a feature."""


def parse(text: str | Mapping[str, Any] | Feature) -> Feature:
    """Parse `layer:unit`, or a feature's `record()`; a feature is returned as it is.

    The layer's name is all before the last colon, whatever characters it has.

    Raises
    ------
    InputError
        Where the text is not a layer's name, a colon and a number, or the mapping does not hold
        the layer and the weights of a direction.

    Examples
    --------
    >>> def layer_of(feature: str | Feature) -> str:
    ...     return parse(feature).layer
    >>> layer_of("mixed3b:379"), layer_of(Unit("mixed3b", 379))
    ('mixed3b', 'mixed3b')
    """
    if isinstance(text, Mapping):
        if not {"layer", "weights"} <= {*text} <= {"layer", "weights", "name"}:
            raise InputError(
                f"a direction is read from its layer, weights and name, not from "
                f"{', '.join(map(repr, text)) or 'nothing'}"
            )
        return Direction(**text)
    if not isinstance(text, str):
        return text
    if names.description(text) is not None:
        raise InputError(
            f"{text!r} is a direction only of a network with a text encoder; pass "
            "network.feature(…) of it"
        )
    return Unit(*names.unit(text))


def read_features(text: str, *, folder: str | Path = ".") -> tuple[Feature, ...]:
    """Read features as they are written on the command line and in recipes.

    `expand`, `select` and every function of features do so too.

    Parameters
    ----------
    text
        `layer:unit`; `layer:file.npy` for a direction of these weights, named as the file, or, of
        an array with several rows, one for each row, named `file 0`, `file 1`, …; or `file.json`
        with the `record()` of a feature or a verdict, a list of these, or a table that a command
        wrote.
    folder
        That the file's path is relative to.

    Raises
    ------
    InputError
        For other text, a file that is missing or holds something else, weights that are not
        finite, or features of another layer than the one that is written.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> np.save(f"{folder}/dog.npy", np.ones(256))
    >>> read_features("mixed3a:dog.npy", folder=folder)
    (Direction('mixed3a:dog', 256 weights),)
    >>> read_features("mixed3a:7")
    (Unit(layer='mixed3a', index=7),)
    """
    named = names.features_file(text)
    if named is None:
        return (parse(text),)
    layer, path = named[0], Path(folder, named[1])
    if not path.is_file():
        raise InputError(f"there is no file {path}; it is named by {text!r}")
    if path.suffix.lower() == ".npy":
        return _from_array(layer, path)
    read = _from_json(path)
    if layer and (other := next((each for each in read if each.layer != layer), None)):
        raise InputError(
            f"{path} holds {other}, which is no feature of {layer}; write {path} alone"
        )
    return read


def _from_array(layer: str, path: Path) -> tuple[Direction, ...]:
    try:
        array = np.load(path, allow_pickle=False)
        if array.ndim == 2 and len(array) > 1:
            rows = [(f"{path.stem} {place}", row) for place, row in enumerate(array)]
        else:
            rows = [(path.stem, array[0] if array.ndim == 2 and len(array) else array)]
        return tuple(Direction(layer, row, name=name) for name, row in rows)
    except (OSError, ValueError, EOFError) as error:  # an InputError of Direction too
        raise InputError(f"{path} holds no directions: {error}") from error


def _from_json(path: Path) -> tuple[Feature, ...]:
    try:
        content = json.loads(path.read_text("utf-8"))
        listed = content if isinstance(content, list) else [content]
        found = tuple(map(_from_entry, listed))
    except (OSError, ValueError) as error:  # an InputError of an entry too
        raise InputError(f"{path} holds no records of features: {error}") from error
    if not found:
        raise InputError(f"{path} lists no feature")
    return found


def _from_entry(entry: Any) -> Feature:
    """Read a feature's record, or that of a result which holds a `direction` or a `unit`."""
    if isinstance(entry, Mapping):
        entry = entry.get("direction") or entry.get("unit", entry)
    if not isinstance(entry, str | Mapping):
        raise InputError(f"{entry!r} is no feature")
    return parse(entry)
