"""An objective: a function of activations to be maximized, with sums, differences and multiples.

Source: lucid's objectives.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from numbers import Real

import torch
from jaxtyping import Float
from torch import Tensor

from visioncircuits.errors import InputError
from visioncircuits.networks import Direction, Feature, Network, Unit

Maps = Float[Tensor, "batch channels height width"]


@dataclass(frozen=True, eq=False)
class Activations:
    """The activations that one objective reads, for its pictures.

    Attributes
    ----------
    pictures
        The pictures, before any random transform, which penalties read.
    layers
        Activations `(pictures, units, rows, columns)` of the layers that are read as a whole.
    units
        Activations `(pictures, rows, columns)` of the units that are read on their own.
    network
        The network.
    batch
        The layers' activations for all pictures that are optimized at once. Those of `layers` are
        cut from them, so that gradients are taken to these.
    first
        Where in the batch this objective's pictures begin.
    """

    pictures: Maps
    layers: Mapping[str, Tensor]
    units: Mapping[Unit, Tensor]
    network: Network
    batch: Mapping[str, Tensor] = field(default_factory=dict)
    first: int = 0

    def feature(self, feature: Feature) -> Tensor:
        """Return a feature's activation `(pictures, rows, columns)`."""
        if isinstance(feature, Unit) and feature in self.units:
            return self.units[feature]
        values = self.layers[feature.layer]
        if isinstance(feature, Unit):
            return values[:, feature.index]
        return torch.einsum("bu...,u->b...", values, feature.vector(values.shape[1]).to(values))

    def gradients(
        self, values: Float[Tensor, " pictures"], layers: Sequence[str]
    ) -> dict[str, Tensor]:
        """Return the gradient of each picture's value to its activations in some layers.

        They are constants: an objective that reads them is differentiated through activations
        alone, which takes one more backward pass, from the values to the first of the layers, and
        no derivative of second order.

        Raises
        ------
        InputError
            Where the values do not depend on a layer, or were converted on the way.
        """
        sources = [self.batch.get(layer, self.layers[layer]) for layer in layers]
        found = torch.autograd.grad(values.sum(), sources, retain_graph=True, allow_unused=True)
        for layer, gradient in zip(layers, found, strict=True):
            if gradient is None:
                raise InputError(
                    f"there is no gradient to {layer}; name a layer that comes before, of a "
                    "network that computes in float32"
                )
        own = slice(self.first, self.first + len(self.pictures))
        return {layer: each[own] for layer, each in zip(layers, found, strict=True)}


@dataclass(frozen=True, eq=False, repr=False)
class Objective:
    """A number to be maximized, and the activations it reads.

    Objectives can be added, subtracted and multiplied by numbers.

    Attributes
    ----------
    name
        Identifies it in a record, and seeds its noise.
    score
        From `Activations` to one number for each picture, `(pictures,)`, or to one number.
    units, layers
        The units that are read on their own, and the layers that are read as a whole.
    pictures
        Number of pictures that it optimizes together.
    feature
        The feature whose activation is reported, if any.
    directions
        Others that it reads; records hold them, since the name does not make them again.

    Examples
    --------
    >>> from visioncircuits.featurevis.objectives import unit
    >>> (unit("mixed3b:379") + unit("mixed3b:385")) / 2
    Objective('0.5·(unit mixed3b:379 + unit mixed3b:385)')
    """

    name: str
    score: Callable[[Activations], Tensor]
    units: tuple[Unit, ...] = ()
    layers: tuple[str, ...] = ()
    pictures: int = 1
    feature: Feature | None = None
    directions: tuple[Direction, ...] = ()

    def __repr__(self) -> str:
        together = f", {self.pictures} pictures" if self.pictures > 1 else ""
        return f"Objective({self.name!r}{together})"

    def each(self, activations: Activations) -> Float[Tensor, " pictures"]:
        """Return the value of each picture; a single number is divided equally."""
        values = self.score(activations).flatten()
        pictures = len(activations.pictures)
        return values if len(values) == pictures else values.sum().expand(pictures) / pictures

    def __call__(self, activations: Activations) -> Float[Tensor, ""]:
        """Return the number to be maximized."""
        return self.each(activations).sum()

    def __add__(self, other: object) -> "Objective":
        if isinstance(other, Real):
            value = float(other)
            name = f"{self.name} + {value:g}" if value else self.name  # sum() starts with 0
            return replace(self, name=name, score=lambda a: self.each(a) + value)
        if not isinstance(other, Objective):
            raise InputError(
                f"an objective and a {type(other).__name__} cannot be added; add an objective or "
                "a number"
            )
        return Objective(
            name=f"{self.name} + {other.name}",
            score=lambda a: self.each(a) + other.each(a),
            units=self.units + other.units,
            layers=self.layers + other.layers,
            pictures=max(self.pictures, other.pictures),
            feature=self.feature or other.feature,
            directions=self.directions + other.directions,
        )

    __radd__ = __add__

    def __mul__(self, factor: object) -> "Objective":
        if not isinstance(factor, Real):
            raise InputError("an objective can be multiplied by a number only")
        number = float(factor)
        name = f"{number:g}·{self._bracketed()}"
        return replace(self, name=name, score=lambda a: self.each(a) * number)

    __rmul__ = __mul__

    def __neg__(self) -> "Objective":
        return self * -1

    def __sub__(self, other: object) -> "Objective":
        if isinstance(other, Objective):
            return replace(self + -other, name=f"{self.name} - {other._bracketed()}")
        return self + (-float(other) if isinstance(other, Real) else other)

    def _bracketed(self) -> str:
        return f"({self.name})" if " + " in self.name or " - " in self.name else self.name

    def __truediv__(self, factor: float) -> "Objective":
        return self * (1 / factor)
