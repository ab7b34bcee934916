"""Columns: how the values of a place are a sum over nodes, and what of it its features leave."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from visioncircuits.circuits.circuit import REST
from visioncircuits.dictionaries import Dictionary
from visioncircuits.errors import InputError
from visioncircuits.networks import Direction, Feature, Features, Network, Unit, select
from visioncircuits.networks.edits import Replacement


@dataclass(frozen=True, eq=False)
class Parts:
    """The values of a column's nodes.

    Attributes
    ----------
    scalars
        Of each feature.
    rest
        What the features leave of the place, as values of its units; None where they leave nothing.
    """

    scalars: Float[Tensor, "batch features *positions"]
    rest: Float[Tensor, "batch units *positions"] | None

    def batch(self, photographs: slice) -> "Parts":
        """Return those of some photographs; what is the same for all stays."""
        if len(self.scalars) == 1:
            return self
        rest = None if self.rest is None else self.rest[photographs]
        return Parts(self.scalars[photographs], rest)

    def mean(self) -> "Parts":
        """Return the mean of each over photographs and positions."""
        return Parts(_mean(self.scalars), None if self.rest is None else _mean(self.rest))

    def zero(self) -> "Parts":
        """Return zeros for all photographs."""
        mean = self.mean()
        rest = None if mean.rest is None else torch.zeros_like(mean.rest)
        return Parts(torch.zeros_like(mean.scalars), rest)

    def elsewhere(self) -> "Parts":
        """Return the values on another photograph, half of their number away."""
        shift = max(len(self.scalars) // 2, 1)
        rest = None if self.rest is None else self.rest.roll(shift, 0)
        return Parts(self.scalars.roll(shift, 0), rest)

    def towards(self, other: "Parts", mask: Float[Tensor, " nodes"]) -> "Parts":
        """Return what lies between these, at mask 0, and others, at mask 1, node by node."""
        count = self.scalars.shape[1]
        weights = mask[:count].reshape(-1, *(1,) * (self.scalars.ndim - 2))
        mixed = _between(self.scalars, other.scalars, weights)
        if self.rest is None or other.rest is None:
            return Parts(mixed, None)
        return Parts(mixed, _between(self.rest, other.rest, mask[count]))


def _between(start: Tensor, end: Tensor, weight: Tensor) -> Tensor:
    """Interpolate; either may be the same for all photographs and positions."""
    if len(start) < len(end):
        start = start.expand_as(end)
    return torch.lerp(start, end.expand_as(start), weight)


def _mean(values: Tensor) -> Tensor:
    return values.mean([axis for axis in range(values.ndim) if axis != 1], keepdim=True)


@dataclass(frozen=True)
class Units:
    """Every unit of a layer is a node, and nothing is left."""

    layer: str
    count: int

    @cached_property
    def features(self) -> tuple[Feature, ...]:
        """The units."""
        return tuple(Unit(self.layer, index) for index in range(self.count))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Theirs."""
        return tuple(map(str, self.features))

    def read(self, values: Tensor) -> Parts:
        """Take the units' values as they are."""
        return Parts(values, None)

    def join(self, parts: Parts) -> Tensor:
        """Take the units' values as they are."""
        return parts.scalars

    def pulled(self, gradient: Tensor) -> Parts:
        """Take the gradient as it is."""
        return Parts(gradient, None)


@dataclass(frozen=True, eq=False)
class Some:
    """Some features of a layer are nodes, and the rest is one more.

    The value of a feature is what activations have of it: the least squares of all of these
    features together, which for units is their activation.
    """

    layer: str
    features: tuple[Feature, ...]
    vectors: Float[Tensor, "features units"]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Of the features, and of the rest."""
        return (*map(str, self.features), f"{self.layer}:{REST}")

    @cached_property
    def _inverse(self) -> Float[Tensor, "units features"]:
        inverse: Tensor = torch.linalg.pinv(self.vectors)
        return inverse

    def read(self, values: Tensor) -> Parts:
        """Fit the features to the values; what they leave is the rest."""
        scalars = torch.einsum("uf,bu...->bf...", self._inverse.to(values), values)
        return Parts(scalars, values - self._sum(scalars))

    def join(self, parts: Parts) -> Tensor:
        """Add the features and the rest."""
        assert parts.rest is not None
        return self._sum(parts.scalars) + parts.rest

    def pulled(self, gradient: Tensor) -> Parts:
        """Project the gradient on the features."""
        scalars = torch.einsum("fu,bu...->bf...", self.vectors.to(gradient), gradient)
        return Parts(scalars, gradient)

    def _sum(self, scalars: Tensor) -> Tensor:
        return torch.einsum("fu,bf...->bu...", self.vectors.to(scalars), scalars)


@dataclass(frozen=True, eq=False)
class Atoms:
    """The atoms of a dictionary are nodes, by their codes, and its error is one more."""

    dictionary: Dictionary

    @property
    def layer(self) -> str:
        """The dictionary's."""
        return self.dictionary.layer

    @cached_property
    def features(self) -> tuple[Feature, ...]:
        """The atoms."""
        return self.dictionary.features

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Of the atoms, and of what they leave."""
        return (*map(str, self.features), f"{self.layer}:{REST}")

    def read(self, values: Tensor) -> Parts:
        """Encode the values at each position; what is not decoded is the rest."""
        samples = values.movedim(1, -1)
        codes = self.dictionary.encode(samples.reshape(-1, samples.shape[-1]))
        scalars = codes.reshape(*samples.shape[:-1], -1).movedim(-1, 1)
        return Parts(scalars, values - self._sum(scalars))

    def join(self, parts: Parts) -> Tensor:
        """Decode, and add the rest."""
        assert parts.rest is not None
        return self._sum(parts.scalars) + parts.rest

    def pulled(self, gradient: Tensor) -> Parts:
        """Project the gradient on the atoms."""
        atoms = self.dictionary.atoms.to(gradient)
        return Parts(torch.einsum("fu,bu...->bf...", atoms, gradient), gradient)

    def _sum(self, scalars: Tensor) -> Tensor:
        atoms, center = self.dictionary.atoms.to(scalars), self.dictionary.center.to(scalars)
        total = torch.einsum("fu,bf...->bu...", atoms, scalars)
        whole: Tensor = total + center.reshape(-1, *(1,) * (total.ndim - 2))
        return whole


Column = Units | Some | Atoms
"""The nodes of a place: its features by `names`, and, of all but units, the rest as the last."""


def column(network: Network, layer: str, features: Features | None = None) -> Units | Some:
    """Return the column of a layer: of all its units, or of some features and the rest.

    Raises
    ------
    InputError
        For an unknown layer, features of another, or directions that are not independent.
    """
    known = network.layer(layer)
    if features is None:
        return Units(known.name, known.units)
    chosen = select(network, features)
    if chosen.layer != known.name:
        raise InputError(f"{chosen.features[0]} is no feature of {known.name}")
    if any(isinstance(each, Direction) for each in chosen.features) and int(
        torch.linalg.matrix_rank(chosen.vectors)
    ) < len(chosen):
        raise InputError(
            f"the directions of {layer} depend on each other, so that their values are not "
            "determined; give fewer, or the dictionary that they are from"
        )
    return Some(known.name, chosen.features, chosen.vectors)


def values_of(
    network: Network,
    place: Column,
    nodes: Sequence[int],
    pictures: Tensor,
    changes: Sequence[Replacement],
) -> Parts:
    """Compute some nodes of a column, in their order, from changed values of earlier places.

    Single units are computed without the others of their layer.
    """
    count = len(place.features)
    if isinstance(place, Units):
        indices = {place.layer: torch.tensor(nodes)}
        found = network.unit_activations(pictures, indices, changes=changes)[place.layer]
        return Parts(found, None)
    values = network.activations(pictures, [place.layer], changes=changes)[place.layer]
    parts = place.read(values)
    inner = [node for node in nodes if node < count]
    return Parts(parts.scalars[:, inner], parts.rest if count in nodes else None)


@dataclass(frozen=True, eq=False)
class Target:
    """The one feature that is explained; the rest of its layer is no node."""

    feature: Feature
    vector: Float[Tensor, " units"]

    @property
    def layer(self) -> str:
        """Its layer."""
        return self.feature.layer

    @property
    def features(self) -> tuple[Feature, ...]:
        """Itself."""
        return (self.feature,)

    @property
    def names(self) -> tuple[str, ...]:
        """Its own."""
        return (str(self.feature),)

    def value(
        self, network: Network, pictures: Tensor, changes: Sequence[Replacement]
    ) -> Float[Tensor, "batch positions"]:
        """Compute its activations."""
        if isinstance(self.feature, Unit):
            units = {self.layer: torch.tensor([self.feature.index])}
            found = network.unit_activations(pictures, units, changes=changes)[self.layer]
        else:
            maps = network.activations(pictures, [self.layer], changes=changes)[self.layer]
            found = torch.einsum("u,bu...->b...", self.vector.to(maps), maps)
        return found.reshape(len(found), -1)
