"""Families: named lists of units, with a taxonomy as its file."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from visioncircuits.errors import InputError, unknown
from visioncircuits.networks.features import Unit


@dataclass(frozen=True)
class Families:
    """A taxonomy: for each layer its families, for each family its units.

    Examples
    --------
    >>> taxonomy = Families({"mixed3b": {"Curves": (379, 406)}})
    >>> taxonomy.of(Unit("mixed3b", 406))
    ('Curves',)
    """

    layers: dict[str, dict[str, tuple[int, ...]]]

    def units(self, layer: str, family: str) -> tuple[Unit, ...]:
        """List a family's units.

        Raises
        ------
        InputError
            Where the taxonomy has no such family in the layer.
        """
        families = self.layers.get(layer, {})
        if family not in families:
            raise unknown(f"family of {layer}", family, families)
        return tuple(Unit(layer, index) for index in families[family])

    def of(self, unit: Unit) -> tuple[str, ...]:
        """Name the families that a unit is in."""
        return tuple(
            name for name, units in self.layers.get(unit.layer, {}).items() if unit.index in units
        )


def read_families(path: str | Path) -> Families:
    """Read a taxonomy from JSON.

    Either `{layer: {family: [unit, …]}}` or the form of "An Overview of Early Vision":
    `{layer: {"families": [{"name": …, "units": […]}, …]}}`.

    Raises
    ------
    InputError
        Where the file cannot be read as either.
    """
    try:
        data = json.loads(Path(path).read_text("utf-8"))
        return Families({layer: _layer(families) for layer, families in data.items()})
    except OSError as error:
        raise InputError(f"the taxonomy {path} cannot be read: {error.strerror}") from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(
            f"{path} is not a taxonomy; write JSON of the form {{layer: {{family: [unit, …]}}}}"
        ) from error


def _layer(families: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    if "families" in families:
        families = {family["name"]: family["units"] for family in families["families"]}
    return {name: tuple(int(unit) for unit in units) for name, units in families.items()}
