"""Toy models: the linear one, the one with a rectified output, and one that computes |x|.

Each is many models at once, along the first dimension of every parameter, its instances.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Self

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import Module, Parameter

Batch = Float[Tensor, "instances batch features"]
Generators = Sequence[np.random.Generator]

_DIMENSIONS: Mapping[str, tuple[str, ...]] = {
    "weights": ("instance", "hidden", "feature"),
    "bias": ("instance", "feature"),
    "output_weights": ("instance", "feature", "hidden"),
    "coordinates": ("instance", "hidden", "component"),
    "hidden_bias": ("instance", "hidden"),
}
"""Of parameters, by name."""


class Model(Module):
    """What all toy models share; the subclasses are the models.

    Attributes
    ----------
    signed
        Whether the features have signs.

    Examples
    --------
    >>> issubclass(ReLUOutput, Model), ReLUOutput.signed, AbsoluteValue.signed
    (True, False, True)
    """

    signed: ClassVar[bool] = False

    @classmethod
    def drawn(cls, features: int, hidden: int, generators: Generators) -> Self:
        """Draw the first weights of an instance a generator, and set biases to 0."""
        raise NotImplementedError

    def target(self, features: Batch) -> Batch:
        """Return what the output should be."""
        return features

    def values(self) -> Mapping[str, tuple[tuple[str, ...], Tensor]]:
        """Return what `Solutions` hold of the model: by name, its dimensions and values."""
        return {name: (_DIMENSIONS[name], each) for name, each in self.named_parameters()}


class Linear(Model):
    """Features go through fewer dimensions and back by the same weights: x' = WᵀWx + b.

    Parameters
    ----------
    weights
        W, whose columns are the features' directions.
    bias
        b.

    Notes
    -----
    Its best solution is principal component analysis: the most important features have a dimension
    each, and there is no superposition. It is the control of `ReLUOutput`.

    Examples
    --------
    >>> model = Linear(torch.eye(2)[None], torch.zeros(1, 2))
    >>> model(torch.tensor([[[1.0, -2.0]]])).tolist()
    [[[1.0, -2.0]]]
    """

    def __init__(
        self,
        weights: Float[Tensor, "instances hidden features"],
        bias: Float[Tensor, "instances features"],
    ) -> None:
        super().__init__()
        self.weights, self.bias = Parameter(weights), Parameter(bias)

    @classmethod
    def drawn(cls, features: int, hidden: int, generators: Generators) -> Self:
        """Draw the first weights of an instance a generator, and set biases to 0."""
        weights = _xavier((hidden, features), generators)
        return cls(weights, weights.new_zeros(len(generators), features))

    def forward(self, features: Batch) -> Batch:
        """Return the features as they are read back."""
        hidden = features @ self.weights.mT
        return torch.baddbmm(self.bias[:, None], hidden, self.weights)


class ReLUOutput(Linear):
    """As `Linear`, then rectified, so that interference can be filtered: x' = ReLU(WᵀWx + b).

    Parameters
    ----------
    weights, bias
        As in `Linear`.

    Examples
    --------
    Two features in one dimension, at opposite ends of it, neither of which shows in the other:

    >>> model = ReLUOutput(torch.tensor([[[1.0, -1.0]]]), torch.zeros(1, 2))
    >>> model(torch.tensor([[[0.5, 0.0], [0.0, 0.25]]])).tolist()
    [[[0.5, 0.0], [0.0, 0.25]]]
    """

    def forward(self, features: Batch) -> Batch:
        """Return the features as they are read back."""
        return super().forward(features).relu()


class AbsoluteValue(Model):
    """A layer of neurons that computes the absolute value: y = ReLU(W₂ ReLU(W₁x) + b).

    Without superposition two neurons make one absolute value, ReLU(x) + ReLU(−x).

    Parameters
    ----------
    weights
        W₁, from signed features to neurons.
    output_weights
        W₂, from neurons to absolute values.
    bias
        b.

    Examples
    --------
    >>> ends = torch.tensor([[[1.0], [-1.0]]])
    >>> model = AbsoluteValue(ends, ends.abs().transpose(1, 2), torch.zeros(1, 1))
    >>> model(torch.tensor([[[0.5], [-0.25]]])).tolist()
    [[[0.5], [0.25]]]
    """

    signed: ClassVar[bool] = True

    def __init__(
        self,
        weights: Float[Tensor, "instances hidden features"],
        output_weights: Float[Tensor, "instances features hidden"],
        bias: Float[Tensor, "instances features"],
    ) -> None:
        super().__init__()
        self.weights, self.bias = Parameter(weights), Parameter(bias)
        self.output_weights = Parameter(output_weights)

    @classmethod
    def drawn(cls, features: int, hidden: int, generators: Generators) -> Self:
        """Draw the first weights of an instance a generator, and set biases to 0."""
        weights = _xavier((hidden, features), generators)
        output_weights = _xavier((features, hidden), generators)
        return cls(weights, output_weights, weights.new_zeros(len(generators), features))

    def forward(self, features: Batch) -> Batch:
        """Return the absolute values as they are computed."""
        neurons = (features @ self.weights.mT).relu()
        return torch.baddbmm(self.bias[:, None], neurons, self.output_weights.mT).relu()

    def target(self, features: Batch) -> Batch:
        """Return the absolute values."""
        return features.abs()


def _xavier(
    shape: tuple[int, int], generators: Generators
) -> Float[Tensor, "instances rows columns"]:
    deviation = (2 / sum(shape)) ** 0.5
    drawn = [generator.normal(0.0, deviation, shape) for generator in generators]
    return torch.tensor(np.stack(drawn), dtype=torch.float32)
