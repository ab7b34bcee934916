"""Features: a unit of a layer, or a direction in it."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

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


@dataclass(frozen=True)
class Direction:
    """A vector over a layer's units: a probe, a factor, a dictionary atom.

    Examples
    --------
    >>> str(Direction("mixed3a", (0.5, -0.5), name="hf"))
    'mixed3a:hf'
    """

    layer: str
    weights: tuple[float, ...]
    name: str = "direction"

    def __str__(self) -> str:
        return f"{self.layer}:{self.name}"

    def vector(self, units: int) -> Float[Tensor, " units"]:
        """Return the direction's weights, checked against the layer's number of units.

        Raises
        ------
        InputError
            Where there are more or fewer weights than units.
        """
        if len(self.weights) != units:
            raise InputError(
                f"{self} has {len(self.weights)} weights, but {self.layer} has {units} units"
            )
        return torch.tensor(self.weights)


Feature = Unit | Direction
"""Every tool that takes a unit takes a feature."""


def parse(text: str | Feature) -> Feature:
    """Parse `layer:unit`; a feature is returned as it is.

    The layer's name is all before the last colon, whatever characters it has.

    Raises
    ------
    InputError
        Where the text is not a layer's name, a colon and a number.

    Examples
    --------
    >>> parse("mixed3b:379")
    Unit(layer='mixed3b', index=379)
    """
    if not isinstance(text, str):
        return text
    return Unit(*names.unit(text))
