"""Families: named lists of units, read from a taxonomy."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from visioncircuits import files
from visioncircuits.errors import InputError, unknown
from visioncircuits.networks.features import Unit


@dataclass(frozen=True, repr=False)
class Families:
    """A taxonomy: for each layer its families, for each family its units.

    Examples
    --------
    >>> taxonomy = Families({"mixed3b": {"Curves": (379, 406)}})
    >>> taxonomy.of(Unit("mixed3b", 406))
    ('Curves',)
    >>> taxonomy
    Families(mixed3b: 1)
    """

    layers: dict[str, dict[str, tuple[int, ...]]]

    def __repr__(self) -> str:
        counts = (f"{layer}: {len(families)}" for layer, families in self.layers.items())
        return f"Families({', '.join(counts)})"

    def units(self, layer: str, family: str) -> tuple[Unit, ...]:
        """List a family's units.

        Raises
        ------
        InputError
            Where the taxonomy does not have the layer, or the layer does not have the family.

        Examples
        --------
        >>> Families({"mixed3b": {"Curves": (379, 406)}}).units("mixed3b", "Curves")
        (Unit(layer='mixed3b', index=379), Unit(layer='mixed3b', index=406))
        """
        if layer not in self.layers:
            raise unknown("layer of the taxonomy", layer, self.layers)
        families = self.layers[layer]
        if family not in families:
            raise unknown(f"family of {layer}", family, families)
        return tuple(Unit(layer, index) for index in families[family])

    def of(self, unit: Unit) -> tuple[str, ...]:
        """Return the names of the families that a unit is in: none, one or several."""
        return tuple(
            name for name, units in self.layers.get(unit.layer, {}).items() if unit.index in units
        )

    def save(self, path: str | Path) -> Path:
        """Write the taxonomy as JSON, `{layer: {family: [unit, …]}}`, and return the path.

        Raises
        ------
        InputError
            Where the file cannot be written.
        """
        files.write(Path(path), json.dumps(self.layers, indent=1, ensure_ascii=False).encode())
        return Path(path)

    @classmethod
    def load(cls, path: str | Path) -> "Families":
        """Read a taxonomy from JSON.

        Either `{layer: {family: [unit, …]}}` or the form of "An Overview of Early Vision":
        `{layer: {"families": [{"name": …, "units": […]}, …]}}`. Units are counted from 0.

        Raises
        ------
        InputError
            Where the file cannot be read as either, or a layer has two families of the same name.

        Examples
        --------
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Families({"mixed3b": {"Curves": (379, 406)}}).save(f"{folder}/families.json")
        ...     Families.load(path).layers
        {'mixed3b': {'Curves': (379, 406)}}
        """
        try:
            data = json.loads(Path(path).read_text("utf-8"))
            return cls({layer: _layer(families) for layer, families in data.items()})
        except OSError as error:
            raise InputError(f"the taxonomy {path} cannot be read: {error.strerror}") from error
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise InputError(
                f"{path} is not a taxonomy ({error}); write JSON of the form "
                "{layer: {family: [unit, …]}}"
            ) from error


def _layer(families: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    if "families" in families:
        named = [(family["name"], family["units"]) for family in families["families"]]
    else:
        named = list(families.items())
    if len(dict(named)) < len(named):
        raise ValueError("two families of one name")
    if not all(type(unit) is int and unit >= 0 for _, units in named for unit in units):
        raise ValueError("units are whole numbers from 0")
    return {name: tuple(units) for name, units in named}
