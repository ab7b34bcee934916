"""Slopes: how a class, or a group of a later layer, changes with a layer's activations.

Times the activations they are attributions, and what activations are made of shares these, since
the product is linear: units, positions, groups and the rest add up to the layer's.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from visioncircuits.errors import InputError
from visioncircuits.featurevis.gradients import RelaxedMaxPool
from visioncircuits.networks import Network
from visioncircuits.networks.edits import Replacement
from visioncircuits.numbers import whole


@dataclass(frozen=True, eq=False)
class Readout:
    """A weighted sum of a layer's activations, which is to be explained.

    Attributes
    ----------
    layer
        Its name.
    weights
        One a unit, for all positions, `(units,)`; or one a neuron, `(units, height, width)`.

    Examples
    --------
    >>> Readout("mixed3a", torch.tensor([1.0, 2.0])).of(torch.ones(2, 3, 3))
    tensor(27.)
    """

    layer: str
    weights: Tensor

    def of(self, activations: Tensor) -> Tensor:
        """Return the sum over activations of one picture."""
        weights = self.weights.to(activations)
        if weights.ndim == 1:
            weights = weights.reshape(-1, *[1] * (activations.ndim - 1))
        return (weights * activations).sum()


@dataclass(frozen=True)
class Gradient:
    """The gradient at the photograph's activations.

    Raises, when called, an `InputError` for a readout that does not depend on the layer.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> network, photograph = untrained("bvlc_googlenet"), torch.rand(1, 3, 64, 64)
    >>> readout = Readout("mixed3a", torch.ones(256))
    >>> Gradient()(network, photograph, "conv2d2", [readout]).shape
    torch.Size([1, 192, 16, 16])
    """

    @property
    def name(self) -> str:
        """The method, in words."""
        return "gradient"

    def __call__(
        self,
        network: Network,
        photograph: Float[Tensor, "1 channels height width"],
        layer: str,
        readouts: Sequence[Readout],
    ) -> Float[Tensor, "readouts units rows columns"]:
        """Return the gradient of each readout."""
        return _gradients(network, photograph, layer, readouts, [1.0], nullcontext())


@dataclass(frozen=True)
class RelaxedGradient:
    """The gradient with the article's relaxed max pools: see `featurevis.gradients.RelaxedMaxPool`.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> network, photograph = untrained("bvlc_googlenet"), torch.rand(1, 3, 64, 64)
    >>> readout = Readout("mixed3b", torch.ones(480))
    >>> RelaxedGradient()(network, photograph, "mixed3a", [readout]).shape
    torch.Size([1, 256, 8, 8])
    """

    @property
    def name(self) -> str:
        """The method, in words."""
        return "gradient with relaxed max pools"

    def __call__(
        self,
        network: Network,
        photograph: Float[Tensor, "1 channels height width"],
        layer: str,
        readouts: Sequence[Readout],
    ) -> Float[Tensor, "readouts units rows columns"]:
        """Return the gradient of each readout."""
        return _gradients(network, photograph, layer, readouts, [1.0], RelaxedMaxPool())


@dataclass(frozen=True)
class IntegratedGradient:
    """The mean gradient on the way from no activation: attributions add up to what changes.

    Attributes
    ----------
    steps
        At the middles of so many equal parts of the way.

    Examples
    --------
    >>> IntegratedGradient(8).name
    'integrated gradient, 8 steps'
    """

    steps: int = 16

    @property
    def name(self) -> str:
        """The method, in words."""
        return f"integrated gradient, {self.steps} steps"

    def __call__(
        self,
        network: Network,
        photograph: Float[Tensor, "1 channels height width"],
        layer: str,
        readouts: Sequence[Readout],
    ) -> Float[Tensor, "readouts units rows columns"]:
        """Return the mean gradient of each readout."""
        steps = whole("steps", self.steps, least=1)
        shares = [(step + 0.5) / steps for step in range(steps)]
        return _gradients(network, photograph, layer, readouts, shares, nullcontext())


Slope = Gradient | RelaxedGradient | IntegratedGradient
"""What activations are multiplied by, to attribute."""


def _gradients(
    network: Network,
    photograph: Tensor,
    layer: str,
    readouts: Sequence[Readout],
    shares: Sequence[float],
    mode: AbstractContextManager[object],
) -> Tensor:
    """The mean gradients where the layer has these shares of its activations."""
    for readout in readouts:
        if not network.depends(readout.layer, layer):
            raise InputError(f"{readout.layer} does not depend on {layer}; name an earlier layer")
    wanted = list(dict.fromkeys(readout.layer for readout in readouts))
    with torch.no_grad():
        values = network.activations(photograph, [layer])[layer].detach()
    total = values.new_zeros(len(readouts), *values.shape[1:])
    with torch.inference_mode(False), torch.enable_grad(), mode:
        for share in shares:
            leaf = (share * values).clone().requires_grad_()
            start = Replacement(network.layer(layer).name, leaf)
            found = network.activations(photograph, wanted, changes=[start])
            for place, readout in enumerate(readouts):
                (gradient,) = torch.autograd.grad(
                    readout.of(found[readout.layer][0]), leaf, retain_graph=True
                )
                total[place] += gradient[0]
    return (total / len(shares)).float().cpu()
