"""Features: a unit of a layer, or a direction in it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
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


@dataclass(frozen=True, init=False, repr=False)
class Direction:
    """A vector over a layer's units: a probe, a factor, a dictionary atom.

    Parameters
    ----------
    layer
        The layer's name.
    weights
        One finite number for each unit: a sequence, an array or a tensor.
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
    """

    layer: str
    weights: tuple[float, ...]
    name: str

    def __init__(
        self,
        layer: str,
        weights: Sequence[float] | np.ndarray | Tensor,
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


def _row(weights: Sequence[float] | np.ndarray | Tensor) -> tuple[float, ...]:
    try:
        row = tuple(map(float, weights.tolist() if isinstance(weights, Tensor) else weights))
    except (TypeError, ValueError):
        row = (math.nan,)
    if not all(map(math.isfinite, row)):
        raise InputError(
            "a direction has one finite number for each unit of its layer; pass a sequence, or an "
            "array of one dimension"
        )
    return row


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
    >>> def layer_of(feature: str | Feature) -> str:
    ...     return parse(feature).layer
    >>> layer_of("mixed3b:379"), layer_of(Unit("mixed3b", 379))
    ('mixed3b', 'mixed3b')
    """
    if not isinstance(text, str):
        return text
    return Unit(*names.unit(text))
