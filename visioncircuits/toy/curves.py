"""A toy convolutional layer: curves of more orientations than it has units.

The features of the other toy models are numbers. Here they are drawn: at every position of a grid,
curves of n orientations occur, each or not, with contrasts of their own. A convolutional layer of m
units looks at the picture, and a convolution of size 1 reads back which orientations there are:

    hidden = ReLU(kernels ∗ ink + b),  output = ReLU(output_weights hidden + c)

so that m units must hold n features. Curves of neighboring positions reach into a unit's receptive
field and are no feature of it. As everything else is as in the other toy models, `train` trains it,
and `dimensionality` and `interference` measure it.
"""

from collections.abc import Mapping
from functools import cache
from typing import ClassVar, Self

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import Parameter, functional

from visioncircuits.errors import InputError
from visioncircuits.stimuli import curve
from visioncircuits.toy.models import Batch, Generators, Model

SIDE, SPACING, GRID = 11, 8, 4
"""Pixels of a receptive field, and between positions; positions along each side of a picture."""

POSITIONS = GRID**2
"""In each picture."""

_RADIUS, _LENGTH, _WIDTH = 4.5, 11.0, 1.5
"""Of the curves, in pixels."""

_LEAST = 0.01
"""Share of the largest variance below which what pictures contain is left out of kernels."""

Ink = Float[Tensor, "pictures 1 height width"]
Patches = Float[Tensor, "instances batch components"]


def curve_ink(orientations: Float[np.ndarray, " curves"]) -> Float[Tensor, "curves 1 rows columns"]:
    """Draw curves at full contrast, each alone in a receptive field.

    Parameters
    ----------
    orientations
        From the center of curvature to the apex, which is the middle; degrees.

    Returns
    -------
    Tensor
        1 where there is ink, 0 where there is none.

    Examples
    --------
    >>> curve_ink(np.array([0.0, 90.0])).shape
    torch.Size([2, 1, 11, 11])
    """
    each = torch.as_tensor(orientations, dtype=torch.float64)
    drawn = curve(orientation=each, radius=_RADIUS, length=_LENGTH, width=_WIDTH, size=SIDE)
    return drawn.mask.float()


def orientations_of(features: int) -> Float[np.ndarray, " features"]:
    """Return the orientation that each feature is, in degrees: evenly around the circle.

    Examples
    --------
    >>> orientations_of(4).tolist()
    [0.0, 90.0, 180.0, 270.0]
    """
    return 360.0 / features * np.arange(features)


def drawn_curves(features: Float[Tensor, "pictures curves rows columns"]) -> Ink:
    """Draw the curves that occur at the positions of a grid; where they cross, ink is 1 at most.

    Examples
    --------
    >>> drawn_curves(torch.zeros(2, 8, GRID, GRID)).shape
    torch.Size([2, 1, 35, 35])
    """
    ink = _each(features.shape[1]).to(features)
    return functional.conv_transpose2d(features, ink, stride=SPACING).clamp(max=1)


@cache
def _each(features: int) -> Float[Tensor, "features 1 rows columns"]:
    return curve_ink(orientations_of(features))


@cache
def _components(features: int) -> Float[Tensor, "components pixels"]:
    """Return principal components of what a receptive field may contain, at the variance 1.

    Kernels are learned in these coordinates: crossing curves share pixels, so that in those of
    pixels training is far slower.
    """
    every = torch.eye(features * 9).reshape(features * 9, features, 3, 3)  # and 8 neighbors
    wide = functional.conv_transpose2d(every, _each(features), stride=SPACING)
    middle = slice(SPACING, SPACING + SIDE)
    seen = wide[:, 0, middle, middle].flatten(1)
    values, vectors = torch.linalg.eigh(seen.T @ seen)
    kept = values > _LEAST * values.max()
    components: Tensor = (vectors[:, kept] / values[kept].sqrt()).T
    return components


class CurveNetwork(Model):
    """A convolutional layer of rectified units, from which the curves in a picture are read back.

    Parameters
    ----------
    coordinates
        Of the kernels, along the principal components of what a receptive field may contain.
    hidden_bias
        b.
    output_weights
        From units to orientations.
    bias
        c.

    Notes
    -----
    In `train`, each picture has 16 positions, and a batch is of positions: a multiple of 16. The
    first kernels have each unit detect about half of the orientations, chosen at random, and the
    first output weights are the same: others leave many units that nothing activates.

    Examples
    --------
    >>> from visioncircuits.toy import Task, train
    >>> tasks = [Task(features=8, hidden=3, sparsity=0.95)]
    >>> train(tasks, model=CurveNetwork, steps=5, batch=32).kernels.shape
    (1, 3, 11, 11)
    """

    rectified: ClassVar[bool] = True

    def __init__(
        self,
        coordinates: Float[Tensor, "instances hidden components"],
        hidden_bias: Float[Tensor, "instances hidden"],
        output_weights: Float[Tensor, "instances features hidden"],
        bias: Float[Tensor, "instances features"],
    ) -> None:
        super().__init__()
        self.coordinates, self.hidden_bias = Parameter(coordinates), Parameter(hidden_bias)
        self.output_weights, self.bias = Parameter(output_weights), Parameter(bias)

    @classmethod
    def drawn(cls, features: int, hidden: int, generators: Generators) -> Self:
        """Draw the first weights of an instance a generator, and set biases to 0."""
        strength = [np.abs(each.normal(size=(hidden, features))) for each in generators]
        chosen = [each.random((hidden, features)) < 0.5 for each in generators]
        prefers = torch.tensor(np.stack(strength) * np.stack(chosen), dtype=torch.float32)
        prefers *= (2 / features) ** 0.5
        ink = _each(features).flatten(1)
        coordinates = prefers @ torch.linalg.pinv(ink @ _components(features).T).T
        zeros = prefers.new_zeros(len(generators), hidden)
        return cls(
            coordinates, zeros, prefers.mT.contiguous(), prefers.new_zeros(zeros.shape[0], features)
        )

    def units(self, patches: Patches) -> Float[Tensor, "instances batch hidden"]:
        """Compute what the units do where a receptive field contains this."""
        hidden = torch.baddbmm(self.hidden_bias[:, None], patches, self.coordinates.mT)
        return hidden.relu() if self.rectified else hidden

    def read(self, hidden: Float[Tensor, "instances batch hidden"]) -> Batch:
        """Return the contrasts that are read from the units."""
        output = torch.baddbmm(self.bias[:, None], hidden, self.output_weights.mT)
        return output.relu() if self.rectified else output

    def patches(self, features: Batch) -> Patches:
        """Draw curves at the positions of pictures, and return each position's components.

        Raises
        ------
        InputError
            For a batch that is no whole number of pictures.
        """
        instances, batch, count = features.shape
        if batch % POSITIONS:
            raise InputError(
                f"a batch of pictures with {POSITIONS} positions must be a multiple of "
                f"{POSITIONS}, not {batch}"
            )
        grid = features.reshape(-1, POSITIONS, count).mT.reshape(-1, count, GRID, GRID)
        seen = functional.unfold(drawn_curves(grid), SIDE, stride=SPACING).mT
        return (seen @ _components(count).T.to(seen)).reshape(instances, batch, -1)

    def forward(self, features: Batch) -> Batch:
        """Return the contrasts of curves as they are read from their picture."""
        with torch.no_grad():
            patches = self.patches(features)
        return self.read(self.units(patches))

    def single(
        self, orientations: Float[np.ndarray, " curves"]
    ) -> Float[Tensor, "instances curves hidden"]:
        """Compute what the units do where there is one curve at full contrast, and no other."""
        features = self.bias.shape[1]
        ink = curve_ink(orientations).flatten(1).to(self.bias)
        seen = ink @ _components(features).T.to(ink)
        return self.units(seen.expand(len(self.bias), -1, -1))

    def values(self) -> Mapping[str, tuple[tuple[str, ...], Tensor]]:
        """Return the parameters, and the kernels and the features' directions that they make.

        A feature's direction is how far its curve, alone and at full contrast, moves the units from
        where they are without ink.
        """
        features = self.bias.shape[1]
        components = _components(features).to(self.coordinates)
        kernels = (self.coordinates @ components).reshape(*self.hidden_bias.shape, SIDE, SIDE)
        blank = self.units(self.coordinates.new_zeros(len(self.bias), 1, len(components)))
        directions = (self.single(orientations_of(features)) - blank).mT
        return {
            **super().values(),
            "kernels": (("instance", "hidden", "row", "column"), kernels),
            "weights": (("instance", "hidden", "feature"), directions),
        }


class LinearCurveNetwork(CurveNetwork):
    """As `CurveNetwork`, without rectifiers: the control, which has no superposition.

    Parameters
    ----------
    coordinates, hidden_bias, output_weights, bias
        As in `CurveNetwork`.

    Examples
    --------
    >>> LinearCurveNetwork.rectified
    False
    """

    rectified: ClassVar[bool] = False
