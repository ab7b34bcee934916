"""The units that a recipe selects in its network, with their families and branches."""

from collections.abc import Mapping
from dataclasses import dataclass

from visioncircuits import networks
from visioncircuits.errors import InputError, unknown
from visioncircuits.gallery.recipe import Source
from visioncircuits.gallery.recipe_tables import LayerChoice
from visioncircuits.networks import Families, Layer, Network


@dataclass(frozen=True)
class Selection:
    """The units of one layer that a gallery shows.

    Attributes
    ----------
    layer
        The layer they are in.
    units
        Their numbers, in the order in which they are shown.
    families
        Name to units, those not shown among them.
    branches
        Name to units, as `Network.branches` returns them, without the layer's name.
    """

    layer: Layer
    units: tuple[int, ...]
    families: Mapping[str, tuple[int, ...]]
    branches: Mapping[str, range]

    def families_of(self, unit: int) -> tuple[str, ...]:
        """Return the families that a unit is in."""
        return tuple(name for name, units in self.families.items() if unit in units)

    def branch_of(self, unit: int) -> str:
        """Return the branch that a unit is in; "" where the layer has none."""
        return next((name for name, units in self.branches.items() if unit in units), "")


def select(source: Source, network: Network) -> list[Selection]:
    """Find the units that a recipe names.

    Raises
    ------
    InputError
        For a layer, unit or family that does not exist, with the recipe's line and those that do.
    """
    taxonomy = _taxonomy(source)
    found: dict[str, Selection] = {}
    for place, choice in enumerate(source.recipe.layers):
        at = ("layers", place)
        if choice.name not in network.layers:
            raise source.error((*at, "name"), str(unknown("layer", choice.name, network.layers)))
        if choice.name in found:
            raise source.error((*at, "name"), f"layer {choice.name!r} is named twice")
        layer = network.layers[choice.name]
        families = {
            **taxonomy.layers.get(layer.name, {}),
            **_families(source, at, choice, taxonomy),
        }
        units = _units(choice, layer, families)
        key = "units" if choice.units else "families"
        for unit in units:
            if unit >= layer.units:
                message = f"{layer.name} has units 0 to {layer.units - 1}, and no {unit}"
                raise source.error((*at, key), message)
        branches = {
            name.removeprefix(f"{layer.name}_"): units
            for name, units in network.branches(layer.name).items()
        }
        found[layer.name] = Selection(layer, units, families, branches)
    return list(found.values())


def _taxonomy(source: Source) -> Families:
    path = source.beside(source.recipe.taxonomy)
    try:
        return networks.Families.load(path) if path else Families({})
    except InputError as error:
        raise source.error(("taxonomy",), str(error)) from error


def _families(
    source: Source, at: tuple[str, int], choice: LayerChoice, taxonomy: Families
) -> dict[str, tuple[int, ...]]:
    """Return the families that a recipe names, with their units."""
    known = taxonomy.layers.get(choice.name, {})
    families = {}
    for name, units in choice.families.items():
        if units is None and source.recipe.taxonomy is None:
            raise source.error(
                (*at, "families"),
                f"which units are in {name!r}? list them here, {{ {name} = [1, 2] }}, or name a "
                "`taxonomy` at the top",
            )
        if units is None and name not in known:
            message = str(unknown(f"family of {choice.name}", name, known))
            raise source.error((*at, "families"), message)
        families[name] = known[name] if units is None else units
    return families


def _units(
    choice: LayerChoice, layer: Layer, families: Mapping[str, tuple[int, ...]]
) -> tuple[int, ...]:
    if choice.units == "all":
        return tuple(range(layer.units))
    if choice.units is not None:
        return choice.units
    return tuple(dict.fromkeys(unit for name in choice.families for unit in families[name]))
