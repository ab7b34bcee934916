"""The features that a recipe selects in its network, with their families and branches."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from visioncircuits import networks
from visioncircuits.errors import InputError, unknown
from visioncircuits.gallery import atoms
from visioncircuits.gallery.atoms import Atoms
from visioncircuits.gallery.contents import label, slug
from visioncircuits.gallery.recipe import Source
from visioncircuits.gallery.recipe_tables import LayerChoice
from visioncircuits.networks import (
    Direction,
    Families,
    Feature,
    Features,
    Layer,
    Network,
    Unit,
    names,
)


@dataclass(frozen=True)
class Selection:
    """The features of one layer that a gallery shows.

    Attributes
    ----------
    layer
        The layer they are in.
    features
        In the order in which they are shown.
    families
        Name to units, those not shown among them.
    branches
        Name to units, as `Network.branches` returns them, without the layer's name.
    atoms
        The dictionary that the recipe names of the layer; its atoms are the last features.
    """

    layer: Layer
    features: tuple[Feature, ...]
    families: Mapping[str, tuple[int, ...]]
    branches: Mapping[str, range]
    atoms: Atoms | None = None

    @property
    def units(self) -> tuple[int, ...]:
        """The numbers of the units among them."""
        return tuple(each.index for each in self.features if isinstance(each, Unit))

    @property
    def directions(self) -> tuple[Direction, ...]:
        """The directions among them."""
        return tuple(each for each in self.features if isinstance(each, Direction))

    def families_of(self, feature: Feature) -> tuple[str, ...]:
        """Return the families that a feature is in; none of a direction."""
        return tuple(name for name, units in self.families.items() if _among(feature, units))

    def branch_of(self, feature: Feature) -> str:
        """Return the branch that a feature is in; "" for a direction, or if there are none."""
        return next((name for name, units in self.branches.items() if _among(feature, units)), "")


def _among(feature: Feature, units: Iterable[int]) -> bool:
    return isinstance(feature, Unit) and feature.index in units


def select(source: Source, network: Network, features: Features = ()) -> list[Selection]:
    """Find the features that a recipe names, and join others that are shown after them.

    Raises
    ------
    InputError
        For a layer, unit, family or file of directions that does not exist, with the recipe's line
        and what there is; for directions that the layer cannot have, or of one name; for a
        dictionary as `atoms.read`.
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
        named = choice.dictionary
        dictionary = (
            None
            if named is None
            else atoms.read(source, (*at, "dictionary"), named, network, layer)
        )
        try:
            directions = _directions(source, choice, network)
            directions += dictionary.shown if dictionary else ()
            chosen = _distinct((*(Unit(layer.name, unit) for unit in units), *directions))
        except InputError as error:
            raise source.error((*at, "directions"), str(error)) from error
        branches = _branches(network, layer)
        found[layer.name] = Selection(layer, chosen, families, branches, dictionary)
    for feature in networks.expand(network, features) if features else ():
        layer = network.layers[feature.layer]
        if layer.name not in found:
            families = dict(taxonomy.layers.get(layer.name, {}))
            found[layer.name] = Selection(layer, (), families, _branches(network, layer))
        chosen = _distinct((*found[layer.name].features, feature))
        found[layer.name] = replace(found[layer.name], features=chosen)
    return list(found.values())


def _directions(source: Source, choice: LayerChoice, network: Network) -> list[Direction]:
    """Read the files of directions and the texts that a recipe names."""
    directions = []
    for file in choice.directions:
        text = file if ":" in file else f"{choice.name}:{file}"
        found = (
            networks.read_features(text, folder=source.path.parent)
            if names.description(file) is None
            else [network.feature(file)]
        )
        for read in found:
            if not isinstance(read, Direction):
                raise InputError(f"{file} holds the unit {read}; list it in `units`")
            if read.layer != choice.name:
                raise InputError(f"{file} names the layer {read.layer}, not {choice.name}")
            network.feature(read)
            directions.append(read)
    return directions


def _distinct(features: Iterable[Feature]) -> tuple[Feature, ...]:
    """Return each feature once, if every one can have a page of its own.

    Raises
    ------
    InputError
        For a direction that is named as a page is already, or as units are.
    """
    pages: dict[str, Feature] = {}
    for feature in features:
        page = slug(label(feature)).casefold()
        if isinstance(feature, Direction) and (page in ("", "index") or page.isdecimal()):
            raise InputError(f"a direction cannot be named {feature.name!r}; give it another name")
        if pages.setdefault(page, feature) != feature:
            both = " and ".join(sorted({str(pages[page]), str(feature)}))
            raise InputError(f"two directions have the name {both}; give each one of its own")
    return tuple(pages.values())


def _branches(network: Network, layer: Layer) -> dict[str, range]:
    return {
        name.removeprefix(f"{layer.name}_"): units
        for name, units in network.branches(layer.name).items()
    }


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
