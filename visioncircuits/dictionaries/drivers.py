"""Drivers: what of the layer below makes a unit activate, example by example.

Attribution to the layer below is activation times gradient, as in PURE (Dreyer et al., "PURE:
Turning Polysemantic Neurons Into Pure Features by Identifying Relevant Circuits", 2024). In a
network of convolutions, rectifiers and pools these contributions add up to the pre-activation, less
what biases add.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from visioncircuits import datasets
from visioncircuits.datasets import Photographs, Source
from visioncircuits.errors import InputError
from visioncircuits.examples.collect import batches, nothing_read, recorded
from visioncircuits.examples.tops import Places
from visioncircuits.networks import Features, Network, Unit, expand
from visioncircuits.networks.edits import Replacement
from visioncircuits.numbers import whole
from visioncircuits.progress import Advance, bar
from visioncircuits.weights import surroundings

TOP = 48
"""Examples of each unit, one a photograph."""


@dataclass(frozen=True, eq=False)
class Drivers:
    """What drives a unit in the photographs that activate it most.

    Attributes
    ----------
    unit
        The unit.
    below
        The layer below.
    names
        Of the photographs, the strongest first.
    positions : Tensor, (examples, 2)
        Row and column of the unit's strongest neuron in each.
    values : Tensor, (examples,)
        Its pre-activation there.
    contributions : Tensor, (examples, units)
        What each unit of the layer below adds to it, over all positions.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> drivers(untrained("bvlc_googlenet"), "mixed3b:200", torch.rand(3, 3, 224, 224))
    (Drivers(mixed3b:200 from 256 units of mixed3a, 3 examples),)
    """

    unit: Unit
    below: str
    names: tuple[str, ...]
    positions: Int64[Tensor, "examples 2"]
    values: Float[Tensor, " examples"]
    contributions: Float[Tensor, "examples units"]

    def __repr__(self) -> str:
        units = self.contributions.shape[1]
        return (
            f"Drivers({self.unit} from {units} units of {self.below}, {len(self.names)} examples)"
        )


def drivers(
    network: Network,
    features: Features,
    photographs: Source,
    *,
    below: str | None = None,
    top: int = TOP,
    batch: int = 16,
    progress: bool = False,
) -> tuple[Drivers, ...]:
    """Find the strongest examples of units, and what drives each of them from the layer below.

    Parameters
    ----------
    network
        Any network.
    features
        Layers, for all their units, or units.
    photographs
        Any; those that cannot be read are left out.
    below
        The layer below; by default the last main layer before the unit's (see `main_layers`).
    top
        Examples of each unit, one a photograph; those that do not activate it are left out.
    batch
        Pictures that go through the network at once.
    progress
        Whether to show a bar.

    Raises
    ------
    InputError
        For an unknown unit, a direction, a layer without positions or with none below, a layer
        that the unit does not depend on, or if no picture can be read.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> network = untrained("bvlc_googlenet")
    >>> (found,) = drivers(network, "mixed3b:200", torch.rand(3, 3, 224, 224), below="conv2d2")
    >>> found.contributions.shape
    torch.Size([3, 192])
    """
    whole("top", top, least=1)
    whole("batch", batch, least=1)
    units = _units(network, features)
    layers, _ = recorded(network, units)
    sources = {layer: _below(network, layer, below) for layer in {unit.layer for unit in units}}
    given = datasets.photographs(photographs, labels="none")
    with bar("photographs", 2 * len(given), visible=progress) as advance:
        strongest = _strongest(network, units, layers, given, top=top, batch=batch, advance=advance)
        shown = sorted({int(at) for found in strongest.values() for at in found.pictures})
        contributed = _contributions(network, strongest, sources, given, shown, batch, advance)
    return tuple(
        Drivers(
            unit,
            sources[unit.layer],
            tuple(given.names[at] for at in strongest[unit].pictures.tolist()),
            strongest[unit].positions,
            strongest[unit].values,
            contributed[unit],
        )
        for unit in units
    )


def _units(network: Network, features: Features) -> list[Unit]:
    units = []
    for feature in expand(network, features):
        if not isinstance(feature, Unit):
            raise InputError(f"what drives a unit can be found, and {feature} is a direction")
        units.append(feature)
    return units


def _below(network: Network, layer: str, below: str | None) -> str:
    if below is None:
        found = surroundings(network, layer).before
        if not found:
            raise InputError(
                f"{layer} has no layer below but the pixels; choose a later layer, or name the "
                "layer below"
            )
        return found[0]
    name = network.layer(below).name
    if name == layer or not network.depends(layer, name):
        raise InputError(f"{layer} does not depend on {below}; name an earlier layer")
    if len(network.layer(name).shape) != 2:
        raise InputError(f"{below} has no positions; name a layer that has")
    return name


@dataclass(frozen=True, eq=False)
class _Found:
    """Where a unit is strongest, the strongest first."""

    values: Float[Tensor, " examples"]
    positions: Int64[Tensor, "examples 2"]
    pictures: Int64[Tensor, " examples"]


def _strongest(
    network: Network,
    units: Sequence[Unit],
    layers: Mapping[str, str],
    photographs: Photographs,
    *,
    top: int,
    batch: int,
    advance: Advance,
) -> dict[Unit, _Found]:
    """Find the strongest neuron of each unit in each photograph, and keep the first of these."""
    groups: dict[str, list[Unit]] = {}
    for unit in units:
        groups.setdefault(layers[unit.layer], []).append(unit)
    read = {name: torch.tensor([unit.index for unit in own]) for name, own in groups.items()}
    kept = {name: Places.empty(len(own)) for name, own in groups.items()}
    skipped: list[str] = []
    seen = 0
    for photos, numbers in batches(photographs.at(network.size), batch, 0, skipped, advance):
        pixels = torch.stack([photo.pixels for photo in photos if photo.pixels is not None])
        with torch.inference_mode():
            maps = network.unit_activations(pixels, read)
        for name, found in maps.items():
            values, where = found.float().flatten(2).max(2)
            some = Places.of(values.T, where.T, numbers, found.shape[3], top)
            kept[name] = kept[name].joined(some, top)
        seen += len(photos)
    if not seen:
        raise nothing_read(skipped)
    return {
        unit: _found(kept[name], at) for name, own in groups.items() for at, unit in enumerate(own)
    }


def _found(places: Places, at: int) -> _Found:
    """Return those of a unit's neurons that are active."""
    active = places.values[at] > 0
    each = places.values[at], places.positions[at], places.pictures[at]
    return _Found(*(torch.from_numpy(part[active]) for part in each))


def _contributions(
    network: Network,
    strongest: dict[Unit, _Found],
    sources: dict[str, str],
    photographs: Photographs,
    shown: Sequence[int],
    batch: int,
    advance: Advance,
) -> dict[Unit, Float[Tensor, "examples units"]]:
    """Read the photographs with examples again, and attribute each to the layer below."""
    found = {
        unit: torch.zeros(len(each.values), network.layer(sources[unit.layer]).units)
        for unit, each in strongest.items()
    }
    read = list(dict.fromkeys(sources.values()))
    part = photographs.part(shown)
    for photos, numbers in batches(part.at(network.size), batch, 0, [], advance):
        pixels = torch.stack([photo.pixels for photo in photos if photo.pixels is not None])
        here = torch.tensor(shown)[torch.from_numpy(numbers)]
        with torch.no_grad():
            maps = network.activations(pixels, read)
        for unit, each in strongest.items():
            places, rows = (each.pictures[:, None] == here).nonzero(as_tuple=True)
            if len(rows):
                below = sources[unit.layer]
                found[unit][places] = _attributed(
                    network, unit, pixels[rows], below, maps[below][rows], each.positions[places]
                )
    advance(len(photographs) - len(shown))
    return found


def _attributed(
    network: Network,
    unit: Unit,
    pictures: Float[Tensor, "batch channels height width"],
    below: str,
    maps: Float[Tensor, "batch units rows columns"],
    positions: Int64[Tensor, "batch 2"],
) -> Float[Tensor, "batch units"]:
    """Attribute a unit's pre-activation at one position a picture to the layer below."""
    leaf = maps.detach().clone().requires_grad_()
    with torch.inference_mode(False), torch.enable_grad():
        values = pre_activation(network, unit, pictures, below, leaf)
        one = values[torch.arange(len(values)), positions[:, 0], positions[:, 1]]
        (gradient,) = torch.autograd.grad(one.sum(), leaf)
    return (gradient * maps).sum((2, 3)).cpu()


def pre_activation(
    network: Network,
    unit: Unit,
    pictures: Float[Tensor, "batch channels height width"],
    below: str,
    maps: Float[Tensor, "batch units rows columns"],
) -> Float[Tensor, "batch rows2 columns2"]:
    """Compute a unit's pre-activation where the layer below has given values."""
    name = network.before_rectifier(unit.layer)
    read = {name: torch.tensor([unit.index])}
    change = Replacement(below, maps)
    return network.unit_activations(pictures, read, changes=[change])[name][:, 0]
