"""A facet: a kind of things as a direction in each of some layers, with a file's form."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from visioncircuits import files
from visioncircuits.errors import InputError
from visioncircuits.networks import Direction, read_features


@dataclass(frozen=True, repr=False)
class Facet:
    """A kind of things that a unit's pictures are to show: a direction in each of some layers.

    Attributes
    ----------
    name
        Such as "heads".
    directions
        One a layer. Only the relation of their weights counts: the largest is taken as 1.
    accuracies
        Of probes, by layer: the mean of the accuracies for either kind, on photographs that were
        held out; chance is .5. Empty where the directions come from elsewhere.
    record
        How they were fitted, as plain data.

    Raises
    ------
    InputError
        Without a direction, or for two of one layer.

    Examples
    --------
    >>> Facet("stripes", (Direction("mixed3a", [0.5, -0.5]),))
    Facet('stripes', mixed3a)
    """

    name: str
    directions: tuple[Direction, ...]
    accuracies: Mapping[str, float] = field(default_factory=dict)
    record: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        layers = self.layers
        if not layers or len({*layers}) < len(layers):
            raise InputError(
                f"the facet {self.name!r} has {len(layers)} directions, of "
                f"{', '.join(layers) or 'no layer'}; it needs one for each of some layers"
            )

    def __repr__(self) -> str:
        measured = (f"{name}{self._accuracy(name)}" for name in self.layers)
        return f"Facet({self.name!r}, {', '.join(measured)})"

    def _accuracy(self, layer: str) -> str:
        return f" {self.accuracies[layer]:.0%}" if layer in self.accuracies else ""

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers, in the order of the directions."""
        return tuple(direction.layer for direction in self.directions)

    def save(self, path: str | Path) -> Path:
        """Write the facet to a `.json` file, which holds directions for all other tools too.

        Raises
        ------
        InputError
            For another suffix, or where it cannot be written.

        Examples
        --------
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp(), "stripes.json")
        >>> facet = Facet("stripes", (Direction("mixed3a", [0.5, -0.5], name="stripes"),))
        >>> Facet.load(facet.save(path)) == facet, read_features(str(path)) == facet.directions
        (True, True)
        """
        entries = [
            {
                "facet": self.name,
                "direction": direction.record(),
                "accuracy": self.accuracies.get(direction.layer),
                "record": self.record,
            }
            for direction in self.directions
        ]
        return files.write_json(path, entries, indent=1)

    @classmethod
    def load(cls, text: str | Path) -> "Facet":
        """Read a facet that `save` wrote, or make one of a file of directions.

        Parameters
        ----------
        text
            As `networks.read_features` reads it: `heads.json`, or `mixed4a:dog.npy`.

        Raises
        ------
        InputError
            Where there is no such file, or it holds units, or several directions of a layer.
        """
        found = read_features(str(text))
        directions = tuple(each for each in found if isinstance(each, Direction))
        if len(directions) < len(found):
            raise InputError(f"{text} is no facet: it holds units; directions are needed")
        path = Path(str(text).rpartition(":")[2])
        entries = json.loads(path.read_text("utf-8")) if path.suffix == ".json" else None
        if not (isinstance(entries, list) and all("facet" in entry for entry in entries)):
            return cls(path.stem, directions)
        measured = {d.layer: e["accuracy"] for d, e in zip(directions, entries, strict=True)}
        return cls(
            entries[0]["facet"],
            directions,
            {layer: value for layer, value in measured.items() if value is not None},
            entries[0]["record"],
        )
